"""Answers backchannel requests without a person, for conformance suites; with IDP_AUTOMATED_APPROVALS alone.

The application adds this address when the setting is on, and the setting is refused in mode production, so no
real person can be answered for: people of the other modes are fictitious. Whoever knows the auth_req_id may
answer; the session in which that happens is made here, as if its person had shown both factors.
"""

import secrets
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from idp.identity.assurance import Method, authentication_context
from idp.identity.consents import AskReason, Decision
from idp.identity.sessions import Session
from idp.protocol.claims import agreed_items, requested_items
from idp.protocol.decoupled_request import DecoupledRequest
from idp.protocol.errors import InvalidRequestError
from idp.store.writes import GateClosedError
from idp.web.answers import json_answer
from idp.web.approvals import Verdict, record_verdict
from idp.web.requests import is_form, read_form, read_query
from idp.web.state import Context, context_of

PATH = "/automated-approval"

_DECISIONS = {"allow": Decision.ALLOW, "deny": Decision.DENY}


async def automated_approval(http: Request) -> Response:
    """Answer the request `auth_req_id` as `action` says: allow or deny, in the query or in a form."""
    context = context_of(http)
    now = context.clock()
    parameters = await read_form(http) if is_form(http) else read_query(http)
    decision = _DECISIONS.get(parameters.get("action", ""))
    if decision is None:
        raise InvalidRequestError("action must be allow or deny")
    found = await context.unit_of_work().backchannel_requests.find(parameters.get("auth_req_id", ""))
    if found is None or found.citizen_id is None or not found.is_open(now):
        raise InvalidRequestError("there is no such request to answer")
    await _answer(context, found, found.citizen_id, decision, now)
    return json_answer({"action": decision.value})


async def _answer(
    context: Context, found: DecoupledRequest, citizen_id: str, decision: Decision, now: datetime
) -> None:
    client = await context.clients.find(found.client_id)
    if client is None:
        raise InvalidRequestError("the client is gone")
    uow = context.unit_of_work()
    session = Session(
        session_id=secrets.token_urlsafe(16),
        citizen_id=citizen_id,
        context=authentication_context((Method.PASSWORD, Method.ONE_TIME_PASSWORD), now),
        created_at=now,
        last_seen_at=now,
    )
    uow.sessions.add(session, secrets.token_urlsafe(32), now + context.session_limits.absolute)
    agreed = (
        agreed_items(requested_items(found.asked), ()) if decision is Decision.ALLOW else frozenset[str]()
    )
    verdict = Verdict(decision, agreed, AskReason.REQUESTED, "en")
    await record_verdict(context, uow, found, client, session, verdict, now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise InvalidRequestError("the request was answered meanwhile") from closed
