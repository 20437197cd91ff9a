"""Pages that explain our own security events, at the addresses that name them. SSF 1.0 §8.1.1."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.pages.event_views import EventPage
from idp.pages.frame import show
from idp.protocol.security_events import OWN_EVENTS, own_event
from idp.web.failures import JourneyError, Trouble
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)

LEVELS = "assurance-levels"
"""The namespace of the levels in CAEP's assurance-level-change (CAEP §3.4)."""


@router.get("/events/{name}")
async def event_page(http: Request, name: str) -> Response:
    """Explain one event, beside the others."""
    if name not in {*OWN_EVENTS, LEVELS}:
        raise JourneyError(Trouble.NOT_FOUND)
    return show(http, EventPage(name=name, uri=own_event(context_of(http).issuer, name)))
