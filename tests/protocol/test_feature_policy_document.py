"""The policy as a document: TOML and JSON say the same, and what is not understood is refused in words."""

import contextlib
import json
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.assurance import Acr, Proofing
from idp.identity.feature_policy import DEFAULT, BeforeDeadline, Deadline, FeaturePolicy, Requirement
from idp.protocol.feature_policy_document import (
    MAX_AGE,
    MAX_CLIENTS,
    MAX_DAYS,
    MAX_FEATURES,
    MAX_GRACE,
    InvalidFeaturePolicyError,
    feature_policy_document,
    instant,
    read_feature_policy,
)

TOML = """
[features.post]

[features.livestream_commerce]
min_proofing = "vn2"
min_acr = "vn-2"
max_age = 900
reverify_after = 365
before_deadline = "restrict"

[deadlines.domestic]
created_before = 2026-09-28T00:00:00+07:00
due_at = 2026-12-31T00:00:00+07:00
grace_days = 30
consequence = "restrict"

[deadlines.cross_border.elsewhere]

[deadlines.cross_border.connected]
created_before = 2027-01-01T00:00:00Z
due_at = 2027-04-01T00:00:00Z
"""
READ = FeaturePolicy(
    {
        "post": Requirement(),
        "livestream_commerce": Requirement(
            Proofing.VN2,
            Acr.VN_2,
            timedelta(minutes=15),
            timedelta(days=365),
            BeforeDeadline.RESTRICT,
        ),
    },
    Deadline(
        datetime(2026, 9, 27, 17, tzinfo=UTC),
        datetime(2026, 12, 30, 17, tzinfo=UTC),
        timedelta(days=30),
    ),
    {
        "elsewhere": None,
        "connected": Deadline(datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)),
    },
)


def refusals(document: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(InvalidFeaturePolicyError) as refused:
        read_feature_policy(document)
    assert str(refused.value) == "; ".join(refused.value.reasons)
    return refused.value.reasons


def test_an_operators_file_is_read() -> None:
    assert read_feature_policy(tomllib.loads(TOML)) == READ


@pytest.mark.parametrize("policy", [DEFAULT, READ, FeaturePolicy({"post": Requirement()})])
def test_what_is_written_is_read_back_also_by_way_of_json(policy: FeaturePolicy) -> None:
    assert read_feature_policy(json.loads(json.dumps(feature_policy_document(policy)))) == policy


moments = st.integers(0, 190 * 365 * 86400).map(
    lambda seconds: datetime(2000, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds)
)
deadlines = st.builds(
    lambda first, second, grace: Deadline(min(first, second), max(first, second), timedelta(days=grace)),
    moments,
    moments,
    st.integers(0, MAX_GRACE),
)
requirements = st.builds(
    Requirement,
    st.sampled_from(Proofing),
    st.sampled_from(Acr),
    st.none() | st.integers(0, MAX_AGE).map(lambda seconds: timedelta(seconds=seconds)),
    st.none() | st.integers(1, MAX_DAYS).map(lambda days: timedelta(days=days)),
    st.sampled_from(BeforeDeadline),
)
policies = st.builds(
    FeaturePolicy,
    st.dictionaries(
        st.from_regex(r"[a-z][a-z_]{0,39}", fullmatch=True), requirements, min_size=1, max_size=4
    ),
    st.none() | deadlines,
    st.dictionaries(st.sampled_from(["a", "b-c", "D.e"]), st.none() | deadlines),
)


@given(policies)
def test_every_policy_survives_its_document(policy: FeaturePolicy) -> None:
    document = feature_policy_document(policy)
    assert read_feature_policy(document) == policy
    assert feature_policy_document(read_feature_policy(document)) == document


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)


@given(
    st.dictionaries(
        st.sampled_from(["features", "deadlines", "x"]),
        json_values
        | st.dictionaries(
            st.sampled_from(["post", "domestic", "cross_border"]),
            st.dictionaries(st.sampled_from(["min_acr", "max_age", "due_at", "grace_days"]), json_values),
        ),
    )
)
def test_whatever_is_sent_is_read_or_refused(document: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidFeaturePolicyError):
        assert read_feature_policy(document).features


