"""From claims to a person: only what the configuration names, and only in the form it must have."""

from datetime import UTC, datetime
from typing import Any

import pytest

from idp.upstreams.configuration import Mapped
from idp.upstreams.exchange import Fault, UpstreamError
from idp.upstreams.mapping import identity_of, moment_at, text_at, value_at

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
NUMBER = "000190000001"


def mapped(**changes: Any) -> Mapped:
    return Mapped.model_validate({"attributes": {"personal_number": "number"}, "always": ["pwd"], **changes})


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("flat", 1),
        ("https://id.example/claims/level", 2),
        ("/deep/er", 3),
        ("/a~1b/c~0d", 4),
        ("/deep/er/still", None),
        ("/nowhere", None),
        ("nowhere", None),
        ("/list/0", None),
    ],
)
def test_a_value_is_found_by_name_or_by_pointer(pointer: str, found: object) -> None:
    """RFC 6901 §4; a claim's name may itself be a URI."""
    claims = {
        "flat": 1,
        "https://id.example/claims/level": 2,
        "deep": {"er": 3},
        "a/b": {"c~d": 4},
        "list": [5],
    }
    assert value_at(claims, pointer) == found


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (2, "2"), (True, None), (2.5, None), ("", None), (["x"], None), ("x" * 1001, None)],
)
def test_text_is_text_or_a_whole_number(value: object, text: str | None) -> None:
    assert text_at({"claim": value}, "claim") == text
    assert text_at({"claim": value}, None) is None


@pytest.mark.parametrize("value", [-1, True, "now", None, float("inf"), 1e300])
def test_a_time_is_seconds_of_our_calendar(value: object) -> None:
    assert moment_at({"claim": value}, "claim") is None
    assert moment_at({"claim": NOW.timestamp()}, "claim") == NOW


@pytest.mark.parametrize(
    "claims",
    [
        {"number": NUMBER},
        {"sub": "", "number": NUMBER},
        {"sub": "x" * 256, "number": NUMBER},
        {"sub": "a\nb", "number": NUMBER},
        {"sub": "a"},
        {"sub": "a", "number": "00019000000"},
        {"sub": "a", "number": 190000001},
        {"sub": "a", "number": NUMBER + "\n"},
    ],
)
def test_without_subject_and_number_nobody_is_known(claims: dict[str, object]) -> None:
    with pytest.raises(UpstreamError) as refused:
        identity_of(claims, mapped(), NOW)
    assert refused.value.fault is Fault.INCOMPLETE
    assert refused.value.reason in {"subject", "personal_number"}


def test_what_is_shown_there_is_the_union_of_what_the_tables_say() -> None:
    tables = mapped(
        level={"claim": "acr", "values": {"high": ["otp"]}},
        methods={"claim": "amr", "values": {"fp": ["fpt"], "key": ["hwk", "phr"]}},
    )
    claims = {"sub": "a", "number": NUMBER, "acr": "high", "amr": ["fp", "other", 7, "key"]}
    assert identity_of(claims, tables, NOW).amr == ("fpt", "hwk", "otp", "phr", "pwd")


@pytest.mark.parametrize("amr", [None, "key", [], {"a": 1}, [["fp"]]])
def test_methods_that_are_not_in_the_table_prove_nothing(amr: object) -> None:
    tables = Mapped.model_validate(
        {
            "attributes": {"personal_number": "number"},
            "methods": {"claim": "amr", "values": {"fp": ["fpt"]}},
        }
    )
    with pytest.raises(UpstreamError) as refused:
        identity_of({"sub": "a", "number": NUMBER, "amr": amr}, tables, NOW)
    assert refused.value.fault is Fault.LEVEL_UNKNOWN


def test_a_day_that_comes_first_is_put_last() -> None:
    attributes = {"personal_number": "number", "birthdate": "born"}
    tables = mapped(attributes=attributes, birthdate_format="dd/mm/yyyy")
    for told, read in (("02/01/1990", "1990-01-02"), ("1990", "1990"), ("2/1/90", "2/1/90")):
        line = identity_of({"sub": "a", "number": NUMBER, "born": told}, tables, NOW).line
        assert line["birthdate"] == read


def test_who_it_is_does_not_stand_in_its_repr() -> None:
    identity = identity_of({"sub": "account-7", "number": NUMBER}, mapped(), NOW)
    assert NUMBER not in repr(identity)
    assert "account-7" not in repr(identity)
