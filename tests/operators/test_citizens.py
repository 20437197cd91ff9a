"""`idp citizens`: every look is written down, and links and sessions follow a person's status."""

from collections.abc import Callable

import pytest

from idp.audit.events import Actor, ActorKind
from idp.identity.account_links import Status, move
from idp.store.unit_of_work import UnitOfWork
from tests.operators.conftest import Installation, register_line, write_register
from tests.support.protocol_builders import make_link
from tests.support.stores import make_session

LAN = "000190000001"
WHY = ("--reason", "holder_request")


@pytest.fixture
def register(installation: Installation) -> Installation:
    """Two people; Lan has links in every state, and a session."""
    file = write_register(installation.folder / "people.jsonl", register_line(1), register_line(2))
    installation.answer("citizens", "import", file)
    lan = installation.citizen_id(LAN)
    installation.add_links(
        make_link(link_id="active", citizen_id=lan),
        make_link(link_id="second", citizen_id=lan, client_id="other"),
        make_link(
            link_id="doubtful",
            citizen_id=lan,
            account_id="2",
            place=2,
            status=Status.SUSPENDED,
            suspended_because="fraud",
        ),
        make_link(link_id="lapsed", citizen_id=lan, account_id="3", place=3, status=Status.LAPSED),
        make_link(link_id="ended", citizen_id=lan, account_id="4", place=None, status=Status.ENDED),
        make_link(link_id="pending", citizen_id=lan, account_id="5", place=None, status=Status.PENDING),
    )

    async def sign_in(uow: UnitOfWork) -> None:
        session = make_session(citizen_id=lan)
        uow.sessions.add(session, "cookie", session.created_at)
        await uow.commit()

    installation.with_store(sign_in)
    return installation


def by_number(_: Installation) -> str:
    return LAN


def by_id(register: Installation) -> str:
    return register.citizen_id(LAN)


@pytest.mark.parametrize("named", [by_number, by_id])
def test_a_look_is_written_down_and_shows_no_more_than_needed(
    register: Installation, named: Callable[[Installation], str]
) -> None:
    shown = register.answer("citizens", "show", named(register), *WHY)
    assert shown["name"] == "Nguyễn Thị Lan"
    assert shown["personal_number"] == "000•••"
    assert shown["phone_number"] == "+84•••"
    assert shown["email"] == "l•••"
    (event,) = register.events("citizen:looked_up")
    assert (event["citizen_id"], event["details"]) == (shown["citizen_id"], {"because": "holder_request"})


def test_a_look_shows_the_evidence_and_who_says_so(register: Installation) -> None:
    """Rule R6: kinds and checks, never a number."""
    shown = register.answer("citizens", "show", LAN, *WHY)
    assert shown["evidence"] == ["document idcard: vpip", "electronic_record population_register: bvp"]
    assert shown["evidence_of"] == "proofing"
    checks = [{"check_method": "vpip"}, {"check_method": "bvp"}]
    passport = {"type": "document", "document_details": {"type": "passport"}, "check_details": checks}
    birth = {"type": "electronic_record", "record": {"type": "birth_register"}}
    line = register_line(1, personal_number=LAN, evidence=[passport, birth])
    register.answer("citizens", "import", write_register(register.folder / "new.jsonl", line))
    shown = register.answer("citizens", "show", LAN, *WHY)
    assert shown["evidence"] == ["document passport: vpip bvp", "electronic_record birth_register"]
    assert shown["evidence_of"] == "register"
    number = "000190" + "0" * 5 + "8"
    assert register.answer("citizens", "change-number", LAN, number, *WHY)["changed"]


def test_what_is_revealed_is_written_down_too(register: Installation) -> None:
    shown = register.answer("citizens", "show", LAN, *WHY, "--reveal")
    assert (shown["personal_number"], shown["email"]) == (LAN, "lan@nguyen.example")
    (event,) = register.events("citizen:looked_up")
    assert event["details"]["claims"] == "address email personal_number phone_number"


def test_a_look_for_nobody_is_written_down(register: Installation) -> None:
    assert "Nobody" in register.refused("citizens", "show", "000190000009", *WHY)
    assert [event["citizen_id"] for event in register.events("citizen:looked_up")] == [None, None]


def test_a_look_without_a_stated_reason_says_that_an_operator_looked(register: Installation) -> None:
    register.answer("citizens", "show", LAN)
    (event,) = register.events("citizen:looked_up")
    assert event["details"]["because"] == "operator_lookup"


@pytest.mark.parametrize("reason", [("--reason", "two words"), ("--reason", ""), ("--reason", "a" * 41)])
def test_a_reason_is_a_short_code_and_no_text(register: Installation, reason: tuple[str, ...]) -> None:
    before = register.everything()
    assert register.run("citizens", "show", LAN, *reason).exit_code == 2
    assert register.everything() == before


def test_suspending_a_person_signs_them_out_and_suspends_their_active_links(register: Installation) -> None:
    answer = register.answer("citizens", "suspend", LAN, *WHY)
    assert (answer["status_before"], answer["status"]) == ("active", "locked")
    assert {link["link_id"] for link in answer["links"]} == {"active", "second"}
    assert register.links() == {
        "active": ("suspended", "citizen_suspended"),
        "second": ("suspended", "citizen_suspended"),
        "doubtful": ("suspended", "fraud"),
        "lapsed": ("lapsed", None),
        "ended": ("ended", None),
        "pending": ("pending", None),
    }
    assert register.rows("sessions")[0]["ended_at"] is not None
    (event,) = register.events("citizen:suspended")
    assert event["details"] == {"because": "holder_request"}
    assert len(register.events("account_link:suspended")) == 2


