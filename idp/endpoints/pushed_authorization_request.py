"""Pushed authorization requests. RFC 9126, RFC 9449 §10.1."""

import secrets

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.authorization_request import CHECKS_PUSHED, PUSHED_REQUEST_URI, read_request
from idp.protocol.sender_constraint import bound_request
from idp.protocol.simulation import SimulatedEndpoint
from idp.store.writes import GateClosedError
from idp.web.answers import json_answer
from idp.web.client_authentication import (
    authenticate_sender,
    closed_gate_refusal,
    spend_proofs,
    spent_if_refused,
)
from idp.web.request_objects import read_request_object
from idp.web.requests import read_form
from idp.web.sandbox import check_not_simulated
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.post("/par")
async def pushed_authorization_request(http: Request) -> Response:
    """Keep a request for the browser to name: RFC 9126 §2.1, §2.2."""
    context = context_of(http)
    now = context.clock()
    parameters = await read_form(http)
    authenticated, _ = await authenticate_sender(context, http, parameters, now)
    async with spent_if_refused(context, authenticated):
        await check_not_simulated(context, http, authenticated.client, SimulatedEndpoint.PAR)
        asked = await read_request_object(context, authenticated.client, parameters, now)
        request = read_request(asked, authenticated.client, context.policy, CHECKS_PUSHED)
        request = bound_request(request, authenticated.dpop)
    request_uri = PUSHED_REQUEST_URI + secrets.token_urlsafe(32)
    lifetime = context.policy.lifetimes.pushed_request
    uow = context.unit_of_work()
    spend_proofs(uow, authenticated)
    uow.codes.add_pushed_request(request_uri, request, now + lifetime)
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise closed_gate_refusal(closed) from closed
    return json_answer({"request_uri": request_uri, "expires_in": int(lifetime.total_seconds())}, 201)
