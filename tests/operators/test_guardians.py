"""Who speaks for whom: told by the register in any order, or entered by an operator who saw evidence. R10."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idp.identity.guardians import turns_16_at
from idp.store.encoding import micros
from tests.operators.conftest import Installation, register_line, write_register

CHILD_BORN = f"{datetime.now(UTC).year - 9}-03-04"
MOTHER = register_line(1, name="Trần Thị Mai", birthdate="1985-01-02")
CHILD = register_line(2, name="Trần Bảo An", birthdate=CHILD_BORN, phone_number=None)
MOTHER_OF = MOTHER | {"guardian_of": [CHILD["personal_number"]]}
NUMBERS = (MOTHER["personal_number"], CHILD["personal_number"])


def imported(installation: Installation, *lines: dict[str, Any], status: int = 0, **options: Any) -> Any:
    file = write_register(installation.folder / "people.jsonl", *lines)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return installation.answer("citizens", "import", file, *flags, status=status)


def told(document: Any) -> tuple[int, int, int]:
    return (document["guardians_entered"], document["guardians_ended"], document["children_unknown"])


@pytest.mark.parametrize("batch", [1, 2, 500])
@pytest.mark.parametrize("is_child_first", [True, False])
def test_the_order_of_lines_does_not_matter(
    installation: Installation, *, is_child_first: bool, batch: int
) -> None:
    lines = [CHILD, MOTHER_OF] if is_child_first else [MOTHER_OF, CHILD]
    assert told(imported(installation, *lines, batch=batch)) == (1, 0, 0)
    (row,) = installation.rows("guardianships")
    people = tuple(installation.citizen_id(number) for number in NUMBERS)
    assert (row["guardian_id"], row["child_id"], row["source"]) == (*people, "register")
    assert row["child_turns_16_at"] == micros(turns_16_at(CHILD_BORN))
    events = installation.events("guardianship:entered")
    assert {event["citizen_id"] for event in events} == set(people)
    assert {event["details"]["because"] for event in events} == {"register"}


def test_a_second_run_changes_nothing(small_installation: Installation) -> None:
    imported(small_installation, MOTHER_OF, CHILD)
    before = small_installation.everything()
    assert told(imported(small_installation, MOTHER_OF, CHILD)) == (0, 0, 0)
    assert small_installation.everything() == before


def test_what_the_register_no_longer_says_ends_and_may_begin_again(small_installation: Installation) -> None:
    imported(small_installation, MOTHER_OF, CHILD)
    assert told(imported(small_installation, MOTHER, CHILD)) == (0, 1, 0)
    (row,) = small_installation.rows("guardianships")
    assert row["ended_at"] is not None
    assert len(small_installation.events("guardianship:ended")) == 2
    assert told(imported(small_installation, MOTHER_OF, CHILD)) == (1, 0, 0)
    assert told(imported(small_installation, CHILD)) == (0, 0, 0), "who is not in the file is not spoken of"


def test_whoever_is_16_has_no_guardian(small_installation: Installation) -> None:
    grown = CHILD | {"birthdate": f"{datetime.now(UTC).year - 20}"}
    assert told(imported(small_installation, MOTHER_OF, grown)) == (0, 0, 0)
    assert small_installation.rows("guardianships") == []
    imported(small_installation, MOTHER_OF, CHILD)
    assert told(imported(small_installation, grown, MOTHER_OF)) == (0, 1, 0)


def test_a_corrected_birth_date_moves_the_end(small_installation: Installation) -> None:
    imported(small_installation, MOTHER_OF, CHILD)
    other = f"{int(CHILD_BORN[:4]) + 1}-12-31"
    imported(small_installation, MOTHER_OF, CHILD | {"birthdate": other})
    (row,) = small_installation.rows("guardianships")
    assert row["child_turns_16_at"] == micros(turns_16_at(other))


def test_children_whom_nobody_knows_are_counted_and_refuse_nothing(small_installation: Installation) -> None:
    assert told(imported(small_installation, MOTHER_OF)) == (0, 0, 1)
    file = small_installation.folder / "people.jsonl"
    said = small_installation.run("citizens", "import", file).output
    assert "1 children of guardians unknown" in said
    assert CHILD["personal_number"] not in said


@pytest.mark.parametrize(
    "guardian_of",
    [
        pytest.param("000190000002", id="no array"),
        pytest.param([2], id="no text"),
        pytest.param(["0001900000"], id="no number"),
        pytest.param([MOTHER["personal_number"]], id="P10: oneself"),
        pytest.param([CHILD["personal_number"]] * 2, id="twice"),
        pytest.param([f"000190{number:06d}" for number in range(300)], id="too many"),
    ],
)
def test_a_line_that_names_children_wrongly_is_rejected(
    small_installation: Installation, guardian_of: object
) -> None:
    document = imported(small_installation, MOTHER | {"guardian_of": guardian_of}, CHILD, status=1)
    (line,) = document["rejected_lines"]
    (reason,) = line["reasons"]
    assert reason.startswith("guardian_of: ")
    assert "000190" not in reason
    assert told(document) == (0, 0, 0)


def test_a_dry_run_counts_relations_and_stores_nothing(small_installation: Installation) -> None:
    file = write_register(small_installation.folder / "people.jsonl", MOTHER_OF, CHILD)
    before = small_installation.everything()
    assert told(small_installation.answer("citizens", "import", file, "--dry-run")) == (1, 0, 0)
    assert small_installation.everything() == before


@pytest.fixture
def family(small_installation: Installation) -> Installation:
    imported(small_installation, MOTHER, CHILD)
    return small_installation


def test_an_operator_enters_lists_and_ends_with_evidence(family: Installation) -> None:
    words = (
        "citizens",
        "guardian",
        "add",
        *NUMBERS,
        "--evidence",
        "HS-7/2026",
        "--reason",
        "birth_certificate",
    )
    assert family.answer(*words, "--dry-run")["dry_run"] is True
    assert family.rows("guardianships") == []
    entered = family.answer(*words)
    assert (entered["source"], entered["evidence"]) == ("operator", "HS-7/2026")
    assert "known already" in family.refused(*words)
    assert {event["details"]["because"] for event in family.events("guardianship:entered")} == {
        "birth_certificate"
    }
    for person in (*NUMBERS, entered["guardian"], entered["child"]):
        (listed,) = family.answer("citizens", "guardian", "list", person)["guardianships"]
        assert listed["guardianship_id"] == entered["guardianship_id"]
    assert len(family.events("citizen:looked_up")) == 4, "every look is written down"
    ended = family.answer("citizens", "guardian", "end", entered["guardian"], entered["child"])
    assert ended["guardianship_id"] == entered["guardianship_id"]
    assert "Nothing is known" in family.refused("citizens", "guardian", "end", *NUMBERS)
    assert len(family.events("guardianship:ended")) == 2


def test_the_register_does_not_end_what_an_operator_entered(family: Installation) -> None:
    family.answer("citizens", "guardian", "add", *NUMBERS, "--evidence", "HS-7/2026")
    assert told(imported(family, MOTHER, CHILD)) == (0, 0, 0)
    assert told(imported(family, MOTHER_OF, CHILD)) == (0, 0, 0), "it is known already"
    (row,) = family.rows("guardianships")
    assert (row["source"], row["ended_at"]) == ("operator", None)


@pytest.mark.parametrize(
    ("guardian", "child", "why"),
    [
        pytest.param(NUMBERS[0], NUMBERS[0], "same person", id="oneself"),
        pytest.param(NUMBERS[1], NUMBERS[0], "16 or older", id="an adult"),
        pytest.param("000190000003", NUMBERS[1], "under 18", id="P10: a guardian under age"),
        pytest.param("000190000004", NUMBERS[1], "not active", id="a guardian who is locked"),
        pytest.param("000190009999", NUMBERS[1], "Nobody in the register", id="nobody"),
    ],
)
def test_p10_whom_no_operator_can_enter(family: Installation, guardian: str, child: str, why: str) -> None:
    young = register_line(3, birthdate=str(datetime.now(UTC).year - 17), phone_number=None)
    imported(family, MOTHER, CHILD, young, register_line(4, status="locked", phone_number=None))
    assert why in family.refused("citizens", "guardian", "add", guardian, child, "--evidence", "HS-7")


@pytest.mark.parametrize("evidence", ["", "x", "giấy khai sinh", "000190000002", "HS 7", "A" * 61])
def test_evidence_is_a_reference_and_no_number_of_a_person(family: Installation, evidence: str) -> None:
    result = family.run("citizens", "guardian", "add", *NUMBERS, "--evidence", evidence)
    assert result.exit_code == 2
    assert family.rows("guardianships") == []


def test_an_import_that_broke_off_is_taken_up_again(small_installation: Installation, tmp_path: Path) -> None:
    """Who was read before the break has their relations; the rest comes with the next run."""
    half = write_register(tmp_path / "half.jsonl", MOTHER_OF)
    small_installation.answer("citizens", "import", half)
    assert told(imported(small_installation, MOTHER_OF, CHILD)) == (1, 0, 0)
