"""Every reader of what strangers write: a value or its own refusal, for any input, and nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from idp.authenticators.throttling import source_of
from idp.identity.display_text import is_displayable
from idp.pages.rendering import LOCALES, choose_locale
from idp.pages.visit import own_visit
from idp.protocol.ciba_request import (
    CIBARequest,
    check_is_signed_where_required,
    read_ciba_request,
    verify_signed_request,
)
from idp.protocol.client_key_set import read_key_set
from idp.protocol.device_request import (
    USER_CODE_ALPHABET,
    read_device_request,
    read_user_code,
    shown_user_code,
)
from idp.protocol.embedded_key import embedded_key
from idp.protocol.errors import OAuthError, RefusedClientMetadataError
from idp.protocol.jose import JOSEError, parse_jwk_set
from idp.protocol.login_hint import ACCOUNT_PREFIX, HINTS, Hint, read_hint, verify_login_hint_token
from idp.protocol.logo import LogoError, read_logo
from idp.protocol.parameters import Parameters
from idp.protocol.profiles import CIBA_GRANT, DEVICE_GRANT
from idp.protocol.resources import check_resource
from idp.protocol.response_modes import RESPONSE_MODES, check_response_mode, error_response_mode
from idp.protocol.sector_identifier import read_sector_document
from idp.web.approvals import request_hash_of
from tests.support.protocol_builders import ES256 as OUR_KEY
from tests.support.protocol_builders import ISSUER, JWKS, NOW, POLICY, make_client, public_jwk, sign

CLIENT = make_client(
    grant_types=frozenset({CIBA_GRANT, DEVICE_GRANT}),
    backchannel_token_delivery_mode="poll",
    scope=frozenset({"openid", "email"}),
)
KEYS = parse_jwk_set(JWKS)

numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
"""What is longer becomes a floating-point number when it is read."""
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
texts = st.text(max_size=80) | st.sampled_from(("a.b.c", "e30.e30.e30", "[]", "{}", "openid", ACCOUNT_PREFIX))
NAMES = (
    *HINTS,
    "scope",
    "acr_values",
    "claims",
    "binding_message",
    "requested_expiry",
    "user_code",
    "resource",
)
forms = st.dictionaries(st.sampled_from((*NAMES, "request", "client_notification_token")), texts, max_size=6)


def read(reader: Callable[[], object], *refusals: type[Exception]) -> object:
    """Return what is read, or None for what is refused in the reader's own words."""
    try:
        return reader()
    except refusals:
        return None


@given(forms)
def test_a_backchannel_request(form: dict[str, str]) -> None:
    parameters = Parameters({"scope": "openid"} | form)
    read(lambda: check_is_signed_where_required(parameters, CLIENT), OAuthError)
    asked = read(lambda: read_ciba_request(parameters, CLIENT, POLICY), OAuthError)
    if isinstance(asked, CIBARequest):
        assert is_displayable(asked.binding_message or "x")
    hint = read(lambda: read_hint(parameters, CLIENT, POLICY, KEYS), OAuthError)
    assert hint is None or isinstance(hint, Hint | str)


@given(
    st.dictionaries(
        st.sampled_from((*NAMES, "exp", "iss", "aud", "nbf", "iat", "jti", "sub", "sub_id")), json_values
    )
)
def test_what_a_client_signed_about_a_person(changes: dict[str, Any]) -> None:
    now = int(NOW.timestamp())
    claims = {
        "iss": CLIENT.client_id,
        "aud": ISSUER,
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "jti": "j",
        "sub": "somebody",
    }
    try:
        token = sign(claims | changes)
    except TypeError:
        return  # PyJWT does not write it
    read(lambda: verify_signed_request(token, CLIENT, KEYS, issuer=ISSUER, now=NOW), OAuthError)
    read(lambda: verify_login_hint_token(token, CLIENT, KEYS, issuer=ISSUER, now=NOW), OAuthError)


@given(st.text(max_size=60))
def test_what_is_no_token_at_all(token: str) -> None:
    read(lambda: verify_signed_request(token, CLIENT, KEYS, issuer=ISSUER, now=NOW), OAuthError)
    read(lambda: verify_login_hint_token(token, CLIENT, KEYS, issuer=ISSUER, now=NOW), OAuthError)


