"""RFC 9449 §5, §7; RFC 8705 §3: what a token is bound to, and who may use it."""

from typing import Any

import pytest

from idp.protocol.client_certificate import ClientCertificate, read_certificate
from idp.protocol.confirmation import Confirmation
from idp.protocol.dpop import DPoPProof
from idp.protocol.errors import (
    InvalidDPoPProofError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidTokenError,
)
from idp.protocol.model import Client
from idp.protocol.profiles import Profile
from idp.protocol.sender_constraint import (
    NonceWantedByResourceError,
    ProofRefusedByResourceError,
    check_binding,
    check_bound_code,
    check_bound_refresh,
    check_confirmation,
    confirmation_for,
)
from tests.support.certificates import make_certificate
from tests.support.protocol_builders import NOW, make_client

PROOF = DPoPProof("jkt-1", "jti-1", NOW)
OTHER_PROOF = DPoPProof("jkt-2", "jti-2", NOW)
CERTIFICATE, OTHER_CERTIFICATE = (read_certificate(make_certificate(f"CN={name}").der) for name in "ab")

JKT = Confirmation(jkt=PROOF.jkt)
X5T = Confirmation(x5t_s256=CERTIFICATE.x5t_s256)

PLAIN = make_client()
DPOP = make_client(dpop_bound_access_tokens=True)
MTLS = make_client(tls_client_certificate_bound_access_tokens=True)
FAPI = make_client(profile=Profile.FAPI2)
FAPI_DPOP = make_client(profile=Profile.FAPI2, dpop_bound_access_tokens=True)


@pytest.mark.parametrize(
    ("client", "dpop", "certificate", "expected"),
    [
        (PLAIN, None, None, None),
        (PLAIN, PROOF, None, JKT),
        (PLAIN, None, CERTIFICATE, None),
        (PLAIN, PROOF, CERTIFICATE, JKT),
        (DPOP, PROOF, CERTIFICATE, JKT),
        (DPOP, None, CERTIFICATE, None),
        (MTLS, None, CERTIFICATE, X5T),
        (MTLS, PROOF, CERTIFICATE, X5T),
        (MTLS, PROOF, None, None),
        (FAPI, PROOF, CERTIFICATE, JKT),
        (FAPI, None, CERTIFICATE, X5T),
        (FAPI, None, None, None),
        (FAPI_DPOP, None, CERTIFICATE, None),
    ],
)
def test_a_token_is_bound_to_what_was_proven(
    client: Client,
    dpop: DPoPProof | None,
    certificate: ClientCertificate | None,
    expected: Confirmation | None,
) -> None:
    assert confirmation_for(client, dpop, certificate) == expected


@pytest.mark.parametrize(
    ("client", "confirmation"),
    [(PLAIN, None), (PLAIN, JKT), (DPOP, JKT), (MTLS, X5T), (FAPI, JKT), (FAPI, X5T)],
)
def test_a_token_that_is_bound_as_it_must_be_is_issued(
    client: Client, confirmation: Confirmation | None
) -> None:
    check_binding(confirmation, client)


@pytest.mark.parametrize(
    ("client", "confirmation", "error"),
    [
        (DPOP, None, InvalidDPoPProofError),
        (DPOP, X5T, InvalidDPoPProofError),
        (MTLS, None, InvalidRequestError),
        (MTLS, JKT, InvalidRequestError),
        (FAPI, None, InvalidDPoPProofError),
    ],
)
def test_a_token_that_is_not_bound_as_it_must_be_is_not_issued(
    client: Client, confirmation: Confirmation | None, error: type[Exception]
) -> None:
    """TOK-15; KC #36475."""
    with pytest.raises(error):
        check_binding(confirmation, client)


def test_a_code_bound_to_a_key_is_redeemed_with_it_alone() -> None:
    """TOK-16."""
    check_bound_code(None, None)
    check_bound_code(None, JKT)
    check_bound_code(PROOF.jkt, JKT)
    for other in (None, Confirmation(jkt="jkt-2"), X5T):
        with pytest.raises(InvalidGrantError):
            check_bound_code(PROOF.jkt, other)


def test_a_refresh_token_bound_to_a_key_is_used_with_it_alone() -> None:
    check_bound_refresh(None, None)
    check_bound_refresh(JKT, JKT)
    for other in (None, Confirmation(jkt="jkt-2"), X5T):
        with pytest.raises(InvalidGrantError):
            check_bound_refresh(JKT, other)


@pytest.mark.parametrize(
    ("confirmation", "scheme", "dpop", "certificate"),
    [
        (None, "bearer", None, None),
        (None, "bearer", PROOF, CERTIFICATE),
        (JKT, "dpop", PROOF, None),
        (JKT, "dpop", PROOF, OTHER_CERTIFICATE),
        (X5T, "bearer", None, CERTIFICATE),
    ],
)
def test_a_token_is_used_by_whom_it_is_bound_to(
    confirmation: Confirmation | None, scheme: str, dpop: Any, certificate: Any
) -> None:
    check_confirmation(confirmation, scheme, dpop, certificate)


@pytest.mark.parametrize(
    ("confirmation", "scheme", "dpop", "certificate"),
    [
        pytest.param(JKT, "bearer", None, None, id="stolen, as bearer"),
        pytest.param(JKT, "bearer", PROOF, None, id="as bearer beside a good proof"),
        pytest.param(JKT, "dpop", None, None, id="no proof"),
        pytest.param(JKT, "dpop", OTHER_PROOF, None, id="another key"),
        pytest.param(JKT, "dpop", None, CERTIFICATE, id="a certificate instead"),
        pytest.param(None, "dpop", PROOF, None, id="the scheme DPoP for a token bound to nothing"),
        pytest.param(X5T, "dpop", PROOF, CERTIFICATE, id="the scheme DPoP for one bound to a certificate"),
        pytest.param(X5T, "bearer", None, None, id="no certificate"),
        pytest.param(X5T, "bearer", None, OTHER_CERTIFICATE, id="another certificate"),
        pytest.param(X5T, "bearer", PROOF, None, id="a proof instead of the certificate"),
    ],
)
def test_nobody_else_uses_it(
    confirmation: Confirmation | None, scheme: str, dpop: Any, certificate: Any
) -> None:
    """UI-09, abuse class 23: CVE-2024-49755, KC #48428."""
    with pytest.raises(InvalidTokenError) as refused:
        check_confirmation(confirmation, scheme, dpop, certificate)
    assert refused.value.status == 401
    if confirmation != X5T:
        challenge = refused.value.headers["WWW-Authenticate"]
        assert challenge == 'DPoP error="invalid_token", algs="ES256 EdDSA PS256"'


def test_a_resource_says_what_it_wants() -> None:
    """RFC 9449 §7.1, §9."""
    refused = ProofRefusedByResourceError("no")
    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"].startswith('DPoP error="invalid_dpop_proof"')
    wanted = NonceWantedByResourceError("no", nonce="fresh")
    assert wanted.status == 401
    assert wanted.headers["DPoP-Nonce"] == "fresh"
    assert wanted.headers["WWW-Authenticate"].startswith('DPoP error="use_dpop_nonce"')
