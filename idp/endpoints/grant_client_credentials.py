"""The client credentials grant: a client acts for itself, on its own account links. RFC 6749 §4.4.

No person is behind it, so there is no ID token, and no refresh token either (§4.4.3).
"""

from idp.audit.events import Actor, ActorKind, Event
from idp.endpoints.issuance import Issue, issue_tokens
from idp.endpoints.token_request import TokenRequest
from idp.protocol.resources import choose_own_access
from idp.protocol.tokens import scope_value
from idp.store.writes import GateClosedError
from idp.web.client_authentication import closed_gate_refusal, spend_proofs


async def act_for_itself(request: TokenRequest) -> dict[str, object]:
    """Give a client a token of its own: RFC 6749 §4.4.3."""
    context, client, now = request.context, request.client, request.now
    asked = request.parameters
    scope, audience = choose_own_access(client, asked.get("scope"), asked.get("resource"), context.policy)
    uow = context.unit_of_work()
    spend_proofs(uow, request.authenticated)
    content = issue_tokens(context, uow, Issue(client, scope, audience, request.confirmation), now)
    uow.ledger.append(
        Event(
            type="access_token:issued",
            actor=Actor(ActorKind.CLIENT, client.client_id),
            occurred_at=now,
            client_id=client.client_id,
            details={"scope": scope_value(scope)},
        )
    )
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise closed_gate_refusal(closed) from closed
    return content
