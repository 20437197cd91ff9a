"""From an answer on another device to tokens: the way that CIBA and the device grant share.

CIBA Core 1.0 §10.1, §11; RFC 8628 §3.4, §3.5. It ends at the choke-point like every grant.
"""

from dataclasses import replace

from idp.endpoints.issuance import Issue, first_refresh_token, issue_tokens, used
from idp.endpoints.token_request import TokenRequest
from idp.protocol.decoupled_request import (
    Answered,
    DecoupledRequest,
    Kind,
    UnansweredError,
    check_answered,
)
from idp.protocol.errors import SlowDownError
from idp.protocol.parameters import required
from idp.protocol.resources import choose_audience
from idp.protocol.sender_constraint import check_binding
from idp.store.backchannel_requests import POLL_GATE
from idp.store.writes import GateClosedError
from idp.web.client_authentication import closed_gate_refusal, spend_proofs


async def redeem_answered(request: TokenRequest, name: str, kind: Kind) -> dict[str, object]:
    """Return tokens for the id in the parameter `name`, or say why there are none yet.

    Raises UnansweredError, SlowDownError, ExpiredTokenError, DeniedByPersonError,
    InvalidGrantError.
    """
    request_id = required(request.parameters, name)
    # Told while there is time: a client that could not use its tokens need not wait for a person.
    check_binding(request.confirmation, request.client)
    found = await request.context.unit_of_work().backchannel_requests.find(request_id)
    try:
        answered = check_answered(found, kind, request.client, request.now)
    except UnansweredError as unanswered:
        await _count_question(request, unanswered.request)
        raise
    return await _redeem(request, answered)


async def _count_question(request: TokenRequest, found: DecoupledRequest) -> None:
    """Keep a client to the interval, whichever worker it asks: RFC 8628 §3.5, CIBA Core §11.

    What was decided is told at once: only questions without an answer are counted. Raises SlowDownError.
    """
    uow = request.context.unit_of_work()
    spend_proofs(uow, request.authenticated)
    uow.backchannel_requests.poll(found, request.now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        if closed.gate != POLL_GATE:
            raise closed_gate_refusal(closed) from closed
        seconds = int(found.interval.total_seconds())
        raise SlowDownError(f"ask again after {seconds} seconds, not before") from closed


async def _redeem(request: TokenRequest, answered: Answered) -> dict[str, object]:
    """Consume the answer and begin its grant in one commit. Raises InvalidGrantError."""
    context, client, now = request.context, request.client, request.now
    uow = context.unit_of_work()
    grant = replace(answered.grant, confirmation=request.confirmation if client.is_public else None)
    new_token = first_refresh_token(context, client, grant, now)
    issue = Issue(
        client,
        grant.scope,
        choose_audience(request.parameters.get("resource"), grant.resource, context.policy),
        request.confirmation,
        grant,
        await uow.backchannel_requests.backing_of(grant, now),
        None if new_token is None else new_token[0],
        needs_session=True,
    )
    # The gates come first: whoever finds one closed leaves nothing behind.
    spend_proofs(uow, request.authenticated)
    uow.backchannel_requests.consume(answered.request, now)
    content = issue_tokens(context, uow, issue, now)
    uow.grants.add(grant)
    if new_token is not None:
        uow.grants.add_refresh_token(new_token[1])
    uow.ledger.append(used(grant, "grant:redeemed", now))
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise closed_gate_refusal(closed) from closed
    return content
