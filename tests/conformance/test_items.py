"""The checklist itself: nothing on it is silently missing, and no test claims what it does not say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checklist import CONFORMANCE, Claim, claims, item_of_name, items
from tests.support.columns import COLUMNS
from tests.support.conformance_matrix import Matrix

CLAIMS = tuple(claims())
GROUPS = [
    *("DISC", "JWKS", "AUTHZ", "PAR", "TOK", "IDT", "UI", "REG", "END"),
    *("SLO", "CIBA", "IDA", "FED", "SSF", "INTRO", "TLS"),
]


@pytest.mark.parametrize("item_id", items())
def test_an_item_is_tested_wherever_it_applies_or_left_out_with_a_reason(item_id: str) -> None:
    item = items()[item_id]
    tested = {column for claim in CLAIMS if claim.item_id == item_id for column in claim.columns}
    if item.reason is not None:
        assert item.reason.endswith(".")
        assert not tested
        assert not item.columns
    else:
        assert item.says.endswith(".")
        assert [column for column in item.columns if column not in tested] == []
        assert item.columns


@pytest.mark.parametrize("group", GROUPS)
def test_the_items_of_a_group_are_numbered_without_a_gap(group: str) -> None:
    numbers = [int(each.rpartition("-")[2]) for each in items() if each.startswith(f"{group}-")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_item_belongs_to_a_group_and_has_a_severity() -> None:
    assert {item_id.rpartition("-")[0] for item_id in items()} == set(GROUPS)
    assert {item.severity for item in items().values()} <= set("FWRSO")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.test)
def test_a_tests_name_carries_the_id_of_its_item(claim: Claim) -> None:
    assert item_of_name(claim.test) == claim.item_id


def named_tests() -> Iterator[tuple[Path, str]]:
    for path in sorted(CONFORMANCE.glob("test_*.py")):
        if path.name != Path(__file__).name:
            for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE):
                yield path, name


@pytest.mark.parametrize(
    ("path", "name"), list(named_tests()), ids=lambda value: getattr(value, "name", value)
)
def test_every_test_here_claims_an_item(path: Path, name: str) -> None:
    assert name in {claim.test for claim in CLAIMS}


def test_the_matrix_shows_every_item_in_every_column() -> None:
    matrix = Matrix()
    matrix.results = {("DISC-01", "oidc"): True, ("DISC-01", "logout"): False}
    printed, written = "\n".join(matrix.lines()), "\n".join(matrix.markdown())
    for item_id in items():
        assert item_id in printed
        assert f"| {item_id} |" in written
    assert re.search(r"^DISC-01 +ok +FAIL", printed, re.MULTILINE)
    assert all(column in printed for column in COLUMNS)
    assert "1 cells ok, 1 failed" in printed


def test_the_readme_gives_every_reason() -> None:
    text = (CONFORMANCE / "README.md").read_text()
    assert [
        item.item_id for item in items().values() if item.reason and f"| {item.reason} |" not in text
    ] == []
