"""Request objects. RFC 9101; OpenID Connect Core §6.1; FAPI 2.0 Message Signing §5.3.1; abuse class 4."""

import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey

from idp.protocol.errors import InvalidRequestObjectError, RequestNotSupportedError
from idp.protocol.jose import parse_jwk_set
from idp.protocol.parameters import Parameters
from idp.protocol.profiles import Profile, rules_of
from idp.protocol.request_object import UnknownRequestKeyError, verify_request_object
from tests.support.protocol_builders import (
    ES256,
    ISSUER,
    JWKS,
    NOW,
    OTHER,
    base64url,
    make_client,
    sign,
    sign_raw,
)
from tests.support.request_objects import object_claims, request_object

KEYS = parse_jwk_set(JWKS)
OIDC, SIGNED = rules_of(Profile.OIDC), rules_of(Profile.FAPI2_MESSAGE_SIGNING)
REQUEST = {
    "client_id": "network",
    "redirect_uri": "https://network.example/callback",
    "response_type": "code",
    "scope": "openid",
    "state": "s",
}
MINUTE = 60
PRESENT = int(NOW.timestamp())


def read(token: str, rules: Any = SIGNED, **registered: Any) -> Parameters:
    return verify_request_object(token, make_client(**registered), KEYS, rules=rules, issuer=ISSUER, now=NOW)


def made(**changes: Any) -> str:
    return request_object(REQUEST, ISSUER, NOW, **changes)


def test_what_stands_inside_are_the_parameters() -> None:
    """RFC 9101 §6.3: and nothing of what the object says of itself."""
    assert dict(read(made())) == REQUEST


@pytest.mark.parametrize(
    "headers",
    [{"typ": "oauth-authz-req+jwt"}, {"typ": "JWT"}, {"typ": "application/oauth-authz-req+jwt"}],
    ids=lambda headers: headers["typ"],
)
def test_par_16_its_type_may_be_either(headers: dict[str, str]) -> None:
    assert dict(read(made(headers=headers))) == REQUEST


def test_its_type_may_be_absent() -> None:
    assert dict(read(sign_raw(b'{"alg":"ES256","kid":"ec"}', _payload()))) == REQUEST


def _payload(**changes: Any) -> bytes:
    return json.dumps(object_claims(REQUEST, ISSUER, NOW, **changes)).encode()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"aud": ["https://other.example", ISSUER]}, id="PAR-16 issuer in an array"),
        pytest.param({"nbf": PRESENT + 8}, id="PAR-16 nbf 8 s ahead"),
        pytest.param({"nbf": PRESENT - 59 * MINUTE, "exp": PRESENT + MINUTE}, id="59 minutes old"),
        pytest.param({"jti": None}, id="no jti"),
        pytest.param({"iat": None}, id="no iat"),
        pytest.param({"sub": "somebody"}, id="a sub that is not the client"),
    ],
)
def test_accepted_under_fapi(changes: dict[str, Any]) -> None:
    assert dict(read(made(**changes))) == REQUEST


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"exp": None}, id="PAR-13 no exp"),
        pytest.param({"nbf": None}, id="PAR-13 no nbf"),
        pytest.param({"aud": None}, id="no aud"),
        pytest.param({"iss": None}, id="no iss"),
        pytest.param({"client_id": None}, id="RFC 9101 §5 no client_id"),
        pytest.param({"nbf": PRESENT - 61 * MINUTE, "exp": PRESENT - MINUTE + 61}, id="PAR-13 nbf too old"),
        pytest.param({"nbf": PRESENT, "exp": PRESENT + 61 * MINUTE}, id="PAR-13 exp beyond nbf + 60 min"),
        pytest.param({"algorithm": "RS256"}, id="PAR-13 RS256"),
    ],
)
def test_refused_under_fapi_alone(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestObjectError):
        read(made(**changes))
    assert dict(read(made(**changes), OIDC)) == REQUEST


@pytest.mark.parametrize("rules", [OIDC, SIGNED], ids=["oidc", "fapi2-ms"])
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"exp": PRESENT}, id="PAR-13 expired"),
        pytest.param({"nbf": PRESENT + 62}, id="nbf 62 s ahead"),
        pytest.param({"aud": "https://other.example"}, id="PAR-13 aud of another server"),
        pytest.param({"aud": f"{ISSUER}/par"}, id="aud an endpoint"),
        pytest.param({"aud": []}, id="aud empty"),
        pytest.param({"aud": {ISSUER: 1}}, id="aud an object"),
        pytest.param({"iss": "other"}, id="RFC 9101 §4 iss of another client"),
        pytest.param({"client_id": "other"}, id="RFC 9101 §5 client_id of another client"),
        pytest.param({"sub": "network"}, id="RFC 9101 §10.8 sub the client"),
        pytest.param({"request": "x"}, id="RFC 9101 §4 request inside"),
        pytest.param({"request_uri": "urn:x"}, id="PAR-15 request_uri inside"),
        pytest.param({"request_uri": ["urn:x"]}, id="request_uri inside, as an array"),
        pytest.param({"state": 7}, id="state a number"),
        pytest.param({"redirect_uri": ["https://network.example/callback"]}, id="redirect_uri an array"),
        pytest.param({"max_age": True}, id="max_age a boolean"),
        pytest.param({"max_age": 1.5}, id="max_age a fraction"),
        pytest.param({"claims": 1}, id="claims a number"),
        pytest.param({"resource": 1}, id="resource a number"),
        pytest.param({"login_hint": "a\0b"}, id="class 25 NUL"),
        pytest.param({"headers": {"typ": "at+jwt"}}, id="RFC 8725 §3.11 typ of an access token"),
        pytest.param(
            {"headers": {"typ": "client-authentication+jwt"}}, id="RFC 8725 §3.11 typ of a client assertion"
        ),
    ],
)
def test_refused(changes: dict[str, Any], rules: Any) -> None:
    with pytest.raises(InvalidRequestObjectError):
        read(made(**changes), rules)


