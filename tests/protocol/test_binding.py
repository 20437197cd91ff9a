"""Which tokens must be bound, what a bound code or refresh token needs, and for which resource a token is."""

from dataclasses import replace

import pytest

from idp.protocol.confirmation import Confirmation
from idp.protocol.errors import (
    InvalidDPoPProofError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidTargetError,
)
from idp.protocol.profiles import Profile
from idp.protocol.resources import check_resource, choose_audience, resource_uris
from idp.protocol.sender_constraint import check_binding, check_bound_code, check_bound_refresh
from tests.support.protocol_builders import ISSUER, POLICY, make_client

CLIENT = make_client()

BY_DPOP = Confirmation(jkt="a" * 43)
BY_CERTIFICATE = Confirmation(x5t_s256="b" * 43)


def test_a_confirmation_is_one_claim() -> None:
    assert BY_DPOP.as_claim() == {"jkt": "a" * 43}
    assert BY_CERTIFICATE.as_claim() == {"x5t#S256": "b" * 43}


def test_a_client_that_registered_bound_tokens_never_gets_any_other() -> None:
    dpop = replace(CLIENT, dpop_bound_access_tokens=True)
    certificate = replace(CLIENT, tls_client_certificate_bound_access_tokens=True)
    check_binding(BY_DPOP, dpop)
    check_binding(BY_CERTIFICATE, certificate)
    for confirmation in (None, BY_CERTIFICATE):
        with pytest.raises(InvalidDPoPProofError):
            check_binding(confirmation, dpop)
    for confirmation in (None, BY_DPOP):
        with pytest.raises(InvalidRequestError):
            check_binding(confirmation, certificate)


def test_fapi_gets_bound_tokens_whatever_the_registration_forgot() -> None:
    with pytest.raises(InvalidDPoPProofError):
        check_binding(None, replace(CLIENT, profile=Profile.FAPI2))
    check_binding(None, CLIENT)


def test_rfc_9449_10_a_code_bound_to_a_key_needs_that_key() -> None:
    check_bound_code(None, None)
    check_bound_code("a" * 43, BY_DPOP)
    for confirmation in (None, BY_CERTIFICATE, Confirmation(jkt="c" * 43)):
        with pytest.raises(InvalidGrantError):
            check_bound_code("a" * 43, confirmation)


def test_rfc_9449_5_a_bound_refresh_token_needs_its_key() -> None:
    check_bound_refresh(None, None)
    check_bound_refresh(None, BY_DPOP)
    check_bound_refresh(BY_DPOP, BY_DPOP)
    for confirmation in (None, Confirmation(jkt="c" * 43)):
        with pytest.raises(InvalidGrantError):
            check_bound_refresh(BY_DPOP, confirmation)


def test_rfc_8707_a_token_is_for_a_resource_of_ours_and_never_wider_than_granted() -> None:
    userinfo, account_links, _ = resource_uris(POLICY)
    assert check_resource(None, POLICY) is None
    assert choose_audience(None, None, POLICY) == ISSUER
    assert choose_audience(userinfo, None, POLICY) == userinfo
    assert choose_audience(None, account_links, POLICY) == account_links
    for asked, granted in ((userinfo, account_links), ("https://elsewhere.example", None)):
        with pytest.raises(InvalidTargetError):
            choose_audience(asked, granted, POLICY)
