"""The user code and the device's request. RFC 8628 §3.1, §6.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.device_request import (
    USER_CODE_ALPHABET,
    USER_CODE_LENGTH,
    read_device_request,
    read_user_code,
    shown_user_code,
)
from idp.protocol.errors import InvalidRequestError, UnauthorizedClientError
from idp.protocol.parameters import Parameters
from idp.protocol.profiles import DEVICE_GRANT
from tests.support.protocol_builders import POLICY, make_client

CLIENT = make_client(grant_types=frozenset({DEVICE_GRANT}))
CODES = st.text(USER_CODE_ALPHABET, min_size=USER_CODE_LENGTH, max_size=USER_CODE_LENGTH)


def test_the_alphabet_holds_nothing_that_looks_alike_or_makes_words() -> None:
    assert not set(USER_CODE_ALPHABET) & set("AEIOUY0123456789")
    assert len(set(USER_CODE_ALPHABET)) == len(USER_CODE_ALPHABET) == 20


@given(CODES)
def test_a_code_is_read_back_however_it_is_spelt(code: str) -> None:
    shown = shown_user_code(code)
    assert len(shown) == 9
    for typed in (shown, code, shown.lower(), shown.replace("-", " "), f"  {'.'.join(code)} "):
        assert read_user_code(typed) == code


@pytest.mark.parametrize(
    "typed", ["", "BCDFGHJ", "BCDFGHJKL", "BCDF-GHJA", "BCDF-GHJ1", "\u0412CDF-GHJK", "B" * 65, "BCDF\0GHJ"]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read_user_code(typed) is None


@given(st.text())
def test_no_text_is_trouble(typed: str) -> None:
    code = read_user_code(typed)
    assert code is None or set(code) <= set(USER_CODE_ALPHABET)


def test_without_a_scope_a_device_asks_who_the_person_is() -> None:
    assert read_device_request(Parameters({}), CLIENT, POLICY).scope == frozenset({"openid"})


def test_who_is_not_registered_for_it_or_repeats_itself_is_refused() -> None:
    with pytest.raises(UnauthorizedClientError):
        read_device_request(Parameters({}), make_client(), POLICY)
    with pytest.raises(InvalidRequestError):
        read_device_request(Parameters({}, frozenset({"scope"})), CLIENT, POLICY)
