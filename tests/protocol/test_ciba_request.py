"""Backchannel authentication requests as values. CIBA Core 1.0 §7.1, FAPI: CIBA §5.2.2; classes 4, 11."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.ciba_request import (
    CIBA_ALGORITHMS,
    CIBARequest,
    SignedRequest,
    UnknownCIBAKeyError,
    check_ciba_client,
    check_is_signed_where_required,
    read_ciba_request,
    verify_signed_request,
)
from idp.protocol.errors import (
    InvalidBindingMessageError,
    InvalidClientError,
    InvalidRequestError,
    OAuthError,
    UnauthorizedClientError,
)
from idp.protocol.jose import parse_jwk_set
from idp.protocol.login_hint import (
    Hint,
    HintKind,
    UnknownHintKeyError,
    read_hint,
    verify_login_hint_token,
)
from idp.protocol.parameters import Parameters
from idp.protocol.profiles import CIBA_GRANT, Profile
from idp.protocol.stored_request import dump_request
from tests.support.protocol_builders import ISSUER, JWKS, NOW, POLICY, make_client, sign, sign_raw

KEYS = parse_jwk_set(JWKS)
PRESENT = int(NOW.timestamp())
ASKING: dict[str, Any] = {
    "profile": Profile.CIBA,
    "grant_types": frozenset({CIBA_GRANT}),
    "backchannel_token_delivery_mode": "poll",
}


def claims(**changes: Any) -> dict[str, Any]:
    members = {
        "iss": "network",
        "aud": ISSUER,
        "iat": PRESENT,
        "nbf": PRESENT,
        "exp": PRESENT + 300,
        "jti": "once",
        "scope": "openid",
        "login_hint": "subject",
    }
    return {name: value for name, value in (members | changes).items() if value is not None}


def verified(token: str, **registered: Any) -> SignedRequest:
    return verify_signed_request(token, make_client(**ASKING | registered), KEYS, issuer=ISSUER, now=NOW)


def read(**sent: str) -> CIBARequest:
    return read_ciba_request(Parameters({"scope": "openid"} | sent), make_client(**ASKING), POLICY)


def test_what_is_signed_is_returned_with_what_may_not_be_seen_again() -> None:
    signed = verified(sign(claims(requested_expiry=60, claims={"userinfo": {}}, unheard_of=[1])))
    assert (signed.jti, signed.expires_at.timestamp()) == ("once", PRESENT + 300)
    assert signed.parameters.is_signed
    assert dict(signed.parameters) == {
        "scope": "openid",
        "login_hint": "subject",
        "requested_expiry": "60",
        "claims": '{"userinfo":{}}',
    }


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA", "RS256"])
def test_the_algorithms_of_the_profile_alone_count(algorithm: str) -> None:
    """CIBA-05; a registered one leaves one (CIBA Core §4)."""
    token = sign(claims(), algorithm)
    if algorithm not in CIBA_ALGORITHMS:
        with pytest.raises(InvalidRequestError):
            verified(token, profile=Profile.OIDC)
        return
    assert verified(token).jti == "once"
    other = min(CIBA_ALGORITHMS - {algorithm})
    with pytest.raises(InvalidRequestError):
        verified(token, backchannel_authentication_request_signing_alg=other)


@pytest.mark.parametrize(
    "headers", [{"typ": "at+jwt"}, {"typ": "client-authentication+jwt"}, {"typ": "dpop+jwt"}], ids=str
)
def test_a_token_of_another_purpose_is_no_request(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidRequestError):
        verified(sign(claims(), headers=headers))
    with pytest.raises(InvalidRequestError):
        verified(sign(claims(sub="network")))


def test_an_unknown_kid_is_worth_another_look_at_the_clients_keys() -> None:
    with pytest.raises(UnknownCIBAKeyError):
        verified(sign(claims(), headers={"kid": "new"}))
    with pytest.raises(UnknownHintKeyError):
        hint(sign(claims(sub="s"), headers={"kid": "new"}))


def test_what_another_wrote_and_signed_means_that_the_sender_is_another() -> None:
    """CIBA-09 beside CIBA-04: a wrong `iss` under the client's own signature is only a wrong request."""
    foreign = f"{sign(claims(iss='another'))[:-8]}AAAAAAAA"
    with pytest.raises(InvalidClientError):
        verified(foreign)
    with pytest.raises(InvalidRequestError):
        verified(sign(claims(iss="another")))


@pytest.mark.parametrize(
    "changes",
    [
        {"login_hint": "a\0b"},
        {"scope": ["openid"]},
        {"binding_message": {"a": 1}},
        {"requested_expiry": 1.5},
        {"requested_expiry": [1]},
        {"exp": PRESENT + 3601},
        {"iat": PRESENT + 60},
        {"nbf": PRESENT - 3601},
        {"jti": ""},
    ],
    ids=str,
)
def test_members_of_the_wrong_kind_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        verified(sign(claims(**changes)))


