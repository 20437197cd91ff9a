"""Assurance: two axes that are never mixed, and what really happened at sign-in."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.assurance import (
    ACR_VALUES,
    AMR_OF,
    Acr,
    AcrValue,
    AuthenticationContext,
    Method,
    PhishingResistance,
    Proofing,
    acr_claim,
    authentication_context,
    combined,
    lifting_methods,
    methods_to_reach,
    parse_acr,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ISSUER = "https://id.example"
LATER = NOW + timedelta(minutes=3)
EVERYTHING = frozenset(Method)


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
    "value", ["", "vn-0", "vn-5", "VN-2", "vn2", "phrx", "https://other.example/acr/vn-2", f"{ISSUER}/acr/"]
)
def test_an_acr_value_that_is_not_ours_is_nothing(value: str) -> None:
    assert parse_acr(value, ISSUER) is None


@pytest.mark.parametrize("value", PhishingResistance)
def test_eap_acr_values_are_read_short_and_as_uri_and_told_as_openid_names_them(
    value: PhishingResistance,
) -> None:
    assert parse_acr(value.value, ISSUER) is value
    assert parse_acr(f"{ISSUER}/acr/{value.value}", ISSUER) is value
    assert acr_claim(value, ISSUER) == value.value
    assert acr_claim(Acr.VN_2, ISSUER) == f"{ISSUER}/acr/vn-2"


@pytest.mark.parametrize(
    ("shown", "acr", "amr"),
    [
        pytest.param(["pwd"], Acr.VN_1, ("pwd",), id="password alone"),
        pytest.param(["otp"], Acr.VN_1, ("otp",), id="code alone"),
        pytest.param(["pwd", "pwd"], Acr.VN_1, ("pwd",), id="the same twice"),
        pytest.param(["pwd", "pin"], Acr.VN_1, ("pwd", "pin"), id="two of one kind are one"),
        pytest.param(["otp", "swk"], Acr.VN_1, ("otp", "swk"), id="two things held are one kind"),
        pytest.param(["otp", "pwd"], Acr.VN_2, ("pwd", "otp", "mfa"), id="password and code"),
        pytest.param(["pin", "swk"], Acr.VN_2, ("pin", "swk", "mfa"), id="a phone and its PIN"),
        pytest.param(["swk", "user", "phr"], Acr.VN_2, ("swk", "user", "mfa", "phr"), id="passkey"),
        pytest.param(["swk", "phr"], Acr.VN_1, ("swk", "phr"), id="a key without its holder"),
        pytest.param(
            ["pwd", "swk", "user", "phr"], Acr.VN_2, ("pwd", "swk", "user", "mfa", "phr"), id="no third kind"
        ),
        pytest.param(
            ["hwk", "user", "fpt", "phr", "phrh"],
            Acr.VN_3,
            ("hwk", "user", "fpt", "mfa", "phr", "phrh"),
            id="a fingerprint on the key",
        ),
        pytest.param(
            ["pwd", "hwk", "user", "fpt", "phr"],
            Acr.VN_4,
            ("pwd", "hwk", "user", "fpt", "mfa", "phr"),
            id="all three kinds",
        ),
        pytest.param(["otp", "face"], Acr.VN_3, ("otp", "face", "mfa"), id="held and biometric"),
        pytest.param(["face"], Acr.VN_1, ("face",), id="a biometric alone is one factor"),
    ],
)
def test_rfc8176_acr_and_amr_say_what_happened(shown: list[str], acr: Acr, amr: tuple[str, ...]) -> None:
    assert authentication_context(shown, NOW) == AuthenticationContext(acr, amr, NOW)


@pytest.mark.parametrize(
    ("shown", "problem"),
    [
        pytest.param([], "at least one method", id="nothing"),
        pytest.param(["mfa"], "at least one method", id="the word for several, and none of them"),
        pytest.param(["pwd", "vouched"], "is not known", id="a word of nobody's"),
    ],
)
def test_what_is_no_authentication(shown: list[str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        authentication_context(shown, NOW)


@pytest.mark.parametrize(
    ("have", "wish", "enrolled", "ways"),
    [
        pytest.param(
            ("pwd",),
            Acr.VN_2,
            EVERYTHING,
            tuple(method for method in Method if method is not Method.PASSWORD),
            id="the best first",
        ),
        pytest.param(("otp",), Acr.VN_2, {Method.PASSWORD}, (Method.PASSWORD,), id="step up by password"),
        pytest.param(("pwd",), Acr.VN_2, {Method.PASSWORD}, (), id="no second one enrolled"),
        pytest.param(("pwd",), Acr.VN_2, set(), (), id="nothing enrolled"),
        pytest.param(
            ("pwd",), Acr.VN_3, EVERYTHING, (Method.BIOMETRIC_PASSKEY,), id="only a known biometric"
        ),
        pytest.param(
            ("pwd", "otp"), Acr.VN_3, set(Method) - {Method.BIOMETRIC_PASSKEY}, (), id="no biometric is known"
        ),
        pytest.param(("swk", "user"), Acr.VN_4, EVERYTHING, (), id="a PIN that is not known is no knowledge"),
        pytest.param(
            ("pwd", "otp"),
            PhishingResistance.PHR,
            EVERYTHING,
            (Method.PASSKEY, Method.HARDWARE_PASSKEY, Method.BIOMETRIC_PASSKEY),
            id="what nobody can pass on",
        ),
        pytest.param(
            ("swk", "user", "phr"),
            PhishingResistance.PHRH,
            EVERYTHING,
            (Method.HARDWARE_PASSKEY,),
            id="what nobody can copy",
        ),
        pytest.param(("pwd",), PhishingResistance.PHRH, {Method.PASSKEY}, (), id="a passkey may be a copy"),
    ],
)
def test_ways_to_what_is_wished_for(
    have: tuple[str, ...], wish: AcrValue, enrolled: set[Method], ways: tuple[Method, ...]
) -> None:
    assert methods_to_reach(authentication_context(have, NOW), wish, enrolled) == ways


@given(
    st.sets(st.sampled_from(Method), min_size=1),
    st.sampled_from(ACR_VALUES),
    st.sets(st.sampled_from(Method)),
)
def test_each_way_really_leads_to_what_is_wished_for(
    used: set[Method], wish: AcrValue, enrolled: set[Method]
) -> None:
    have = authentication_context({name for method in used for name in AMR_OF[method]}, NOW)
    for way in methods_to_reach(have, wish, enrolled):
        assert way in enrolled
        assert combined(have, AMR_OF[way], LATER).satisfies(wish)


@given(st.sampled_from(Method), st.sampled_from(Method))
def test_nothing_is_lost_by_showing_more(first: Method, second: Method) -> None:
    before = authentication_context(AMR_OF[first], NOW)
    after = combined(before, AMR_OF[second], LATER)
    assert after.acr.satisfies(before.acr)
    assert all(after.satisfies(each) for each in PhishingResistance if before.satisfies(each))


def test_rfc9470_what_is_complete_alone_is_fresh_and_what_needs_the_older_is_as_old() -> None:
    password = authentication_context(["pwd"], NOW)
    assert combined(password, AMR_OF[Method.PASSKEY], LATER) == authentication_context(
        AMR_OF[Method.PASSKEY], LATER
    )
    assert combined(password, ["otp"], LATER) == authentication_context(["pwd", "otp"], NOW)
    passkey = authentication_context(AMR_OF[Method.PASSKEY], NOW)
    with_phone = combined(passkey, AMR_OF[Method.APP], LATER)
    assert with_phone.auth_time == NOW
    assert with_phone.satisfies(PhishingResistance.PHR)


def test_two_factors_are_enough_for_pages_of_ones_own() -> None:
    assert lifting_methods(authentication_context(["pwd"], NOW), EVERYTHING)[0] is Method.PASSKEY
    assert lifting_methods(authentication_context(["pwd", "otp"], NOW), EVERYTHING) == ()
    assert lifting_methods(authentication_context(["pwd"], NOW), [Method.PASSWORD]) == ()