def test_an_issuer_that_is_no_string_is_refused() -> None:
    for issuer in (["network"], {"network": 1}, 1, None):
        payload = json.dumps(object_claims(REQUEST, ISSUER, NOW) | {"iss": issuer}).encode()
        with pytest.raises(InvalidRequestObjectError):
            read(sign_raw(b'{"alg":"ES256","kid":"ec"}', payload), OIDC)


@pytest.mark.parametrize("spelling", ["none", "None", "NONE", "nOnE"])
def test_unsigned_is_not_supported_and_under_fapi_invalid(spelling: str) -> None:
    """AUTHZ-24, PAR-13; OIDC Core §3.1.2.6."""
    header = base64url(json.dumps({"alg": spelling}).encode())
    for signature in ("", "AAAA"):
        token = f"{header}.{base64url(_payload())}.{signature}"
        with pytest.raises(RequestNotSupportedError):
            read(token, OIDC)
        with pytest.raises(InvalidRequestObjectError):
            read(token)


def test_cve_2026_9793_json_in_an_envelope_is_not_signed() -> None:
    for content in (_payload(), made().encode()):
        token = jwe.encrypt_compact(
            {"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT"}, content, ECKey.import_key(ES256.public_key())
        )
        for rules in (OIDC, SIGNED):
            with pytest.raises(InvalidRequestObjectError, match="must be signed"):
                read(token, rules)


def test_par_14_the_key_of_another_client() -> None:
    claims = object_claims(REQUEST, ISSUER, NOW)
    with pytest.raises(InvalidRequestObjectError, match="signature"):
        read(jwt.encode(claims, OTHER, "ES256", {"kid": "ec"}))


def test_an_unknown_kid_may_be_worth_fetching() -> None:
    with pytest.raises(UnknownRequestKeyError):
        read(made(headers={"kid": "rotated"}))


def test_the_registered_algorithm_is_the_only_one() -> None:
    assert dict(read(made(), request_object_signing_alg="ES256")) == REQUEST
    with pytest.raises(InvalidRequestObjectError):
        read(made(), request_object_signing_alg="PS256")


def test_a_registration_cannot_weaken_the_profile() -> None:
    with pytest.raises(InvalidRequestObjectError):
        read(made(algorithm="RS256"), request_object_signing_alg="RS256")


def test_members_become_the_text_of_parameters() -> None:
    """OIDC Core §6.1: "claims" and numbers are JSON here; RFC 9396 §3; RFC 8707 §2."""
    details = [{"type": "account_link", "account_id": "1"}]
    claims = {"id_token": {"acr": {"essential": True}}}
    read_back = read(
        made(
            max_age=0,
            claims=claims,
            authorization_details=details,
            resource=["https://a.example/"],
            nonce="",
            trust_chain=["unknown"],
            other="known to somebody",
        )
    )
    assert {name: value for name, value in read_back.items() if name not in REQUEST} == {
        "max_age": "0",
        "claims": json.dumps(claims, separators=(",", ":")),
        "authorization_details": json.dumps(details, separators=(",", ":")),
        "resource": "https://a.example/",
        "other": "known to somebody",
    }


def test_text_is_taken_as_text() -> None:
    assert read(made(max_age="60", claims="{}"))["max_age"] == "60"


def test_several_resources_are_told_apart_from_one() -> None:
    read_back = read(made(resource=["https://a.example/", "https://b.example/"]))
    assert read_back.repeated == {"resource"}
    assert "resource" not in read_back


def test_outside_fapi_the_object_may_be_bare() -> None:
    """OIDC Core §6.1: iss and aud SHOULD be there."""
    assert dict(read(sign({"scope": "openid"}), OIDC)) == {"client_id": "network", "scope": "openid"}


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*){2,4}", fullmatch=True))
def test_no_text_raises_anything_else(token: str) -> None:
    for rules in (OIDC, SIGNED):
        with pytest.raises((InvalidRequestObjectError, RequestNotSupportedError)):
            read(token, rules)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    ["iss", "aud", "exp", "nbf", "sub", "client_id", "state", "max_age", "claims", "resource", "request", "x"]
)


@given(st.dictionaries(MEMBERS, JSON))
def test_no_signed_content_raises_anything_else(changes: dict[str, Any]) -> None:
    payload = json.dumps(object_claims(REQUEST, ISSUER, NOW) | changes).encode()
    token = sign_raw(b'{"alg":"ES256","kid":"ec"}', payload)
    for rules in (OIDC, SIGNED):
        try:
            parameters = read(token, rules)
        except InvalidRequestObjectError:
            continue
        assert parameters["client_id"] == "network"
        assert all(isinstance(value, str) and value for value in parameters.values())
        assert not {"iss", "aud", "exp", "nbf", "request", "request_uri"} & parameters.keys()
