"""A guardian and a child, each with a browser: who asks, who answers, over HTTP."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from idp.identity.guardians import Guardianship, Source, turns_16_at
from tests.support.html_forms import Form, Html
from tests.support.platform import Platform, query_of
from tests.support.provider import ISSUER, Person, Provider

UNDER_14 = "2015-03-04"
AT_14 = "2011-12-24"
ADULT = "1985-01-02"


@dataclass
class Family:
    """One child and one guardian of theirs."""

    provider: Provider
    guardian: Person
    child: Person
    guardianship_id: str
    account_id: str = field(default_factory=lambda: f"acc_{secrets.token_hex(4)}")

    async def asks(self, browser: httpx.AsyncClient, platform: Platform, **changes: Any) -> str:
        """Let the child ask; return the address of the page on which they asked."""
        address = await self.arrives(browser, platform, **changes)
        form = Html((await browser.get(address)).text).forms["ask-guardian"]
        answer = await browser.post(form.action, data=form.fields)
        assert answer.headers["location"] == address
        return address

    async def arrives(self, browser: httpx.AsyncClient, platform: Platform, **changes: Any) -> str:
        """Take the child to the page that asks for a guardian."""
        account_id = changes.pop("account_id", self.account_id)
        begun = await browser.get("/authorize", params=platform.request(account_id, **changes))
        where = await walk(self.provider, browser, self.child, begun)
        assert "/guardian/" in where, where
        return where

    async def links(self, browser: httpx.AsyncClient, platform: Platform, **changes: Any) -> dict[str, Any]:
        """Let the child, with an approval, link the account; return the platform's tokens."""
        account_id = changes.pop("account_id", self.account_id)
        begun = await browser.get("/authorize", params=platform.request(account_id, **changes))
        where = await walk(self.provider, browser, self.child, begun)
        assert not where.startswith(ISSUER), where
        response = await platform.redeem(browser, query_of(where)["code"])
        assert response.status_code == 200, response.text
        content: dict[str, Any] = response.json()
        return content

    async def answers(
        self, browser: httpx.AsyncClient, decision: str = "approve", *, guardian: Person | None = None
    ) -> httpx.Response:
        """Let a guardian answer the one question that waits."""
        (address,) = await questions(self.provider, browser, guardian or self.guardian)
        return await press(
            browser, await question_form(self.provider, browser, self.guardian, address), decision
        )


async def family(
    provider: Provider, *, born: str = UNDER_14, guardian: Person | None = None, **guardian_facts: Any
) -> Family:
    """Enter a child with one guardian, as the register would."""
    facts = {"name": "Trần Thị Mai", "birthdate": ADULT, "has_totp": False} | guardian_facts
    mother = guardian or await provider.add_person(**facts)
    child = await provider.add_person(name="Trần Bảo An", birthdate=born, has_totp=False)
    return Family(provider, mother, child, await entrust(provider, mother, child, born))


async def entrust(provider: Provider, guardian: Person, child: Person, born: str) -> str:
    """Enter one more relation."""
    relation = Guardianship(
        guardianship_id=secrets.token_urlsafe(16),
        guardian_citizen_id=guardian.citizen_id,
        child_citizen_id=child.citizen_id,
        source=Source.REGISTER,
        child_turns_16_at=turns_16_at(born),
        valid_from=provider.clock.now,
    )
    uow = provider.unit_of_work()
    uow.guardianships.add(relation)
    await uow.commit()
    return relation.guardianship_id


async def walk(
    provider: Provider, browser: httpx.AsyncClient, person: Person, response: httpx.Response
) -> str:
    """Sign in and agree, page after page; return the first address that asks for something else."""
    for _ in range(12):
        assert response.status_code == 303, f"{response.status_code} {response.text[:2000]}"
        location: str = response.headers["location"]
        page = urlsplit(location).path.split("/")[1]
        if not location.startswith(ISSUER) or page not in {
            "sign-in",
            "second-factor",
            "consent",
            "authorize",
        }:
            return location
        if page == "sign-in":
            form = {"identifier": person.personal_number, "password": person.password}
            response = await browser.post(location, data=form)
        elif page == "second-factor":
            provider.clock.advance(seconds=30)
            response = await browser.post(location, data={"code": person.code(provider.clock.now)})
        elif page == "consent":
            response = await browser.post(location, data={"decision": "allow"})
        else:
            response = await browser.get(location)
    raise AssertionError("the journey does not end")


async def own_page(
    provider: Provider, browser: httpx.AsyncClient, person: Person, path: str
) -> httpx.Response:
    """Open a page of a person's own, signing in where it asks for that."""
    response = await browser.get(path)
    for _ in range(6):
        if response.status_code != 303:
            # Whoever signs in for a page of their own is led to the first of them.
            return response if response.url.path == httpx.URL(path).path else await browser.get(path)
        location = response.headers["location"]
        if "/sign-in/" in location:
            form = {"identifier": person.personal_number, "password": person.password}
            response = await browser.post(location, data=form)
        else:
            response = await browser.get(location)
    raise AssertionError("the page does not open")


async def questions(provider: Provider, browser: httpx.AsyncClient, guardian: Person) -> list[str]:
    """Return the addresses of what waits for a guardian."""
    page = await own_page(provider, browser, guardian, "/my/children")
    assert page.status_code == 200, page.text
    return [link for link in Html(page.text).links if "/my/children/requests/" in link]


async def question_form(
    provider: Provider, browser: httpx.AsyncClient, guardian: Person, address: str
) -> Form:
    page = await own_page(provider, browser, guardian, address)
    assert page.status_code == 200, page.text
    return Html(page.text).forms["child-question"]


async def press(browser: httpx.AsyncClient, form: Form, decision: str) -> httpx.Response:
    return await browser.post(form.action, data={**form.fields, "decision": decision})
