"""What people type to say who they are. Numbers that are not of the demo are put together from parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.identifiers import Identifier, IdentifierKind, normalise_identifier

PHONE = "+84" + "000123456"


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("000099000001", id="as it is"),
        pytest.param(" 000 099 000001\t", id="spaces"),
        pytest.param("000.099.000001", id="full stops"),
        pytest.param("000-099-000001", id="hyphens"),
        pytest.param("000\u00a0099\u202f000001", id="typographic spaces"),
        pytest.param("".join(chr(ord(digit) + 0xFEE0) for digit in "000099000001"), id="full-width"),
    ],
)
def test_a_personal_number_however_it_is_typed(typed: str) -> None:
    assert normalise_identifier(typed) == Identifier(IdentifierKind.PERSONAL_NUMBER, "000099000001")


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(PHONE, id="E.164"),
        pytest.param("+84 000 123 456", id="E.164 with spaces"),
        pytest.param("84000123456", id="without plus"),
        pytest.param("0084000123456", id="international prefix"),
        pytest.param("0000123456", id="national"),
        pytest.param("000.012.3456", id="national with full stops"),
        pytest.param("+84 (0) 000 123 456", id="needless zero in brackets"),
        pytest.param("0084" + "0000123456", id="needless zero after the prefix"),
    ],
)
def test_a_vietnamese_phone_number_however_it_is_typed(typed: str) -> None:
    assert normalise_identifier(typed) == Identifier(IdentifierKind.PHONE_NUMBER, PHONE)


@pytest.mark.parametrize("typed", ["+1 202 555 0123", "001-202-555-0123"])
def test_a_foreign_phone_number(typed: str) -> None:
    assert normalise_identifier(typed) == Identifier(IdentifierKind.PHONE_NUMBER, "+12025550123")


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("", id="empty"),
        pytest.param("lan@mail.example", id="e-mail"),
        pytest.param("00009900001", id="eleven digits"),
        pytest.param("0000990000012", id="thirteen digits"),
        pytest.param("+84" + "00012345", id="eight digits"),
        pytest.param("+84" + "1000123456", id="ten digits that begin with no zero"),
        pytest.param("\N{ARABIC-INDIC DIGIT ZERO}" * 12, id="digits of another script"),
        pytest.param("000099000001; --", id="more than a number"),
        pytest.param(" " * 65 + "000099000001", id="too long"),
        pytest.param("++84000123456", id="two plus signs"),
        pytest.param("\ud800", id="lone surrogate"),
    ],
)
def test_anything_else_is_nobodys(typed: str) -> None:
    assert normalise_identifier(typed) is None


@given(st.text())
def test_what_is_found_is_in_its_one_form(typed: str) -> None:
    found = normalise_identifier(typed)
    if found is not None:
        assert normalise_identifier(found.value) == found


def test_an_identifier_does_not_stand_in_logs() -> None:
    assert "000099000001" not in repr(normalise_identifier("000099000001"))
