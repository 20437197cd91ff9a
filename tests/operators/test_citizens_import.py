"""`idp citizens import`: strict, idempotent, taken up again after a break, and never half of a batch."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from idp.identity.register import RegisterEntry
from idp.operators.register_batches import BatchCounts, RegisterImport
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import StoreUnavailableError
from tests.operators.conftest import Installation, register_line, write_register
from tests.support.protocol_builders import make_link
from tests.support.stores import make_session

COUNTS = ("added", "updated", "unchanged", "rejected")


def counts(document: dict[str, Any]) -> tuple[int, ...]:
    return tuple(document[name] for name in COUNTS)


def test_two_thousand_lines_good_and_bad(installation: Installation) -> None:
    lines = [register_line(number) for number in range(2000)]
    lines[10] = register_line(10, birthdate="1990-13-01", status="asleep")
    lines[700] = register_line(700, nickname="lan")
    lines[1999] = register_line(5)
    file = write_register(installation.folder / "people.jsonl", *lines)
    rejected = installation.folder / "rejected.jsonl"

    document = installation.answer("citizens", "import", file, "--rejected", rejected, status=1)

    assert counts(document) == (1997, 0, 0, 3)
    assert document["error"]["message"] == "3 lines were rejected."
    report = [json.loads(line) for line in rejected.read_text().splitlines()]
    assert report == document["rejected_lines"]
    assert [(each["line"], len(each["reasons"])) for each in report] == [(11, 2), (701, 1), (2000, 1)]
    assert report[2]["reasons"] == ["personal_number: stands in line 6 already"]
    assert len(installation.rows("citizens")) == 1997
    registered = installation.events("citizen:registered")
    assert len(registered) == 1997
    assert {event["details"]["proofing"] for event in registered} == {"vn2"}


def test_a_second_run_changes_nothing(installation: Installation) -> None:
    lines = [
        register_line(n, password="hoa sen ven ho", totp_secret="V7PEE5KXZVXEJPAA7O5RBXZWMIPHXITY")
        for n in (1, 2)
    ]
    file = write_register(installation.folder / "people.jsonl", *lines, register_line(3, phone_number=None))
    assert counts(installation.answer("citizens", "import", file)) == (3, 0, 0, 0)
    before = installation.everything()
    assert counts(installation.answer("citizens", "import", file)) == (0, 0, 3, 0)
    assert installation.everything() == before


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"name": "Nguyễn Lan"}, "name"),
        ({"email": None}, "email"),
        ({"proofing": "vn1"}, "proofing"),
        ({"proofed_at": "2025-03-01"}, "proofed_at"),
        ({"status": "deceased"}, "status"),
        ({"evidence": [{"type": "document", "document_details": {"type": "passport"}}]}, "evidence"),
        ({"password": "mot mat khau khac"}, "password"),
        ({"totp_secret": "3WLWHGWBAIOFSZFDE4JBRGDSS2NTNW6R"}, "totp_secret"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_register_changes_is_updated_and_named(
    small_installation: Installation, changes: dict[str, Any], named: str
) -> None:
    secrets = {"password": "hoa sen ven ho", "totp_secret": "V7PEE5KXZVXEJPAA7O5RBXZWMIPHXITY"}
    file = write_register(small_installation.folder / "people.jsonl", register_line(1, **secrets))
    small_installation.answer("citizens", "import", file)
    write_register(file, register_line(1, **(secrets | changes)))
    assert counts(small_installation.answer("citizens", "import", file)) == (0, 1, 0, 0)
    (event,) = small_installation.events("citizen:updated")
    assert event["details"]["changed"] == named


def test_evidence_is_kept_compared_and_dropped(small_installation: Installation) -> None:
    checks = [{"check_method": "vcrypt", "time": "2025-02-17T09:30:00.5+07:00"}, {"check_method": "bvp"}]
    evidence = [{"type": "document", "document_details": {"type": "idcard"}, "check_details": checks}]
    file = write_register(
        small_installation.folder / "people.jsonl", register_line(1, evidence=evidence), register_line(2)
    )
    assert counts(small_installation.answer("citizens", "import", file)) == (2, 0, 0, 0)
    assert counts(small_installation.answer("citizens", "import", file)) == (0, 0, 2, 0)
    write_register(file, register_line(1))
    assert counts(small_installation.answer("citizens", "import", file)) == (0, 1, 0, 0)
    (event,) = small_installation.events("citizen:updated")
    assert event["details"]["changed"] == "evidence"


def test_passwords_and_totp_secrets_stay_when_the_file_does_not_tell_them(
    small_installation: Installation,
) -> None:
    file = write_register(
        small_installation.folder / "people.jsonl", register_line(1, password="hoa sen ven ho")
    )
    small_installation.answer("citizens", "import", file)
    write_register(file, register_line(1))
    assert counts(small_installation.answer("citizens", "import", file)) == (0, 0, 1, 0)
    assert len(small_installation.rows("authenticators")) == 1


def test_a_dry_run_counts_and_stores_nothing(installation: Installation) -> None:
    file = write_register(installation.folder / "people.jsonl", register_line(1, password="hoa sen ven ho"))
    before = installation.everything()
    document = installation.answer("citizens", "import", file, "--dry-run")
    assert (counts(document), document["dry_run"]) == ((1, 0, 0, 0), True)
    assert installation.everything() == before


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "line: is not valid JSON"),
        (b"[]", "line: must be a JSON object"),
        (b'{"name": "\xff"}', "line: is not UTF-8"),
        (b'{"name": "a", "name": "b"}', "line: holds the same member name twice"),
        (b'{"name": "' + b"a" * 200_000 + b'"}', "line: is longer than 32768 bytes"),
        (
            json.dumps(register_line(9, password="password")).encode(),
            "password: is one of the first that anybody would guess",
        ),
        (
            json.dumps(register_line(9, personal_number=f"079{890000009}")).encode(),
            "personal_number: must begin with 000 outside production",
        ),
    ],
    ids=["broken", "list", "bytes", "twice", "endless", "password", "number"],
)
def test_a_bad_line_is_named_and_its_neighbours_are_stored(
    small_installation: Installation, line: bytes, reason: str
) -> None:
    good = [json.dumps(register_line(number)).encode() for number in (1, 2)]
    stdin = b"\xef\xbb\xbf" + b"\n".join([good[0], line, b"", good[1]])
    result = small_installation.run("citizens", "import", "-", stdin=stdin)
    assert result.exit_code == 1
    assert result.stdout == "2 added, 0 updated, 0 unchanged, 1 rejected.\n"
    assert result.stderr == f"1 line was rejected.\n  line 2: {reason}\n"


def test_all_reasons_are_given_and_never_a_value(small_installation: Installation) -> None:
    line = register_line(1, name="X1", email="bad", birthdate="2999", password="12345678")
    file = write_register(small_installation.folder / "people.jsonl", line)
    said = small_installation.refused("citizens", "import", file)
    assert [word for word in ("name:", "email:", "birthdate:", "password:") if word not in said] == []
    assert [value for value in ("X1", "bad", "2999", "12345678") if value in said] == []


def test_only_the_first_rejected_lines_are_shown(small_installation: Installation) -> None:
    file = write_register(small_installation.folder / "people.jsonl", *({"line": n} for n in range(30)))
    said = small_installation.refused("citizens", "import", file)
    assert said.splitlines()[-1] == "… and 10 more; --rejected FILE lists them all."
    assert len(said.splitlines()) == 22


def test_a_production_takes_no_passwords_and_no_fictitious_people(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_MODE", "production")
    file = write_register(
        small_installation.folder / "people.jsonl", register_line(1, password="hoa sen ven ho")
    )
    said = small_installation.refused("citizens", "import", file)
    assert "personal_number: must not begin with 000 in production" in said
    assert "password: is not taken in production" in said


def test_an_import_that_broke_off_goes_on_where_it_stopped(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_register(installation.folder / "people.jsonl", *map(register_line, range(50)))
    take_over, batches = RegisterImport.take_over, []

    async def breaks(self: RegisterImport, entries: Sequence[RegisterEntry]) -> BatchCounts:
        batches.append(len(entries))
        if len(batches) == 3:
            raise StoreUnavailableError("the lights went out")
        return await take_over(self, entries)

    with monkeypatch.context() as patched:
        patched.setattr(RegisterImport, "take_over", breaks)
        document = installation.answer("citizens", "import", file, "--batch", 10, status=1)
    assert counts(document) == (20, 0, 0, 0)
    assert "the lights went out" in document["error"]["message"]
    assert "Run the same command to go on." in document["error"]["reasons"][-1]
    assert len(installation.rows("citizens")) == 20
    assert counts(installation.answer("citizens", "import", file, "--batch", 10)) == (30, 0, 20, 0)


def test_a_batch_that_cannot_be_committed_leaves_no_half_of_itself(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another import adds somebody of this batch after it was compared."""
    file = write_register(installation.folder / "people.jsonl", *map(register_line, range(5)))
    other = write_register(installation.folder / "other.jsonl", register_line(3))
    installation.answer("citizens", "import", other)

    async def nobody_known(_store: object, _numbers: Sequence[str]) -> dict[str, Any]:
        return {}

    with monkeypatch.context() as patched:
        patched.setattr("idp.store.citizens.Citizens.holders", nobody_known)
        assert "at the same moment" in installation.refused("citizens", "import", file)
    assert len(installation.rows("citizens")) == 1
    assert counts(installation.answer("citizens", "import", file)) == (4, 0, 1, 0)


