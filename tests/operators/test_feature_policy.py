"""`idp policy`: a version is checked, explained, published once, and never changed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from idp.identity.assurance import Acr, Proofing
from idp.identity.feature_policy import DEFAULT, BeforeDeadline, Deadline, FeaturePolicy, Requirement
from idp.identity.policy_versions import PolicyVersion
from idp.operators.policy_words import changes_in_words
from idp.protocol.feature_policy_document import read_feature_policy
from tests.operators.conftest import OPERATOR, Installation

EXAMPLE = Path(__file__).resolve().parents[2] / "clients" / "feature_policy.toml"
TEXT = EXAMPLE.read_text()
DAY = timedelta(days=1)
AHEAD = (datetime.now(UTC) + 30 * DAY).replace(microsecond=0)
Edit = Callable[[str, str], Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """The example with one piece of it replaced."""

    def write(before: str, after: str) -> Path:
        assert before in TEXT
        path = tmp_path / "policy.toml"
        path.write_text(TEXT.replace(before, after, 1))
        return path

    return write


def test_the_example_says_what_holds_without_it(small_installation: Installation) -> None:
    answer = small_installation.answer("policy", "check", EXAMPLE)
    assert answer == {"compared_with": 1, "changes": [], "unknown_clients": []}
    assert "It says the same as version 1." in small_installation.run("policy", "check", EXAMPLE).output
    assert "says the same" in small_installation.refused("policy", "publish", EXAMPLE)


def test_a_version_is_published_and_the_log_says_by_whom(installation: Installation, edited: Edit) -> None:
    file = edited("[features.comment]", "[features.comment]\nmin_proofing = 'vn2'")
    trial = installation.answer("policy", "publish", file, "--dry-run")
    assert (trial["version"], trial["dry_run"]) == (2, True)
    assert installation.rows("feature_policies") == []
    assert installation.events() == []
    published = installation.answer("policy", "publish", file)
    assert published["changes"] == trial["changes"]
    assert "comment: needs people proofed as vn2" in published["changes"][0]
    (event,) = installation.events("policy:published")
    assert (event["actor_id"], event["details"]) == (OPERATOR, {"revision": "2"})
    first, second = installation.answer("policy", "list")["versions"]
    assert (first["in_force"], second["in_force"], second["published_by"]) == (False, True, OPERATOR)
    shown = installation.answer("policy", "show")
    assert shown["features"]["comment"]["min_proofing"] == "vn2"
    assert read_feature_policy({name: shown[name] for name in ("features", "deadlines")})


def test_a_version_is_announced_for_later_and_nothing_overtakes_it(
    small_installation: Installation, edited: Edit
) -> None:
    first = edited("grace_days = 0", "grace_days = 30")
    words = ("policy", "publish", first, "--effective-at", AHEAD.isoformat())
    assert small_installation.answer(*words)["version"] == 2
    assert small_installation.answer("policy", "show")["version"] == 1
    assert small_installation.answer("policy", "show", "--version", 2)["version"] == 2
    second = edited("grace_days = 0", "grace_days = 60")
    assert "takes effect then or later" in small_installation.refused("policy", "publish", second)
    assert (
        small_installation.answer("policy", "publish", second, "--effective-at", AHEAD.isoformat())["version"]
        == 3
    )


def test_the_past_is_not_rewritten(small_installation: Installation, edited: Edit) -> None:
    file = edited("grace_days = 0", "grace_days = 30")
    words = ("policy", "publish", file, "--effective-at", "2026-01-01T00:00:00Z")
    assert "cannot take effect in the past" in small_installation.refused(*words)


@pytest.mark.parametrize("time", ["2026-12-31", "2026-12-31T00:00:00", "soon", "0001-01-01T00:00:00+14:00"])
def test_a_time_has_an_offset(small_installation: Installation, time: str) -> None:
    result = small_installation.run("policy", "publish", EXAMPLE, "--effective-at", time)
    assert result.exit_code == 2
    assert "a time with its offset is needed" in result.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff", "is not UTF-8"),
        (b"[", "is not TOML"),
        (b"[features]", "features must name 1 to 100"),
        (TEXT.replace('"restrict"  # there', '"delete"  # there').encode(), "must be restrict"),
        (b"#" * (1024 * 1024 + 1), "is larger than"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_reason(
    small_installation: Installation, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_bytes(content)
    for command in ("check", "publish"):
        assert reason in small_installation.refused("policy", command, path)
    assert small_installation.rows("feature_policies") == []


def test_a_file_that_is_not_there_is_named(small_installation: Installation, tmp_path: Path) -> None:
    assert "nowhere.toml" in small_installation.refused("policy", "check", tmp_path / "nowhere.toml")


def test_a_version_that_there_is_not(small_installation: Installation) -> None:
    assert "the newest is 1" in small_installation.refused("policy", "show", "--version", 7)


def test_a_platform_that_is_not_registered_is_pointed_out(
    small_installation: Installation, edited: Edit
) -> None:
    file = edited("[deadlines.domestic]", "[deadlines.cross_border.quan-cok]\n\n[deadlines.domestic]")
    assert small_installation.answer("policy", "check", file)["unknown_clients"] == ["quan-cok"]
    said = small_installation.run("policy", "check", file).stdout
    assert "quan-cok: no platform with this client_id is registered." in said
    assert "counts as cross-border and is not connected. Nothing is due there." in said
    small_installation.run("policy", "publish", file)
    assert "not connected, nothing is due" in small_installation.run("policy", "show").stdout


def test_two_operators_at_once_publish_one_version(installation: Installation, edited: Edit) -> None:
    file = edited("grace_days = 0", "grace_days = 30")
    installation.answer("policy", "publish", file)

    async def publish_the_same_number(uow: Any) -> None:
        uow.feature_policies.publish(
            PolicyVersion(2, DEFAULT, datetime.now(UTC), datetime.now(UTC), "somebody else")
        )
        await uow.commit()

    with pytest.raises(Exception, match="feature_policy_published"):
        installation.with_store(publish_the_same_number)
    assert [row["published_by"] for row in installation.rows("feature_policies")] == [OPERATOR]


class TestAsk:
    def test_an_old_account_without_a_link(self, small_installation: Installation) -> None:
        words = ("policy", "ask", "post", "--created-at", "2019-05-01T00:00:00Z")
        answer = small_installation.answer(*words, "--at", "2026-11-20T03:00:00Z")
        assert answer == {
            "feature": "post",
            "version": 1,
            "is_allowed": True,
            "reason": "not_due_yet",
            "lack": "link_needed",
            "step": "link",
            "until": "2026-12-30T17:00:00Z",
        }
        late = small_installation.run(*words, "--at", "2027-01-01T00:00:00Z").stdout
        assert late == "post: restricted (link_needed)\n  missing: link_needed; what helps: link\n"

    def test_a_seller_who_signed_in_with_one_factor(self, small_installation: Installation) -> None:
        words = ("policy", "ask", "livestream_commerce", "--created-at", "2026-11-01T00:00:00Z")
        linked = ("--link", "active", "--proofing", "vn2")
        assert small_installation.answer(*words, *linked)["reason"] == "acr_too_low"
        assert small_installation.answer(*words, *linked, "--acr", "vn-2")["reason"] == "met"
        old = ("--acr", "vn-2", "--signed-in-at", "2026-11-01T00:00:00Z")
        assert small_installation.answer(*words, *linked, *old)["reason"] == "not_fresh"


POST = DEFAULT.features["post"]


def with_post(**changes: Any) -> FeaturePolicy:
    return replace(DEFAULT, features={**DEFAULT.features, "post": replace(POST, **changes)})


def with_domestic(**changes: Any) -> FeaturePolicy:
    assert DEFAULT.domestic is not None
    return replace(DEFAULT, domestic=replace(DEFAULT.domestic, **changes))


DUE = Deadline(datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC), grace=timedelta(days=30))
ABROAD = replace(DEFAULT, cross_border={"far": None})
CHANGES = [
    (DEFAULT, with_post(min_proofing=Proofing.VN2), "People proofed as vn1 may no longer"),
    (with_post(min_proofing=Proofing.VN2), DEFAULT, "People proofed as vn1 may, too."),
    (
        with_post(min_proofing=Proofing.VN2),
        with_post(min_proofing=Proofing.VNF),
        "vnf or better instead of vn2. Nobody is affected.",
    ),
    (DEFAULT, with_post(min_acr=Acr.VN_3), "People who signed in with vn-1 may no longer"),
    (with_post(min_acr=Acr.VN_3), DEFAULT, "People who signed in with vn-1 may, too."),
    (DEFAULT, with_post(max_age=timedelta(minutes=90)), "may be 90 minutes old; until now of any age."),
    (with_post(max_age=timedelta(seconds=61)), DEFAULT, "may be of any age; until now 61 seconds old."),
    (DEFAULT, with_post(reverify_after=90 * DAY), "confirm their link 90 days after they were last here"),
    (
        DEFAULT,
        with_post(before_deadline=BeforeDeadline.RESTRICT),
        "accounts that wait for theirs are restricted at once",
    ),
    (
        with_post(before_deadline=BeforeDeadline.RESTRICT),
        DEFAULT,
        "accounts that are not due yet may go on without",
    ),
    (
        DEFAULT,
        replace(DEFAULT, features={**DEFAULT.features, "story": Requirement(reverify_after=DAY)}),
        "story: new. It needs a link proofed as vn1 or better, a sign-in of vn-1 or better, confirmed",
    ),
    (DEFAULT, replace(DEFAULT, features={"post": POST}), "share: no longer named. Platforms allow nobody"),
    (DEFAULT, replace(DEFAULT, domestic=None), "there is no deadline any more. Every account"),
    (replace(DEFAULT, domestic=None), DEFAULT, "Accounts older than that have time until then."),
    (DEFAULT, with_domestic(grace=30 * DAY), "They have 30 days more time."),
    (with_domestic(grace=30 * DAY), DEFAULT, "They have 30 days less time."),
    (DEFAULT, with_domestic(created_before=datetime(2026, 10, 1, tzinfo=UTC)), "are due at once no longer."),
    (with_domestic(created_before=datetime(2026, 10, 1, tzinfo=UTC)), DEFAULT, "are due at once."),
    (DEFAULT, ABROAD, "far: counts as cross-border and is not connected."),
    (
        ABROAD,
        replace(DEFAULT, cross_border={"far": DUE}),
        "far: is cross-border and connected; accounts made",
    ),
    (ABROAD, DEFAULT, "far: counts as domestic from now on;"),
]


@pytest.mark.parametrize(("before", "after", "sentence"), CHANGES)
def test_a_change_is_told_in_words(before: FeaturePolicy, after: FeaturePolicy, sentence: str) -> None:
    told = changes_in_words(before, after)
    assert any(sentence in each for each in told), told
    assert changes_in_words(after, after) == ()