@given(forms)
def test_a_device_request(form: dict[str, str]) -> None:
    try:
        asked = read_device_request(Parameters(form), CLIENT, POLICY)
    except OAuthError:
        return
    assert asked.scope <= CLIENT.scope


@given(st.text(max_size=80) | st.text(USER_CODE_ALPHABET + "- ", min_size=8, max_size=12))
def test_a_user_code(typed: str) -> None:
    code = read_user_code(typed)
    assert code is None or read_user_code(shown_user_code(code)) == read_user_code(code.lower()) == code


@given(
    st.dictionaries(
        st.sampled_from(("kty", "crv", "x", "y", "alg", "use", "kid", "n", "e", "d", "k")), json_values
    )
)
def test_a_key(changes: dict[str, Any]) -> None:
    jwk = public_jwk(OUR_KEY) | changes
    read(lambda: embedded_key({"jwk": jwk}, "ES256"), JOSEError)
    read(lambda: read_key_set({"keys": [jwk]}), JOSEError)


@given(json_values)
def test_a_key_set(document: Any) -> None:
    if isinstance(document, dict):
        read(lambda: read_key_set(document), JOSEError)
    read(lambda: read_key_set({"keys": document}), JOSEError)
    read(lambda: embedded_key({"jwk": document}, "ES256"), JOSEError)


@given(st.binary(max_size=80) | json_values.map(lambda value: json.dumps(value).encode()))
def test_a_sectors_list(document: bytes) -> None:
    listed = read(lambda: read_sector_document(document), RefusedClientMetadataError)
    assert listed is None or isinstance(listed, frozenset)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: f"data:image/png;base64,{raw.hex()}"))
def test_a_logo(uri: str) -> None:
    read(lambda: read_logo(uri), LogoError)


@given(st.text(max_size=60))
def test_a_resource(text: str) -> None:
    assert read(lambda: check_resource(text, POLICY), OAuthError) in {None, text}


@given(st.none() | st.text(max_size=20) | st.sampled_from(RESPONSE_MODES))
def test_a_response_mode(mode: str | None) -> None:
    parameters = Parameters({} if mode is None else {"response_mode": mode})
    for client in (CLIENT, replace(CLIENT, authorization_signed_response_alg="ES256")):
        read(partial(check_response_mode, parameters, client), OAuthError)
        assert error_response_mode(parameters, client) in RESPONSE_MODES


@given(st.text(max_size=80))
def test_where_a_visit_leads(visit_id: str) -> None:
    """Class 3: whatever stands in the address, it leads to a page of ours and to nothing beside it."""
    for name in (visit_id, f"approvals.{visit_id}", f"device.{visit_id}", f"my.{visit_id}"):
        visit = own_visit(ISSUER, name)
        if visit is not None:
            onward = visit.onward_uri.removeprefix(f"{ISSUER}/")
            assert onward.partition("?")[0].partition("/")[0] in {"my", "approvals", "device"}
            assert not set(onward) & set("\\\r\n\t @:#&%")


@given(st.text(max_size=50))
def test_a_name_of_an_approval(name: str) -> None:
    found = request_hash_of(name)
    assert found is None or len(found) == 32


@given(st.text(max_size=60), st.none() | st.text(max_size=60), st.lists(st.text(max_size=8), max_size=3))
def test_a_language(header: str, cookie: str | None, wished: list[str]) -> None:
    assert choose_locale(wished, header, cookie) in LOCALES


@given(st.text(max_size=60) | st.ip_addresses().map(str))
def test_an_address(address: str) -> None:
    assert source_of(source_of(address).partition("/")[0]) == source_of(address)


@settings(max_examples=30)
@given(st.integers(0, 4000))
def test_nothing_deep_or_long_takes_long(depth: int) -> None:
    for text in ("[" * depth, "{" * depth, '{"a":' * depth, "." * depth, "9" * depth):
        read(partial(read_sector_document, text.encode()), RefusedClientMetadataError)
        read(partial(verify_signed_request, text, CLIENT, KEYS, issuer=ISSUER, now=NOW), OAuthError)
