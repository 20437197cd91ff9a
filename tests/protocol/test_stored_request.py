"""Stored requests: out and back without loss. Abuse class P2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.account_links import AccountLinkRequest
from idp.identity.assurance import Acr
from idp.protocol.model import (
    AuthorizationRequest,
    ClaimsRequest,
    RequestedCheck,
    RequestedClaim,
    RequestedEvidence,
    VerifiedClaimsRequest,
)
from idp.protocol.stored_request import dump_claims, dump_request, load_claims, load_request

TEXT = st.text(max_size=20)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)
REQUESTED = st.builds(
    RequestedClaim,
    essential=st.booleans(),
    value=JSON_VALUES,
    values=st.none() | st.lists(JSON_VALUES, max_size=3).map(tuple),
    purpose=st.none() | TEXT,
    max_age=st.none() | st.integers(0, 2**63 - 1) | st.floats(0, allow_nan=False, allow_infinity=False),
)
CHECKS = st.builds(RequestedCheck, REQUESTED, st.none() | REQUESTED, is_unmeetable=st.booleans())
EVIDENCE = st.builds(
    RequestedEvidence,
    type=REQUESTED,
    kind=st.none() | REQUESTED,
    checks=st.lists(CHECKS, max_size=2).map(tuple),
    is_unmeetable=st.booleans(),
)
VERIFIED = st.lists(
    st.builds(
        VerifiedClaimsRequest,
        claims=st.dictionaries(TEXT, REQUESTED, max_size=3),
        trust_framework=REQUESTED,
        assurance_level=st.none() | REQUESTED,
        time=st.none() | REQUESTED,
        evidence=st.lists(EVIDENCE, max_size=2).map(tuple),
        is_unmeetable=st.booleans(),
    ),
    max_size=2,
).map(tuple)
CLAIMS = st.builds(
    ClaimsRequest,
    id_token=st.dictionaries(TEXT, REQUESTED, max_size=3),
    userinfo=st.dictionaries(TEXT, REQUESTED, max_size=3),
    verified_in_id_token=VERIFIED,
    verified_in_userinfo=VERIFIED,
)
OPTIONAL_TEXT = st.none() | TEXT
REQUESTS = st.builds(
    AuthorizationRequest,
    client_id=TEXT,
    redirect_uri=TEXT,
    scope=st.frozensets(TEXT, max_size=4),
    code_challenge=TEXT,
    state=OPTIONAL_TEXT,
    nonce=OPTIONAL_TEXT,
    response_mode=st.sampled_from(["query", "form_post"]),
    prompt=st.frozensets(st.sampled_from(["none", "login", "consent"])),
    max_age=st.none() | st.integers(0, 10**10 - 1),
    acr_values=st.lists(st.sampled_from(Acr), unique=True).map(tuple),
    login_hint=OPTIONAL_TEXT,
    id_token_hint=OPTIONAL_TEXT,
    ui_locales=st.lists(TEXT, max_size=3).map(tuple),
    claims=CLAIMS,
    account_link=st.none()
    | st.builds(
        AccountLinkRequest,
        account_id=TEXT,
        handle=OPTIONAL_TEXT,
        profile_uri=OPTIONAL_TEXT,
        purpose=OPTIONAL_TEXT,
    ),
)


@given(REQUESTS)
def test_a_request_comes_back_as_it_went(request_: AuthorizationRequest) -> None:
    back = load_request(dump_request(request_))
    assert back == request_
    assert all(type(value) is Acr for value in back.acr_values)


@given(CLAIMS)
def test_requested_claims_come_back_as_they_went(claims: ClaimsRequest) -> None:
    assert load_claims(dump_claims(claims)) == claims


def test_the_same_request_makes_the_same_text() -> None:
    one, other = (
        AuthorizationRequest("c", "r", frozenset(scope), "x")
        for scope in (["openid", "email"], ["email", "openid"])
    )
    assert dump_request(one) == dump_request(other)


def test_a_field_added_since_then_has_its_default() -> None:
    """Requests in flight survive an upgrade."""
    stored = dump_request(AuthorizationRequest("c", "r", frozenset({"openid"}), "x"))
    assert load_request(stored.replace('"id_token_hint":null,', "")).id_token_hint is None


def test_a_grant_of_an_earlier_version_is_read() -> None:
    """Grants outlive upgrades: there was one entry or none, without evidence and `max_age`."""
    element = '{"essential":false,"value":null,"values":null,"purpose":null}'
    stored = (
        '{"id_token":{},"userinfo":{"name":' + element + '},"verified_in_userinfo":null,'
        '"verified_in_id_token":{"claims":{"age_over_16":' + element + '},"trust_framework":' + element + ","
        '"assurance_level":' + element + "}}"
    )
    entry = VerifiedClaimsRequest({"age_over_16": RequestedClaim()}, assurance_level=RequestedClaim())
    assert load_claims(stored) == ClaimsRequest(
        userinfo={"name": RequestedClaim()}, verified_in_id_token=(entry,)
    )


def test_what_json_cannot_hold_is_not_stored() -> None:
    with pytest.raises(TypeError):
        dump_claims(ClaimsRequest(userinfo={"a": RequestedClaim(value=object())}))
