"""Client authentication as the endpoints use it: the rule verifies, this fetches what the rule needs."""

import contextlib
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from datetime import datetime

from starlette.requests import Request

from idp.protocol.client_authentication import (
    AuthenticatedClient,
    UnknownClientKeyError,
    live_sealed_secrets,
    read_credentials,
    verify_credentials,
)
from idp.protocol.confirmation import Confirmation
from idp.protocol.errors import (
    AuthorizationPendingError,
    InvalidClientError,
    InvalidGrantError,
    OAuthError,
)
from idp.protocol.grants import ReplayedError
from idp.protocol.jose import PublicKey
from idp.protocol.parameters import Parameters
from idp.protocol.profiles import CLIENT_SECRET_JWT, PRIVATE_KEY_JWT, SELF_SIGNED_TLS_CLIENT_AUTH
from idp.protocol.sender_constraint import confirmation_for
from idp.store.client_secrets import secret_context
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.client_certificate import read_client_certificate
from idp.web.failures import note
from idp.web.sender_constraint import PROOF_GATE, Presented, read_presented, replayed_proof, spend_proof
from idp.web.state import Context

SPENT_GATE = "spent"
"""The store's gate that closes when an assertion is seen for the second time."""


async def authenticate_sender(
    context: Context, http: Request, parameters: Parameters, now: datetime
) -> tuple[AuthenticatedClient, Confirmation | None]:
    """Return the client that proved itself, and the key that its tokens are bound to.

    For endpoints that bind what they issue. The proof of the key comes first: a client that is sent for a
    nonce (RFC 9449 §8) has not spent its assertion. Raises InvalidDPoPProofError, UseDPoPNonceError; and as
    `authenticate_client`.
    """
    presented = read_presented(context, http, now)
    authenticated = await authenticate_client(context, http, parameters, now)
    confirmation = confirmation_for(authenticated.client, presented.dpop, presented.certificate)
    return replace(authenticated, dpop=presented.dpop), confirmation


async def authenticate_client(
    context: Context, http: Request, parameters: Parameters, now: datetime
) -> AuthenticatedClient:
    """Return the client that proved itself. Raises InvalidClientError, InvalidRequestError (RFC 6749 §2.3).

    An unknown key makes the client's jwks_uri be fetched once more before it is refused.
    """
    credentials = read_credentials(http.headers.get("authorization"), parameters)
    note(http, client_id=credentials.client_id)
    client = await context.clients.find(credentials.client_id)
    certificate = read_client_certificate(context.certificate_source, http, now)

    def verify(
        keys: Collection[PublicKey] = (), shared_secrets: Collection[bytes] = ()
    ) -> AuthenticatedClient:
        return verify_credentials(
            credentials,
            client,
            keys,
            issuer=context.issuer,
            now=now,
            shared_secrets=shared_secrets,
            certificate=certificate,
        )

    if client is None:
        return verify()
    if client.token_endpoint_auth_method == CLIENT_SECRET_JWT:
        sealed = live_sealed_secrets(client, now)
        return verify(
            (), [context.custody.data.open(each, secret_context(client.client_id)) for each in sealed]
        )
    # Keys are looked up, and perhaps fetched, only for something that they could verify.
    verifiable = {PRIVATE_KEY_JWT: credentials.assertion, SELF_SIGNED_TLS_CLIENT_AUTH: certificate}
    if verifiable.get(client.token_endpoint_auth_method) is None:
        return verify()
    try:
        return verify(await context.clients.keys_of(client, now))
    except UnknownClientKeyError:
        if client.jwks_uri is None:
            raise
    return verify(await context.clients.keys_of(client, now, again=True))


def spend_proofs(uow: UnitOfWork, authenticated: AuthenticatedClient) -> None:
    """Record the single use of everything that a request proved itself with, as first gates of the commit.

    RFC 7523 §3 for the assertion, RFC 9449 §11.1 for the DPoP proof.
    """
    if authenticated.assertion is not None:
        client_id, assertion = authenticated.client.client_id, authenticated.assertion
        uow.grants.spend("client_assertion", f"{client_id}\x00{assertion.jti}", assertion.expires_at)
    spend_proof(uow, Presented(authenticated.dpop))


async def spend_alone(uow: UnitOfWork, authenticated: AuthenticatedClient) -> None:
    """Spend the proofs of a request that writes nothing else. Raises as `closed_gate_refusal` says."""
    spend_proofs(uow, authenticated)
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise closed_gate_refusal(closed) from closed


_REFUSED_AFTER_SPENDING = (ReplayedError, AuthorizationPendingError)
"""Refusals that were committed with the proofs of their request: a family is revoked, a question counted."""


@contextlib.asynccontextmanager
async def spent_if_refused(context: Context, authenticated: AuthenticatedClient) -> AsyncIterator[None]:
    """Spend the proofs of a request that is refused, too: one proof is no licence to try codes.

    A proof that was spent before decides, whatever else is wrong with the request: whoever replays one learns
    nothing from the answer (abuse class 8).
    """
    try:
        yield
    except OAuthError as refused:
        # A request that lost a race at a gate had spent its proofs: they are the first gates of a commit.
        has_spent = isinstance(refused, _REFUSED_AFTER_SPENDING) or isinstance(
            refused.__cause__, GateClosedError
        )
        if not has_spent:
            await _spend_now(context, authenticated, refused)
        raise


async def _spend_now(context: Context, authenticated: AuthenticatedClient, refused: OAuthError) -> None:
    uow = context.unit_of_work()
    spend_proofs(uow, authenticated)
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise closed_gate_refusal(closed) from refused


def closed_gate_refusal(closed: GateClosedError) -> OAuthError:
    """Translate a gate that closed at an endpoint: a spent proof, or something moved meanwhile."""
    if closed.gate == SPENT_GATE:
        return replayed_assertion()
    if closed.gate == PROOF_GATE:
        return replayed_proof()
    return InvalidGrantError("the authorization is no longer in force", detail=closed.gate)


def replayed_assertion() -> InvalidClientError:
    """Return the refusal of an assertion whose `jti` was seen before."""
    return InvalidClientError("the client assertion was used before; send a fresh jti", detail="jti replayed")
