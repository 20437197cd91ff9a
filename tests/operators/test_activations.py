"""`idp activations` and `idp recoveries`: letters on paper, by one operator or by two. R6, R19, P9."""

import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest

from idp.identity.activation_codes import read_activation_code
from idp.operators.person_at_hand import spelled
from idp.store.authenticators import Secrets
from idp.store.unit_of_work import UnitOfWork
from tests.operators.conftest import OPERATOR, Installation, register_line, write_register
from tests.support.meddling import run_sql

SECRETS = {OPERATOR: pyotp.random_base32(), "hoa": pyotp.random_base32()}
BORN = "1990-01-02"
CARD = ("--evidence", "idcard:HS-7/2026")
ADDRESS = "12 đường Hoa Sen, phường Bến Mơ"


class Desk:
    """Two operators, enrolled long ago, and people who never signed in."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self._letters = 0

    def code(self, operator: str) -> str:
        """Return the code of this moment, which is taken even if another came just before."""
        run_sql(self.installation.database_url, "UPDATE operators SET last_used_step = NULL")
        return pyotp.TOTP(SECRETS[operator]).now()

    def letter(self) -> Path:
        self._letters += 1
        return self.installation.folder / f"letter-{self._letters}.html"

    def issue(self, number: int | str = 1, *more: object, **known: Any) -> tuple[dict[str, Any], Path]:
        """Give a first code; return what the command says, and the letter."""
        letter = self.letter()
        who = f"000190{number:06d}" if isinstance(number, int) else number
        words = ["--by", known.get("by", "in-person"), "--birthdate", known.get("birthdate", BORN)]
        words += ["--letter", str(letter), "--code", self.code(OPERATOR)]
        return self.installation.answer("activations", "issue", who, *words, *CARD, *more), letter

    def refused(self, *words: object) -> str:
        return self.installation.refused(*words)


@pytest.fixture
def desk(installation: Installation) -> Desk:
    people = [
        register_line(1, name="Phạm Đức Hoà", address=ADDRESS),
        register_line(2, name="Phạm Đức Hòa", birthdate="1990-01-03", address=ADDRESS),
        register_line(3, name="Claire Dubois", proofing="vnf", address=ADDRESS),
        register_line(4, phone_number=None, email=None, address=ADDRESS, password="hoa sen ven ho xua"),
        register_line(5, password="hoa sen ven ho xua"),
        register_line(6),
    ]
    file = write_register(installation.folder / "people.jsonl", *people)
    installation.answer("citizens", "import", file)
    long_ago = datetime.now(UTC) - timedelta(days=2)

    async def enrol(uow: UnitOfWork) -> None:
        for name, secret in SECRETS.items():
            uow.operators.enrol(name, secret, "setup", long_ago)
        await uow.commit()

    installation.with_store(enrol)
    return Desk(installation)


def code_in(letter: Path) -> str:
    found = re.search(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){4}", letter.read_text())
    assert found is not None
    code = read_activation_code(found[0])
    assert code is not None
    return code


def opens(desk: Desk, code: str) -> str | None:
    """Return whose activation a code opens."""

    async def find(uow: UnitOfWork) -> str | None:
        found = await uow.activations.find_by_code(code)
        return None if found is None else found.citizen_id

    return desk.installation.with_store(find)


def test_a_letter_holds_what_its_reader_needs_and_nothing_that_opens_it_alone(desk: Desk) -> None:
    answer, letter = desk.issue(by="post")
    page = letter.read_text()
    assert stat.S_IMODE(letter.stat().st_mode) == 0o600
    assert (
        opens(desk, code_in(letter)) == answer["citizen_id"] == desk.installation.citizen_id("000190000001")
    )
    assert (answer["purpose"], answer["ground"], answer["standing"]) == ("enrolment", "post", "usable")
    for shown in ("Phạm Đức Hoà", ADDRESS, "<strong>001</strong>", "http://localhost:8000/activate", "<svg"):
        assert shown in page
    assert "000190000001" not in page
    assert not re.search(r"(src|href)=|@import|url\(|<script", page), "it needs no other file"
    code = code_in(letter)
    assert code not in str(desk.installation.everything())
    assert code not in str(answer)


def test_a_letter_that_is_handed_over_names_no_address_and_one_for_a_foreigner_is_english(desk: Desk) -> None:
    _, letter = desk.issue()
    assert ADDRESS not in letter.read_text()
    _, english = desk.issue(3, "--evidence", "passport:HS-9/2026")
    assert 'lang="en"' in english.read_text()
    _, wished = desk.issue(
        3, "--evidence", "residence_permit:HS-9/2026", "--language", "vi", by="assisted-desk"
    )
    assert 'lang="vi"' in wished.read_text()
    assert "nhìn đi chỗ khác" in wished.read_text()


def test_two_whose_names_look_alike_are_found_by_number_and_told_apart_by_birth_date(desk: Desk) -> None:
    hoa, other = "Phạm Đức Hoà", "Phạm Đức Hòa"
    assert hoa != other
    for name in (hoa, other, "Hoà"):
        words = ("activations", "issue", name, "--by", "in-person", "--birthdate", BORN, *CARD)
        assert "nobody is found by a name" in desk.refused(*words, "--letter", desk.letter(), "--code", "1")
    words = ("activations", "issue", "000190000002", "--by", "in-person", "--birthdate", BORN, *CARD)
    assert "Names look alike" in desk.refused(*words, "--letter", desk.letter(), "--code", "1")
    answer, _ = desk.issue(2, birthdate="1990-01-03")
    assert (answer["name"], answer["name_in_letters"]) == (other, spelled(other))
    assert "H ò a" in answer["name_in_letters"]
    looks = desk.installation.events("citizen:looked_up")
    assert len(looks) == 9, "every look is written down, each command having run twice or once"


def test_a_dry_run_writes_nothing_but_that_it_looked(desk: Desk) -> None:
    before = desk.installation.rows("activations")
    letter = desk.letter()
    words = ("000190000001", "--by", "post", "--birthdate", BORN, "--letter", letter, "--dry-run")
    answer = desk.installation.answer("activations", "issue", *words)
    assert (answer["dry_run"], answer["purpose"]) == (True, "enrolment")
    assert not letter.exists()
    assert desk.installation.rows("activations") == before


def test_without_a_code_of_their_own_nobody_issues_anything(desk: Desk) -> None:
    letter = desk.letter()
    words = ("activations", "issue", "000190000001", "--by", "post", "--birthdate", BORN, "--letter", letter)
    assert "does not match" in desk.refused(*words, "--code", "000000")
    assert "cannot approve" in desk.refused("--operator", "nobody", *words, "--code", "000000")
    assert not letter.exists()
    assert desk.installation.rows("activations") == []


def test_where_the_letter_cannot_be_written_no_code_is_issued(desk: Desk) -> None:
    taken = desk.letter()
    taken.write_text("something else")
    link = desk.letter()
    link.symlink_to(desk.installation.folder / "elsewhere.html")
    for path in (taken, link, desk.installation.folder / "nowhere" / "letter.html"):
        words = ("000190000001", "--by", "post", "--birthdate", BORN, "--letter", path)
        said = desk.installation.run("activations", "issue", *words, "--code", desk.code(OPERATOR))
        assert (said.exit_code, "No code was issued" in said.stderr) == (1, True)
    assert taken.read_text() == "something else"
    assert desk.installation.rows("activations") == []


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (6, ("--by", "post"), "no address"),
        (1, ("--by", "in-person"), "Papers must have been seen"),
        (3, ("--by", "in-person", *CARD), "Foreigners show"),
        (9, ("--by", "post"), "Nobody in the register"),
    ],
)
def test_no_code_is_given_where_something_is_missing(
    desk: Desk, number: int, words: tuple[str, ...], said: str
) -> None:
    who = f"000190{number:06d}"
    more = ("--birthdate", BORN, "--letter", desk.letter(), "--code", "000000")
    assert said in desk.refused("activations", "issue", who, *words, *more)


@pytest.mark.parametrize("evidence", ["selfie:x1", "idcard", "idcard:000190000123", "passport:B1234567890"])
def test_r6_no_number_of_a_document_and_no_picture_is_taken(desk: Desk, evidence: str) -> None:
    words = ("000190000001", "--by", "in-person", "--birthdate", BORN, "--evidence", evidence)
    result = desk.installation.run("activations", "issue", *words, "--letter", desk.letter())
    assert result.exit_code == 2


def test_whoever_has_a_password_alone_gets_a_code_beside_it(desk: Desk) -> None:
    answer, letter = desk.issue(5)
    assert answer["purpose"] == "addition"
    assert "Nhập thêm mật khẩu" in letter.read_text()


def test_a_letter_is_printed_anew_with_another_code(desk: Desk) -> None:
    answer, letter = desk.issue()
    again = desk.letter()
    words = ("activations", "letter", answer["activation_id"], "--letter", again)
    desk.installation.answer(*words, "--code", desk.code(OPERATOR))
    assert opens(desk, code_in(letter)) is None
    assert opens(desk, code_in(again)) == answer["citizen_id"]
    assert len(desk.installation.events("activation:reprinted")) == 1
    assert [row["kind"] for row in desk.installation.rows("notices")] == ["activation_issued"] * 2


def test_codes_are_listed_and_withdrawn_and_the_person_is_told(desk: Desk) -> None:
    answer, letter = desk.issue()
    listed = desk.installation.answer("activations", "list")["activations"]
    assert [each["activation_id"] for each in listed] == [answer["activation_id"]]
    of_person = desk.installation.answer("activations", "list", "000190000001")["activations"]
    assert of_person == listed
    withdrawn = desk.installation.answer("activations", "withdraw", answer["activation_id"])
    assert (withdrawn["standing"], withdrawn["stopped_because"]) == ("stopped", "withdrawn")
    assert desk.installation.answer("activations", "list")["activations"] == []
    assert "nothing to withdraw" in desk.refused("activations", "withdraw", answer["activation_id"])
    assert "There is no activation" in desk.refused("activations", "withdraw", "x")
    kinds = {row["kind"] for row in desk.installation.rows("notices")}
    assert kinds == {"activation_issued", "recovery_stopped"}
    assert code_in(letter)


def proposed(desk: Desk, *more: object, by: str = "in-person", number: int = 5) -> dict[str, Any]:
    words = (f"000190{number:06d}", "--by", by, "--birthdate", BORN, *CARD, *more)
    answer: dict[str, Any] = desk.installation.answer(
        "recoveries", "propose", *words, "--code", desk.code(OPERATOR)
    )
    return answer


def test_whom_no_message_reaches_is_to_be_written_to(desk: Desk) -> None:
    """R19: what the holder cannot learn of, they cannot stop."""
    for number, by, said in (
        (4, "post", "the letter, sent by post, is how they learn of it."),
        (5, "in-person", "The person is told now."),
    ):
        recovery = proposed(desk, number=number, by=by)
        words = ("recoveries", "approve", recovery["activation_id"], "--letter", desk.letter())
        approval = ("--birthdate", BORN, "--code", desk.code("hoa"))
        assert said in desk.installation.run("--operator", "hoa", *words, *approval).stderr


def test_a_recovery_takes_two_persons_who_saw_the_papers_and_tells_the_holder(desk: Desk) -> None:
    recovery = proposed(desk)
    assert recovery["standing"] == "proposed"
    assert desk.installation.rows("notices") == [], "nothing has happened yet"
    letter = desk.letter()
    words = ("recoveries", "approve", recovery["activation_id"], "--letter", letter)
    hoa = ("--operator", "hoa")
    other = ("--birthdate", "1991-01-02", "--code", "000000")
    assert "Read the papers again" in desk.refused(*hoa, *words, *other)
    own = desk.installation.run(*words, "--birthdate", BORN, "--code", desk.code(OPERATOR))
    assert (own.exit_code, "a second person must" in own.stderr) == (1, True)
    assert not letter.exists()
    code = desk.code("hoa")
    approved = desk.installation.answer(*hoa, *words, "--birthdate", BORN, "--code", code)
    assert (approved["issued_by"], approved["approved_by"]) == (OPERATOR, "hoa")
    assert approved["standing"] == "waiting"
    waiting = datetime.fromisoformat(approved["usable_from"]) - datetime.now(UTC)
    assert timedelta(hours=71) < waiting <= timedelta(hours=72)
    assert "nút trong tin đó" in letter.read_text()
    assert [row["kind"] for row in desk.installation.rows("notices")] == ["recovery_opened"]
    listed = desk.installation.answer("recoveries", "list")["recoveries"]
    assert [each["activation_id"] for each in listed] == [recovery["activation_id"]]
    again = desk.installation.run(*hoa, *words, "--birthdate", BORN, "--code", "000000")
    assert again.exit_code == 1
    withdrawn = desk.installation.answer("recoveries", "withdraw", recovery["activation_id"])
    assert withdrawn["standing"] == "stopped"


def test_a_letter_of_a_recovery_is_printed_anew_by_one_of_the_two_and_the_holder_is_told(desk: Desk) -> None:
    recovery = proposed(desk)["activation_id"]
    words = ("recoveries", "approve", recovery, "--birthdate", BORN)
    answer = desk.installation.answer(
        "--operator", "hoa", *words, "--letter", desk.letter(), "--code", desk.code("hoa")
    )
    letter = desk.letter()
    words = ("activations", "letter", recovery, "--letter", letter)
    third = desk.installation.run("--operator", "lan", *words, "--code", "000000")
    assert (third.exit_code, "proposed or approved" in third.stderr) == (1, True)
    assert not letter.exists()
    desk.installation.answer(*words, "--code", desk.code(OPERATOR))
    assert opens(desk, code_in(letter)) == answer["citizen_id"]
    assert [row["kind"] for row in desk.installation.rows("notices")] == ["recovery_opened"] * 2


def test_whom_no_message_reaches_gets_the_code_by_post(desk: Desk) -> None:
    words = ("recoveries", "propose", "000190000004", "--by", "in-person", "--birthdate", BORN, *CARD)
    assert "No message reaches this person" in desk.refused(*words, "--code", "000000")
    assert proposed(desk, by="post", number=4)["ground"] == "post"


def test_what_never_was_is_not_recovered_and_what_is_there_is_not_enrolled(desk: Desk) -> None:
    words = ("--by", "in-person", "--birthdate", BORN, *CARD, "--code", "000000")
    assert "gives a first code" in desk.refused("recoveries", "propose", "000190000001", *words)

    async def add_totp(uow: UnitOfWork) -> None:
        found = await uow.citizens.find_by_number("000190000005")
        assert found is not None
        more = Secrets(found.citizen_id, None, pyotp.random_base32())
        uow.authenticators.put_many([more], datetime.now(UTC))
        await uow.commit()

    desk.installation.with_store(add_totp)
    letter = ("--letter", desk.letter())
    assert "takes two operators" in desk.refused("activations", "issue", "000190000005", *words, *letter)


def test_a_dry_run_of_a_proposal_stores_none(desk: Desk) -> None:
    words = ("000190000005", "--by", "in-person", "--birthdate", BORN, *CARD, "--dry-run")
    assert desk.installation.answer("recoveries", "propose", *words)["dry_run"] is True
    assert desk.installation.rows("activations") == []
    assert "no recovery" in desk.refused(
        "recoveries",
        "approve",
        desk.issue()[0]["activation_id"],
        "--birthdate",
        BORN,
        "--letter",
        desk.letter(),
    )


def test_a_recovery_of_a_real_person_waits_a_day_at_least(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_RECOVERY_WAITING_HOURS", "23")
    assert desk.installation.answer("recoveries", "list") == {"recoveries": []}
    monkeypatch.setenv("IDP_MODE", "production")
    assert "must be 24 at least in mode production" in desk.refused("recoveries", "list")