@given(
    st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
)
def test_no_members_are_trouble(members: dict[str, Any]) -> None:
    """Whatever a client signs is read or refused, and what is read can be kept."""
    try:
        signed = verified(sign_raw(b'{"alg":"ES256","kid":"ec"}', json.dumps(claims() | members).encode()))
        asked = read_ciba_request(signed.parameters, make_client(**ASKING), POLICY)
    except OAuthError:
        return
    dump_request(asked.asked)


@pytest.mark.parametrize("name", ["binding_message", "login_hint", "acr_values", "claims", "scope"])
def test_no_half_of_a_character_is_trouble(name: str) -> None:
    """A lone surrogate is no text that could be stored or shown."""
    payload = json.dumps(claims() | {name: "openid \ud800"}).encode()
    token = sign_raw(b'{"alg":"ES256","kid":"ec"}', payload)
    with pytest.raises(OAuthError):
        read_ciba_request(verified(token).parameters, make_client(**ASKING), POLICY)


def test_a_client_that_is_not_registered_for_it_may_not_ask() -> None:
    for registered in ({"grant_types": frozenset()}, {"backchannel_token_delivery_mode": None}):
        with pytest.raises(UnauthorizedClientError):
            check_ciba_client(make_client(**ASKING | registered))
    check_ciba_client(make_client(**ASKING))


def test_who_has_to_sign_does_and_says_nothing_beside_it() -> None:
    signer, plain = make_client(**ASKING), make_client(**ASKING | {"profile": Profile.OIDC})
    check_is_signed_where_required(Parameters({"scope": "openid"}), plain)
    check_is_signed_where_required(Parameters({"request": "x", "client_assertion": "y"}), signer)
    for client, parameters in (
        (signer, Parameters({"scope": "openid"})),
        (make_client(require_signed_request_object=True), Parameters({})),
        (plain, Parameters({"request": "x", "scope": "openid"})),
        (plain, Parameters({"request": "x"}, frozenset({"login_hint"}))),
    ):
        with pytest.raises(InvalidRequestError):
            check_is_signed_where_required(parameters, client)


@pytest.mark.parametrize("message", ["1234", "Đơn hàng 5: 120.000 ₫ (+8 %)", "ὕβρις", "x" * 100])
def test_plain_messages_are_shown_as_they_are(message: str) -> None:
    assert read(binding_message=message).binding_message == message


@pytest.mark.parametrize(
    "message", ["x" * 101, " ", "\u200b", "a\tb", "\u202eabc", "\U0001f44d", "http://x.example", "\ufff9"]
)
def test_messages_that_hide_or_lead_away_are_refused(message: str) -> None:
    """CIBA-11; abuse cases P1, P11."""
    with pytest.raises(InvalidBindingMessageError):
        read(binding_message=message)


def hint(token: str) -> Hint:
    return verify_login_hint_token(token, make_client(**ASKING), KEYS, issuer=ISSUER, now=NOW)


def test_a_hint_names_a_subject_or_an_account_never_both() -> None:
    client = make_client(**ASKING)

    def named(**sent: str) -> Hint | str:
        return read_hint(Parameters(sent), client, POLICY, ())

    assert named(login_hint="subject") == Hint(HintKind.SUBJECT, "subject")
    assert named(login_hint="account:4711") == Hint(HintKind.ACCOUNT, "4711")
    assert named(login_hint_token="a.b.c") == "a.b.c"
    for sent in ({}, {"login_hint": "a", "login_hint_token": "b"}, {"id_token_hint": "a.b.c"}):
        with pytest.raises(InvalidRequestError):
            named(**sent)


@pytest.mark.parametrize(
    "about",
    [
        {"sub": "s"},
        {"sub_id": {"format": "opaque", "id": "s"}},
        {"sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": "s"}, "sub": "another"},
    ],
    ids=str,
)
def test_a_token_of_the_client_names_a_subject(about: dict[str, Any]) -> None:
    """RFC 9493 §3.2."""
    assert hint(sign(claims(**about))) == Hint(HintKind.SUBJECT, "s")


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"sub": ""},
        {"sub": 5},
        {"sub": "s\0"},
        {"sub": "x" * 256},
        {"sub_id": "s", "sub": "s"},
        {"sub_id": {"format": "opaque"}},
        {"sub_id": {"format": "iss_sub", "iss": "https://other.example", "sub": "s"}},
        {"sub_id": {"format": "email", "email": "lan@example.com"}},
    ],
    ids=str,
)
def test_a_token_that_names_nobody_of_ours_is_an_unknown_person(about: dict[str, Any]) -> None:
    with pytest.raises(OAuthError) as refused:
        hint(sign(claims(**about)))
    assert refused.value.error == "unknown_user_id"