def changed(place: str, value: object) -> dict[str, Any]:
    """The operator's file with one member set."""
    document = tomllib.loads(TOML)
    *way, last = place.split("/")
    members = document
    for name in way:
        members = members.setdefault(name, {})
    members[last] = value
    return document


NOON = datetime(2026, 12, 31, 12, tzinfo=UTC)
REFUSED = [
    ("version", 3, "version is no member of a policy; known here are features, deadlines"),
    ("features", {}, "features must name 1 to 100 features"),
    ("features", [], "features must be a table"),
    ("deadlines", 3, "deadlines must be a table"),
    ("deadlines/abroad", {}, "deadlines.abroad is no member"),
    ("deadlines/cross_border", 3, "deadlines.cross_border must be a table"),
    ("features/Post", {}, "features.Post must be named by"),
    ("features/" + 41 * "a", {}, "must be named by"),
    ("features/post", 3, "features.post must be a table"),
    ("features/post/min_age", 16, "features.post.min_age is no member"),
    ("features/post/min_proofing", "vn3", "must be vn1 or vn2 or vnf"),
    ("features/post/min_acr", "https://id.example/acr/vn-2", "must be vn-1 or vn-2 or vn-3 or vn-4"),
    ("features/post/min_acr", ["vn-2"], "must be vn-1 or"),
    ("features/post/before_deadline", True, "must be allow or restrict"),
    ("features/post/max_age", True, "must be a whole number from 0"),
    ("features/post/max_age", 900.0, "must be a whole number from 0"),
    ("features/post/max_age", MAX_AGE + 1, "must be a whole number from 0"),
    ("features/post/reverify_after", 0, "must be a whole number from 1"),
    ("deadlines/domestic", {}, "deadlines.domestic.due_at is required"),
    ("deadlines/domestic/due_at", "2026-12-31", "must be a time with its offset"),
    ("deadlines/domestic/due_at", NOON.replace(tzinfo=None), "must be a time with its offset"),
    ("deadlines/domestic/due_at", "tomorrow", "must be a time with its offset"),
    ("deadlines/domestic/due_at", "9999-12-31T23:59:59-23:59", "must be a time with its offset"),
    ("deadlines/domestic/due_at", "2020-01-01T00:00:00Z", "must not lie before created_before"),
    ("deadlines/domestic/grace_days", MAX_GRACE + 1, "must be a whole number from 0"),
    ("deadlines/domestic/consequence", "delete", "must be restrict"),
    ("deadlines/domestic/consequence", None, "must be restrict"),
    ("deadlines/domestic/until", 1, "deadlines.domestic.until is no member"),
    ("deadlines/cross_border/Bếp", {}, "must be a client_id"),
    ("deadlines/cross_border/connected/due_at", 7, "must be a time with its offset"),
]


@pytest.mark.parametrize(("place", "value", "reason"), REFUSED)
def test_what_is_wrong_is_refused_with_its_place(place: str, value: object, reason: str) -> None:
    assert any(reason in each for each in refusals(changed(place, value)))


@pytest.mark.parametrize("word", ["delete", "remove", "suspend", "ban", "DELETE", "Restrict", ""])
def test_no_document_threatens_an_account(word: str) -> None:
    for place in ("deadlines/domestic/consequence", "deadlines/cross_border/connected/consequence"):
        assert "no account is taken" in refusals(changed(place, word))[0]


def test_every_reason_is_told_at_once() -> None:
    document = changed("features/post/min_acr", "vn-9")
    document["deadlines"]["domestic"]["grace_days"] = -1
    assert len(refusals(document)) == 2


def test_there_are_limits() -> None:
    many = {name * 3: {} for name in map(chr, range(ord("a"), ord("z")))}
    assert len(many) <= MAX_FEATURES
    too_many = {first + second: {} for first in many for second in many}
    assert "features must name" in refusals({"features": too_many})[0]
    clients = {f"client-{number}": {} for number in range(MAX_CLIENTS + 1)}
    crowded = {"features": {"post": {}}, "deadlines": {"cross_border": clients}}
    assert "at most" in refusals(crowded)[0]


def test_a_time_is_told_in_utc() -> None:
    assert DEFAULT.domestic is not None
    assert instant(DEFAULT.domestic.due_at) == "2026-12-30T17:00:00Z"
    document = feature_policy_document(replace(DEFAULT, domestic=None))
    assert document["deadlines"] == {}
