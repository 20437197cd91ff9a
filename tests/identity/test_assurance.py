"""Assurance: two axes that are never mixed, and what really happened at sign-in."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.assurance import (
    Acr,
    AuthenticationContext,
    Method,
    Proofing,
    authentication_context,
    missing_method,
    parse_acr,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ISSUER = "https://id.example"
BOTH = frozenset(Method)
PASSWORD_ONLY = frozenset({Method.PASSWORD})


@pytest.mark.parametrize(
    ("have", "minimum", "is_enough"),
    [
        (Proofing.VN1, Proofing.VN1, True),
        (Proofing.VN1, Proofing.VN2, False),
        (Proofing.VN1, Proofing.VNF, False),
        (Proofing.VN2, Proofing.VN1, True),
        (Proofing.VN2, Proofing.VNF, True),
        (Proofing.VNF, Proofing.VN1, True),
        (Proofing.VNF, Proofing.VN2, True),
        (Proofing.VNF, Proofing.VNF, True),
    ],
)
def test_a_foreigners_proofing_is_as_strong_as_vn2(
    have: Proofing, minimum: Proofing, *, is_enough: bool
) -> None:
    assert have.satisfies(minimum) is is_enough


@given(st.sampled_from(Acr), st.sampled_from(Acr))
def test_authentication_levels_are_in_order(have: Acr, minimum: Acr) -> None:
    assert have.satisfies(minimum) == (have.value >= minimum.value)


@pytest.mark.parametrize("acr", Acr)
def test_acr_values_are_read_short_and_as_uri(acr: Acr) -> None:
    assert acr.uri(ISSUER) == f"https://id.example/acr/{acr.value}"
    assert parse_acr(acr.value, ISSUER) is acr
    assert parse_acr(acr.uri(ISSUER), ISSUER) is acr


@pytest.mark.parametrize(
    "value", ["", "vn-0", "vn-5", "VN-2", "vn2", "phr", "https://other.example/acr/vn-2", f"{ISSUER}/acr/"]
)
def test_an_acr_value_that_is_not_ours_is_nothing(value: str) -> None:
    assert parse_acr(value, ISSUER) is None


@pytest.mark.parametrize(
    ("methods", "acr", "amr"),
    [
        pytest.param([Method.PASSWORD], Acr.VN_1, ("pwd",), id="password alone"),
        pytest.param([Method.ONE_TIME_PASSWORD], Acr.VN_1, ("otp",), id="code alone"),
        pytest.param([Method.PASSWORD, Method.PASSWORD], Acr.VN_1, ("pwd",), id="the same twice"),
        pytest.param([Method.PASSWORD, Method.ONE_TIME_PASSWORD], Acr.VN_2, ("pwd", "otp", "mfa"), id="both"),
        pytest.param(
            [Method.ONE_TIME_PASSWORD, Method.PASSWORD], Acr.VN_2, ("pwd", "otp", "mfa"), id="order"
        ),
    ],
)
def test_rfc8176_acr_and_amr_say_what_happened(methods: list[Method], acr: Acr, amr: tuple[str, ...]) -> None:
    assert authentication_context(methods, NOW) == AuthenticationContext(acr, amr, NOW)


def test_nothing_is_no_authentication() -> None:
    with pytest.raises(ValueError, match="at least one method"):
        authentication_context([], NOW)


@pytest.mark.parametrize(
    ("have", "minimum", "enrolled", "missing"),
    [
        pytest.param((), Acr.VN_1, BOTH, Method.PASSWORD, id="password comes first"),
        pytest.param(("pwd",), Acr.VN_2, BOTH, Method.ONE_TIME_PASSWORD, id="step up by code"),
        pytest.param(("otp",), Acr.VN_2, BOTH, Method.PASSWORD, id="step up by password"),
        pytest.param(("pwd",), Acr.VN_2, PASSWORD_ONLY, None, id="no code enrolled"),
        pytest.param(("pwd",), Acr.VN_2, frozenset(), None, id="nothing enrolled"),
        pytest.param(("pwd",), Acr.VN_3, BOTH, None, id="no biometric exists"),
        pytest.param(("pwd", "otp", "mfa"), Acr.VN_3, BOTH, None, id="all was used"),
        pytest.param((), Acr.VN_2, BOTH, None, id="one method is not two"),
    ],
)
def test_missing_method(
    have: tuple[str, ...], minimum: Acr, enrolled: frozenset[Method], missing: Method | None
) -> None:
    assert missing_method(have, minimum, enrolled) is missing


@given(st.sets(st.sampled_from(Method), min_size=1), st.sampled_from(Acr), st.sets(st.sampled_from(Method)))
def test_the_missing_method_really_lifts_to_the_minimum(
    used: set[Method], minimum: Acr, enrolled: set[Method]
) -> None:
    have = authentication_context(used, NOW)
    missing = missing_method(have.amr, minimum, enrolled)
    if missing is not None:
        assert missing in enrolled - used
        assert authentication_context({*used, missing}, NOW).acr.satisfies(minimum)
