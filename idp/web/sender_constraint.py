"""What a request proves of its sender beside client authentication: a DPoP key, a certificate.

The rules judge (`idp.protocol.dpop`, `client_certificate`, `sender_constraint`); this feeds them and spends
proofs. Nonces are computed, not stored: every worker knows every nonce (RFC 9449 §8).
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

from idp.protocol.client_certificate import ClientCertificate
from idp.protocol.dpop import CLOCK_SKEW, DPoPProof, verify_proof
from idp.protocol.errors import InvalidDPoPProofError, UseDPoPNonceError
from idp.protocol.sender_constraint import NonceWantedByResourceError, ProofRefusedByResourceError
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import add_header
from idp.web.client_certificate import read_client_certificate
from idp.web.state import Context

PROOF_GATE = "proof_spent"
"""The store's gate that closes when a proof is seen for the second time."""

NONCE_PERIOD = timedelta(minutes=5)
"""A nonce is given out this long and taken as long again."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What the sender of a request proved to hold. A proof is not spent yet."""

    dpop: DPoPProof | None = None
    certificate: ClientCertificate | None = None


def read_presented(
    context: Context, http: Request, now: datetime, *, access_token: str | None = None
) -> Presented:
    """Read certificate and DPoP proof of a request; a proof that is there has to be right.

    `access_token` is the token that a resource was sent under the scheme DPoP: there must be a proof for it.
    Raises InvalidDPoPProofError, UseDPoPNonceError; at a resource, their kinds that answer 401.
    """
    certificate = read_client_certificate(context.certificate_source, http, now)
    headers = http.headers.getlist("dpop")
    if not headers and access_token is None:
        return Presented(certificate=certificate)
    nonces = dpop_nonces(context, now)
    add_header(http.scope, "DPoP-Nonce", nonces[0])
    try:
        proof = verify_proof(
            headers,
            method=http.method,
            urls=_addresses(context, http),
            access_token=access_token,
            nonces=nonces,
            now=now,
            is_nonce_required=context.is_dpop_nonce_required,
        )
    except UseDPoPNonceError as error:
        if access_token is None:
            raise
        raise NonceWantedByResourceError(error.description, nonce=error.nonce) from error
    except InvalidDPoPProofError as error:
        if access_token is None:
            raise
        raise ProofRefusedByResourceError(error.description) from error
    return Presented(proof, certificate)


def _addresses(context: Context, http: Request) -> tuple[str, ...]:
    """Return where this endpoint is known to be; never what a header says (abuse class 21)."""
    path: str = http.scope["path"]
    origins = (context.issuer, context.policy.mtls_origin)
    return tuple(origin + path for origin in origins if origin is not None)


def dpop_nonces(context: Context, now: datetime) -> Sequence[str]:
    """Return the nonces that are taken now, the one to give out first: this period's and the last's.

    Another worker's clock may be a little ahead, hence the third.
    """
    moments = (now, now - NONCE_PERIOD, now + CLOCK_SKEW)
    periods = dict.fromkeys(int(moment.timestamp() // NONCE_PERIOD.total_seconds()) for moment in moments)
    return [_nonce(context, period) for period in periods]


def _nonce(context: Context, period: int) -> str:
    digest = context.custody.data.lookup("dpop_nonce", str(period))
    return base64.urlsafe_b64encode(digest[:18]).decode()


def spend_proof(uow: UnitOfWork, presented: Presented) -> None:
    """Record the single use of the proof, as a gate of the commit (RFC 9449 §11.1)."""
    if presented.dpop is not None:
        uow.grants.spend_proof(presented.dpop.jkt, presented.dpop.jti, presented.dpop.expires_at)


def replayed_proof() -> InvalidDPoPProofError:
    """Return the refusal of a proof whose `jti` was seen before."""
    return InvalidDPoPProofError("the DPoP proof was used before; make a new one for each request")