def test_the_links_of_a_person_follow_the_register(installation: Installation) -> None:
    file = write_register(installation.folder / "people.jsonl", register_line(1), register_line(2))
    installation.answer("citizens", "import", file)
    lan, other = (installation.citizen_id(f"00019000000{n}") for n in (1, 2))
    installation.add_links(
        make_link(link_id="lan", citizen_id=lan), make_link(link_id="other", account_id="2", citizen_id=other)
    )

    async def sign_in(uow: UnitOfWork) -> None:
        session = make_session(citizen_id=lan)
        uow.sessions.add(session, "cookie", session.created_at)
        await uow.commit()

    installation.with_store(sign_in)
    write_register(file, register_line(1, status="locked"), register_line(2))
    assert counts(installation.answer("citizens", "import", file)) == (0, 1, 1, 0)
    assert installation.links() == {"lan": ("suspended", "citizen_suspended"), "other": ("active", None)}
    assert installation.rows("sessions")[0]["ended_at"] is not None
    write_register(file, register_line(1, status="active"), register_line(2))
    installation.answer("citizens", "import", file)
    assert installation.links() == {"lan": ("active", None), "other": ("active", None)}
    moves = [event["type"] for event in installation.events() if event["link_id"] == "lan"]
    assert moves == ["account_link:suspended", "account_link:reinstated"]


def test_a_file_that_is_not_there_is_told_in_a_sentence(small_installation: Installation) -> None:
    path = Path("/nowhere/people.jsonl")
    assert small_installation.refused("citizens", "import", path).startswith(f"{path}: No such file")


def test_progress_is_told_where_it_is_asked_for(small_installation: Installation) -> None:
    file = write_register(small_installation.folder / "people.jsonl", *map(register_line, range(20)))
    result = small_installation.run("citizens", "import", file, "--batch", 5, "--progress", "--json")
    said = result.stderr.splitlines()
    assert (len(said), said[-1]) == (4, "100 % read")
    assert counts(json.loads(result.stdout)) == (20, 0, 0, 0)
