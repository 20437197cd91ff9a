"""A person at the pages of their own: signs in as far as they can, presses forms as a browser sends them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from sqlalchemy import bindparam, select

from idp.store.encoding import load_mapping
from idp.store.tables import audit_events
from tests.support.html_forms import Form, Html
from tests.support.provider import ISSUER, Person, Provider

_EVENTS = (
    select(audit_events)
    .where(audit_events.c.citizen_id == bindparam("citizen"), audit_events.c.type.like("authenticator:%"))
    .order_by(audit_events.c.occurred_at)
)


@dataclass
class OwnBrowser:
    """One browser with one person before it."""

    provider: Provider
    person: Person
    http: httpx.AsyncClient

    async def sign_in(self, visit_id: str = "security") -> None:
        """Sign in with the password, and with a fresh code where the person has an app."""
        form = {"identifier": self.person.personal_number, "password": self.person.password}
        answer = await self.http.post(f"/sign-in/{visit_id}", data=form)
        assert answer.status_code == 303, answer.text
        if self.person.totp_secret is not None:
            self.provider.clock.advance(seconds=30)
            code = {"code": self.person.code(self.provider.clock.now)}
            answer = await self.http.post(f"/second-factor/{visit_id}", data=code)
            assert answer.status_code == 303, answer.text

    async def page(self, path: str) -> httpx.Response:
        """Open a page in English."""
        return await self.http.get(path, headers={"Accept-Language": "en"})

    async def form(self, path: str, form_id: str) -> Form:
        """Open a page and return one of its forms."""
        answer = await self.page(path)
        assert answer.status_code == 200, answer.headers.get("location", answer.text)
        return Html(answer.text).forms[form_id]

    async def press(self, path: str, form_id: str, **fields: str) -> httpx.Response:
        """Open a page and send one of its forms, with what its ticked boxes say and what is typed."""
        form = await self.form(path, form_id)
        return await self.send(form, **fields)

    async def send(self, form: Form, **fields: str) -> httpx.Response:
        """Send a form that was read before."""
        path = form.action.removeprefix(ISSUER)
        return await self.http.post(path, data=form.fields | fields, headers={"Accept-Language": "en"})


@asynccontextmanager
async def own_browser(provider: Provider, person: Person) -> AsyncIterator[OwnBrowser]:
    """Give a browser in which nobody is signed in yet."""
    async with provider.http() as http:
        yield OwnBrowser(provider, person, http)


async def told(provider: Provider, person: Person) -> list[tuple[str, str]]:
    """Return what a person was told about what lets them in, newest first: kind and what."""
    kept = await provider.unit_of_work().notices.of_citizen(person.citizen_id, limit=50)
    return [(each.notice.kind.value, each.notice.details.get("what", "")) for each in kept]


async def written_down(provider: Provider, person: Person) -> list[tuple[str, str]]:
    """Return what stands in the log about what lets a person in: type and method."""
    found = await provider.unit_of_work().database.fetch_all(_EVENTS, {"citizen": person.citizen_id})
    return [(row["type"], load_mapping(row["details"])["method"]) for row in found]
