"""Everything that is kept about what was done with my data, as one file: for programs, or to read. Rule R9.

Written page by page while it is sent, so that a long history needs no more memory than a short one.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from idp.audit.chain import SealedEvent
from idp.audit.events import ActorKind
from idp.identity.account_links import AccountLink, Status
from idp.identity.consents import Consent
from idp.pages.export_views import ExportBegin, ExportConsent, ExportEvent, ExportLink, ExportTotal, Section
from idp.pages.frame import locale_of, pages_of
from idp.pages.my_activity import name_of
from idp.pages.own_pages import signed_in_or_way
from idp.store.activity import Total
from idp.store.encoding import load_mapping, micros, moment
from idp.store.places import NEWEST
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import NO_STORE
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

VISIT = "export"
AT_ONCE = 200
"""Rows read and written at once."""

Row = TypeVar("Row")
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


@dataclass(frozen=True, slots=True)
class History:
    """What is exported: one person's rows, in pages."""

    context: Context
    uow: UnitOfWork
    citizen_id: str

    async def links(self) -> AsyncIterator[list[AccountLink]]:
        """Yield every link, ended ones included."""
        after = ""
        while page := await self.uow.account_links.of_citizen(self.citizen_id, after=after, limit=AT_ONCE):
            yield [link for link in page if link.status is not Status.PENDING]
            after = page[-1].link_id

    async def consents(self) -> AsyncIterator[list[Consent]]:
        """Yield every decision, newest first."""
        before = NEWEST
        while page := await self.uow.consents.history(self.citizen_id, before=before, limit=AT_ONCE):
            yield page
            before = micros(page[-1].decided_at), page[-1].consent_id

    async def events(self) -> AsyncIterator[list[SealedEvent]]:
        """Yield every event, newest first."""
        before = NEWEST
        while page := await self.uow.activity.page(self.citizen_id, before=before, limit=AT_ONCE):
            yield page
            before = page[-1].occurred_at, page[-1].event_id


@router.get("/my/activity/export.json")
async def export_json(http: Request) -> Response:
    """Send the file for programs."""
    history = await _history(http)
    if isinstance(history, Response):
        return history
    content = _json(history, history.context.clock())
    return StreamingResponse(content, headers=_headers("json"), media_type="application/json")


@router.get("/my/activity/export.html")
async def export_html(http: Request) -> Response:
    """Send the file to read, in the language of the pages."""
    history = await _history(http)
    if isinstance(history, Response):
        return history
    pages, locale = pages_of(http), locale_of(http)
    content = _html(history, history.context.clock(), lambda view: pages.render(view, locale))
    return StreamingResponse(content, headers=_headers("html"), media_type="text/html; charset=utf-8")


async def _history(http: Request) -> History | Response:
    context = context_of(http)
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, context.clock(), VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    return History(context, uow, signed_in.citizen.citizen_id)


def _headers(extension: str) -> dict[str, str]:
    # A file of somebody's history is not to be run as a page of ours: it is kept, whatever the browser.
    return {
        **NO_STORE,
        "Content-Disposition": f'attachment; filename="lienket.{extension}"',
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    }


async def _json(history: History, now: datetime) -> AsyncIterator[bytes]:
    """Write one JSON object, member by member."""
    context = history.context
    beginning = {"issuer": context.issuer, "exported_at": now, "citizen_id": history.citizen_id}
    yield _dump(beginning)[:-1]
    yield b',"links":['
    async for piece in _members(history.links(), _link):
        yield piece
    yield b'],"consents":['
    async for piece in _members(history.consents(), _consent):
        yield piece
    yield b'],"totals":' + _dump(
        [_total(each) for each in await history.uow.activity.totals(history.citizen_id)]
    )
    yield b',"events":['
    async for piece in _members(history.events(), _event):
        yield piece
    yield b"]}"


async def _members(
    pages: AsyncIterator[list[Row]], describe: Callable[[Row], dict[str, Any]]
) -> AsyncIterator[bytes]:
    """Write the members of a list, without its brackets."""
    is_first = True
    async for page in pages:
        if page:
            yield (b"" if is_first else b",") + b",".join(_dump(describe(row)) for row in page)
            is_first = False


async def _html(history: History, now: datetime, render: Callable[[Section], bytes]) -> AsyncIterator[bytes]:
    """Write one page, section by section."""
    context = history.context
    yield render(ExportBegin(issuer=context.issuer, exported_at=now))
    async for links in history.links():
        for link in links:
            yield render(ExportLink(network=await name_of(context, link.client_id), link=link))
    async for consents in history.consents():
        for consent in consents:
            yield render(ExportConsent(network=await name_of(context, consent.client_id), consent=consent))
    for total in await history.uow.activity.totals(history.citizen_id):
        network = None if total.client_id is None else await name_of(context, total.client_id)
        yield render(ExportTotal(network=network, total=total))
    async for events in history.events():
        for event in events:
            yield render(await _shown_event(context, event))
    yield b"</body>\n</html>\n"


async def _shown_event(context: Context, event: SealedEvent) -> ExportEvent:
    return ExportEvent(
        network=None if event.client_id is None else await name_of(context, event.client_id),
        type=event.type,
        occurred_at=moment(event.occurred_at),
        actor=ActorKind(event.actor_kind),
        sequence=event.sequence or None,
    )


def _link(link: AccountLink) -> dict[str, Any]:
    return {
        "link_id": link.link_id,
        "client_id": link.client_id,
        "account_id": link.account_id,
        "handle": link.handle,
        "profile_uri": link.profile_uri,
        "subject": link.subject,
        "status": link.status,
        "assurance_level": link.proofing,
        "acr": link.acr,
        "purpose": link.purpose,
        "linked_at": link.linked_at,
        "expires_at": link.expires_at,
        "last_used_at": link.last_used_at,
        "suspended_because": link.suspended_because,
        "ended_at": link.ended_at,
        "ended_because": link.ended_because,
    }


def _consent(consent: Consent) -> dict[str, Any]:
    return {
        "consent_id": consent.consent_id,
        "client_id": consent.client_id,
        "decision": consent.decision,
        "asked_because": consent.reason,
        "purpose": consent.purpose,
        "scope": sorted(consent.scope),
        "offered": sorted(consent.offered),
        "claims": sorted(consent.claims),
        "text_version": consent.text_version,
        "ui_locale": consent.ui_locale,
        "decided_at": consent.decided_at,
        "withdrawn_at": consent.withdrawn_at,
    }


def _total(total: Total) -> dict[str, Any]:
    return {
        "client_id": total.client_id,
        "type": total.type,
        "count": total.count,
        "first_at": total.first_at,
        "last_at": total.last_at,
    }


def _event(event: SealedEvent) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "sequence": event.sequence or None,
        "occurred_at": moment(event.occurred_at),
        "type": event.type,
        "actor": event.actor_kind,
        "client_id": event.client_id,
        "link_id": event.link_id,
        "details": load_mapping(event.details),
    }


def _dump(value: object) -> bytes:
    return orjson.dumps(value, option=_OPTIONS)
