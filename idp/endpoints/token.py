"""The token endpoint. RFC 6749 §3.2, OpenID Connect Core §3.1.3, RFC 9396 §7.

It proves the client, then hands over to the grant's own file; all of them end in `issuance.issue_tokens`.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import PROVIDER, Event
from idp.endpoints.grant_ciba import redeem_auth_req_id
from idp.endpoints.grant_client_credentials import act_for_itself
from idp.endpoints.grant_code import redeem_code
from idp.endpoints.grant_device import redeem_device_code
from idp.endpoints.grant_refresh import refresh
from idp.endpoints.token_request import TokenRequest
from idp.protocol.authorization_request import check_one_resource
from idp.protocol.client_authentication import AuthenticatedClient
from idp.protocol.errors import UnauthorizedClientError, UnsupportedGrantTypeError
from idp.protocol.grants import ReplayedError
from idp.protocol.parameters import check_not_repeated
from idp.protocol.profiles import (
    CIBA_GRANT,
    CLIENT_CREDENTIALS_GRANT,
    CODE_GRANT,
    DEVICE_GRANT,
    REFRESH_GRANT,
)
from idp.protocol.simulation import SimulatedEndpoint
from idp.store.writes import GateClosedError
from idp.web.answers import json_answer
from idp.web.client_authentication import (
    authenticate_sender,
    closed_gate_refusal,
    spend_proofs,
    spent_if_refused,
)
from idp.web.failures import note
from idp.web.requests import read_form
from idp.web.sandbox import check_not_simulated
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

GRANTS: Mapping[str, Callable[[TokenRequest], Awaitable[dict[str, object]]]] = {
    CODE_GRANT: redeem_code,
    REFRESH_GRANT: refresh,
    CIBA_GRANT: redeem_auth_req_id,
    DEVICE_GRANT: redeem_device_code,
    CLIENT_CREDENTIALS_GRANT: act_for_itself,
}
"""What answers each grant_type."""


@router.post("/token")
async def token(http: Request) -> Response:
    """Exchange what the client was given for tokens: RFC 6749 §4, §6."""
    context = context_of(http)
    now = context.clock()
    parameters = await read_form(http)
    check_not_repeated(parameters)
    authenticated, confirmation = await authenticate_sender(context, http, parameters, now)
    async with spent_if_refused(context, authenticated):
        await check_not_simulated(context, http, authenticated.client, SimulatedEndpoint.TOKEN)
        redeem = _grant_of(authenticated, parameters.get("grant_type"))
        check_one_resource(parameters, authenticated.client)
        if authenticated.client.id_token_encrypted_response_alg is not None:
            await context.clients.key_set_of(authenticated.client, now)
        request = TokenRequest(context, http, authenticated, parameters, confirmation, now)
        try:
            return json_answer(await redeem(request))
        except ReplayedError as replayed:
            note(http, grant_id=replayed.grant_id)
            await _revoke_replayed(context, authenticated, replayed, now)
            raise


def _grant_of(
    authenticated: AuthenticatedClient, grant_type: str | None
) -> Callable[[TokenRequest], Awaitable[dict[str, object]]]:
    if grant_type not in GRANTS:
        raise UnsupportedGrantTypeError(f"grant_type must be one of {', '.join(sorted(GRANTS))}")
    if grant_type not in authenticated.client.grant_types:
        raise UnauthorizedClientError(f"the client is not registered for grant_type {grant_type}")
    return GRANTS[grant_type]


async def _revoke_replayed(
    context: Context, authenticated: AuthenticatedClient, replayed: ReplayedError, now: datetime
) -> None:
    """Revoke what a replayed code or token gave (RFC 6749 §4.1.2, RFC 9700 §4.14.2), before answering.

    A request that is itself a replay, assertion and all, revokes nothing: it proves nothing.
    """
    uow = context.unit_of_work()
    if not isinstance(replayed.__cause__, GateClosedError):
        spend_proofs(uow, authenticated)  # found by reading; a request that lost a race has spent it
    uow.grants.revoke(replayed.grant_id, "replayed", now)
    uow.ledger.append(
        Event(
            type="grant:revoked",
            actor=PROVIDER,
            occurred_at=now,
            client_id=authenticated.client.client_id,
            details={"grant_id": replayed.grant_id, "because": "replayed"},
        )
    )
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise closed_gate_refusal(closed) from closed
