"""Everything that is kept about me, as one file: for programs, or to read. Rule R9.

Whoever takes it along signed in strongly and just now: it says more than any page.

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
from idp.identity.citizens import Citizen
from idp.identity.consents import Consent
from idp.identity.corrections import Datum
from idp.pages.export_views import (
    ExportBegin,
    ExportConsent,
    ExportDatum,
    ExportEvent,
    ExportHolding,
    ExportLink,
    ExportTotal,
    Section,
)
from idp.pages.frame import locale_of, pages_of
from idp.pages.my_activity import name_of
from idp.pages.own_pages import strong_or_way
from idp.store.activity import Total
from idp.store.encoding import load_mapping, micros, moment
from idp.store.holdings import Holding, HoldingKind
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
    citizen: Citizen

    @property
    def citizen_id(self) -> str:
        """Whose rows they are."""
        return self.citizen.citizen_id

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

    async def holdings(self, kind: HoldingKind) -> AsyncIterator[list[Holding]]:
        """Yield everything of one kind."""
        after: str | bytes | None = None
        while True:
            page, after = await self.uow.holdings.page(kind, self.citizen_id, after, AT_ONCE)
            yield page
            if after is None:
                return


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
    signed_in = await strong_or_way(context, uow, http, context.clock(), VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    return History(context, uow, signed_in.citizen)


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
    beginning = {
        "issuer": context.issuer,
        "exported_at": now,
        "citizen_id": history.citizen_id,
        "register": await _register(history),
    }
    yield _dump(beginning)[:-1]
    yield b',"links":['
    async for piece in _members(history.links(), _link):
        yield piece
    yield b'],"consents":['
    async for piece in _members(history.consents(), _consent):
        yield piece
    yield b"]"
    for kind in HoldingKind:
        yield b"," + _dump(kind.value) + b":["
        async for piece in _members(history.holdings(kind), _holding):
            yield piece
        yield b"]"
    yield b',"totals":' + _dump(
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
    yield render(ExportBegin(issuer=history.context.issuer, exported_at=now))
    for sections in (_about_the_person(history), _about_links(history), _about_what_happened(history)):
        async for section in sections:
            yield render(section)
    yield b"</body>\n</html>\n"


async def _about_the_person(history: History) -> AsyncIterator[Section]:
    for name, value in (await _register(history)).items():
        if isinstance(value, str) and name in set(Datum):
            yield ExportDatum(datum=Datum(name), value=value)
    for kind in HoldingKind:
        async for holdings in history.holdings(kind):
            for holding in holdings:
                yield ExportHolding(holding=holding)


async def _about_links(history: History) -> AsyncIterator[Section]:
    context = history.context
    async for links in history.links():
        for link in links:
            yield ExportLink(network=await name_of(context, link.client_id), link=link)
    async for consents in history.consents():
        for consent in consents:
            yield ExportConsent(network=await name_of(context, consent.client_id), consent=consent)


async def _about_what_happened(history: History) -> AsyncIterator[Section]:
    context = history.context
    for total in await history.uow.activity.totals(history.citizen_id):
        network = None if total.client_id is None else await name_of(context, total.client_id)
        yield ExportTotal(network=network, total=total)
    async for events in history.events():
        for event in events:
            yield await _shown_event(context, event)


async def _shown_event(context: Context, event: SealedEvent) -> ExportEvent:
    return ExportEvent(
        network=None if event.client_id is None else await name_of(context, event.client_id),
        type=event.type,
        occurred_at=moment(event.occurred_at),
        actor=ActorKind(event.actor_kind),
        sequence=event.sequence or None,
    )


async def _register(history: History) -> dict[str, Any]:
    """Describe what the register says about the person; whose papers were looked at, by kind alone."""
    citizen, data = history.citizen, history.citizen.personal_data
    return {
        "name": data.name,
        "personal_number": await history.uow.citizens.personal_number(citizen.citizen_id),
        "birthdate": data.birthdate,
        "gender": data.gender,
        "nationality": data.nationality,
        "address": data.address,
        "phone_number": data.phone_number,
        "email": data.email,
        "status": citizen.status,
        "assurance_level": citizen.proofing,
        "proofed_at": citizen.proofed_at,
        "links_frozen_at": citizen.links_frozen_at,
    }


def _holding(holding: Holding) -> dict[str, Any]:
    return dict(holding.facts)


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