def test_reinstating_a_person_brings_back_the_links_that_went_with_them(register: Installation) -> None:
    before = register.links()
    register.answer("citizens", "suspend", LAN, *WHY)
    answer = register.answer("citizens", "reinstate", LAN, *WHY)
    assert {link["link_id"] for link in answer["links"]} == {"active", "second"}
    assert register.links() == before
    assert len(register.events("account_link:reinstated")) == 2


def test_doing_it_again_changes_nothing(register: Installation) -> None:
    register.answer("citizens", "suspend", LAN, *WHY)
    before = register.everything()
    answer = register.answer("citizens", "suspend", LAN, *WHY)
    assert (answer["status_before"], answer["links"]) == ("locked", [])
    assert register.everything() == before


@pytest.mark.parametrize("verb", ["suspend", "reinstate"])
def test_a_dry_run_shows_the_links_and_stores_nothing(register: Installation, verb: str) -> None:
    if verb == "reinstate":
        register.answer("citizens", "suspend", LAN, *WHY)
    before = register.everything()
    answer = register.answer("citizens", verb, LAN, *WHY, "--dry-run")
    assert {link["link_id"] for link in answer["links"]} == {"active", "second"}
    assert register.everything() == before


def test_a_link_that_is_moved_meanwhile_does_not_stop_the_rest(
    register: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading and committing, the holder ends one link: the others are suspended all the same."""
    commit, commits = UnitOfWork.commit, []

    async def commit_late(self: UnitOfWork) -> None:
        commits.append(self)
        if len(commits) == 1:
            meanwhile = UnitOfWork(self.database, register.custody().data)
            link = await meanwhile.account_links.find("active")
            assert link is not None
            holder = Actor(ActorKind.CITIZEN, link.citizen_id)
            ended, event = move(link, Status.ENDED, holder, "holder_request", link.requested_at)
            meanwhile.account_links.move(link, ended, link.requested_at)
            meanwhile.ledger.append(event)
            await commit(meanwhile)
        await commit(self)

    with monkeypatch.context() as patched:
        patched.setattr(UnitOfWork, "commit", commit_late)
        register.answer("citizens", "suspend", LAN, *WHY)
    assert register.links()["active"] == ("ended", None)
    assert register.links()["second"] == ("suspended", "citizen_suspended")
    assert len(register.events("citizen:suspended")) == 1
    assert [event["link_id"] for event in register.events("account_link:suspended")] == ["second"]


def test_only_the_register_brings_back_who_is_deceased(register: Installation) -> None:
    file = write_register(register.folder / "people.jsonl", register_line(1, status="deceased"))
    register.answer("citizens", "import", file)
    assert "deceased in the register" in register.refused("citizens", "reinstate", LAN, *WHY)


def test_a_number_is_issued_again_and_the_former_one_is_nobodys(register: Installation) -> None:
    citizen_id = register.citizen_id(LAN)
    new = "000190000003"
    assert register.answer("citizens", "change-number", LAN, new, *WHY)["citizen_id"] == citizen_id
    assert register.citizen_id(new) == citizen_id
    assert "Nobody" in register.refused("citizens", "suspend", LAN, *WHY)
    assert len(register.events("citizen:number_changed")) == 1
    history = [
        row["valid_until"] for row in register.rows("personal_numbers") if row["citizen_id"] == citizen_id
    ]
    assert sorted(until is None for until in history) == [False, True]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("000190000002", "Somebody has this personal number already."),
        (LAN, "Somebody has this personal number already."),
        ("12", "personal_number: must be twelve digits"),
    ],
    ids=["taken", "own", "malformed"],
)
def test_a_number_that_cannot_be_given_changes_nothing(
    register: Installation, number: str, reason: str
) -> None:
    before = register.everything()
    assert reason in register.refused("citizens", "change-number", LAN, number, *WHY)
    assert register.everything() == before


def test_a_dry_run_changes_no_number(register: Installation) -> None:
    before = register.everything()
    assert (
        register.answer("citizens", "change-number", LAN, "000190000003", *WHY, "--dry-run")["changed"]
        is False
    )
    assert register.everything() == before


def test_no_import_sets_free_whom_an_operator_suspended(register: Installation) -> None:
    file = register.folder / "people.jsonl"
    register.answer("citizens", "suspend", LAN, *WHY)
    register.answer("citizens", "import", file)
    assert register.links()["active"] == ("suspended", "citizen_suspended")
    assert register.answer("citizens", "show", LAN, *WHY)["status"] == "locked"
    register.answer("citizens", "reinstate", LAN, *WHY)
    assert register.links()["active"] == ("active", None)
    register.answer("citizens", "import", file)
    assert register.answer("citizens", "show", LAN, *WHY)["status"] == "active"


def test_what_the_register_locks_an_operator_may_hold_beyond(register: Installation) -> None:
    file = register.folder / "people.jsonl"
    write_register(file, register_line(1, status="locked"), register_line(2))
    register.answer("citizens", "import", file)
    register.answer("citizens", "suspend", LAN, *WHY)
    write_register(file, register_line(1), register_line(2))
    register.answer("citizens", "import", file)
    assert register.answer("citizens", "show", LAN, *WHY)["status"] == "locked"
