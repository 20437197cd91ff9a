"""At 16 a link becomes the young person's own, or lapses; on both engines. R10."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import jwt
import pytest

from idp.housekeeping.expiry import let_time_pass
from idp.housekeeping.hand_over import AFTER_BIRTHDAY, ask_who_turned_16, end_of_grace
from idp.identity.account_links import AccountLink, Status
from idp.identity.guardians import turns_16_at
from idp.identity.link_changes import ChangeKind
from tests.support.families import Family, family, own_page
from tests.support.html_forms import Html
from tests.support.platform import Platform
from tests.support.provider import Provider, running_provider

pytestmark = pytest.mark.anyio

BORN = "2010-12-20"
GRACE = timedelta(days=60)


@dataclass
class Home:
    """A link of a fifteen-year-old, made with their mother's approval."""

    provider: Provider
    platform: Platform
    family: Family
    phone: httpx.AsyncClient
    mothers: httpx.AsyncClient
    link_id: str

    async def link(self) -> AccountLink:
        link = await self.provider.unit_of_work().account_links.find(self.link_id)
        assert link is not None
        return link

    async def asked(self) -> int:
        return await ask_who_turned_16(self.provider.unit_of_work(), GRACE, self.provider.clock.now)

    async def lapsed(self) -> int:
        return await end_of_grace(self.provider.unit_of_work(), self.provider.clock.now)

    def turn_16(self) -> None:
        self.provider.clock.now = turns_16_at(BORN) + AFTER_BIRTHDAY

    async def agrees(self) -> httpx.Response:
        """Let the young person say that the link stays."""
        path = f"/my/accounts/{self.link_id}/own-consent"
        page = await own_page(self.provider, self.phone, self.family.child, path)
        form = Html(page.text).forms["own-consent"]
        return await self.phone.post(form.action, data=form.fields)


@pytest.fixture
async def home(anyio_backend: str, database_url: str, tmp_path: Path) -> AsyncIterator[Home]:
    """Give one on each engine."""
    async with (
        running_provider(database_url, tmp_path) as provider,
        provider.http() as phone,
        provider.http() as mothers,
    ):
        platform = Platform(provider, await provider.add_client())
        people = await family(provider, born=BORN)
        await people.asks(phone, platform)
        await people.answers(mothers)
        tokens = await people.links(phone, platform)
        link_id = tokens["authorization_details"][0]["link_id"]
        yield Home(provider, platform, people, phone, mothers, link_id)


async def test_whoever_turns_16_is_asked_once_and_nobody_else_is_told(home: Home) -> None:
    assert await home.asked() == 0, "not before"
    before = await home.provider.unit_of_work().link_changes.unsequenced(99)
    home.turn_16()
    assert await home.asked() == 1
    assert await home.asked() == 0
    link = await home.link()
    assert (link.status, link.own_consent_due_at) == (Status.ACTIVE, home.provider.clock.now + GRACE)
    changes = await home.provider.unit_of_work().link_changes.unsequenced(99)
    assert changes == before, "a platform would learn a birthday"
    told = await home.provider.unit_of_work().notices.of_citizen(home.family.child.citizen_id, limit=9)
    assert "hand_over_due" in {kept.notice.kind for kept in told}
    page = await own_page(home.provider, home.phone, home.family.child, "/my/accounts")
    assert f"/my/accounts/{home.link_id}/own-consent" in page.text


async def test_what_the_young_person_agrees_to_is_theirs(home: Home) -> None:
    home.turn_16()
    await home.asked()
    assert (await home.agrees()).status_code == 303
    link = await home.link()
    assert (link.status, link.guardianship_id, link.own_consent_due_at) == (Status.ACTIVE, None, None)
    consents = await home.provider.unit_of_work().consents.of_citizen(home.family.child.citizen_id, 9)
    assert (consents[0].reason, consents[0].decision) == ("came_of_age", "allow")
    assert consents[0].claims == consents[1].claims, "nothing beside what was agreed to until now"
    home.provider.clock.advance(days=61)
    assert await home.lapsed() == 0
    page = await home.phone.get(f"/my/accounts/{home.link_id}/own-consent")
    assert page.status_code == 303, "nothing is asked any more"
    tokens = await home.family.links(home.phone, home.platform)
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert "guardian_consented" not in claims["account_link"]


async def test_what_nobody_answers_for_lapses_and_is_renewed_alone(home: Home) -> None:
    home.turn_16()
    await home.asked()
    home.provider.clock.advance(days=59)
    assert await home.lapsed() == 0
    home.provider.clock.advance(days=1)
    assert await home.lapsed() == 1
    assert (await home.link()).status is Status.LAPSED
    kinds = [change.kind for change in await home.provider.unit_of_work().link_changes.unsequenced(99)]
    assert kinds[-1] is ChangeKind.LAPSED
    await home.family.links(home.phone, home.platform)
    link = await home.link()
    assert (link.status, link.guardianship_id, link.own_consent_due_at) == (Status.ACTIVE, None, None)


async def test_r10_the_guardian_sees_nothing_from_16_on(home: Home) -> None:
    links = f"/my/children/{home.family.guardianship_id}"
    assert (await own_page(home.provider, home.mothers, home.family.guardian, links)).status_code == 200
    home.provider.clock.now = turns_16_at(BORN)
    for path in (links, f"{links}/links/{home.link_id}/end"):
        page = await own_page(home.provider, home.mothers, home.family.guardian, path)
        assert page.status_code == 404
    children = await home.mothers.get("/my/children")
    assert "Trần Bảo An" not in children.text


async def test_a_link_that_is_suspended_is_asked_for_and_never_lapses_in_its_sleep(home: Home) -> None:
    uow, now = home.provider.unit_of_work(), home.provider.clock.now
    link = await home.link()
    suspended = replace(link, status=Status.SUSPENDED, suspended_because="test")
    uow.account_links.move(link, suspended, now)
    await uow.commit()
    home.turn_16()
    assert await home.asked() == 1
    home.provider.clock.advance(days=61)
    assert await home.lapsed() == 0
    assert (await home.link()).status is Status.SUSPENDED
    await home.agrees()
    assert (await home.link()).guardianship_id is None


async def test_a_relation_that_ended_before_hands_its_links_over_all_the_same(home: Home) -> None:
    uow = home.provider.unit_of_work()
    uow.guardianships.end(home.family.guardianship_id, home.provider.clock.now)
    await uow.commit()
    assert (await home.link()).status is Status.ACTIVE, "what was approved stays"
    assert await let_time_pass(uow, home.provider.clock.now) == 0
    home.turn_16()
    assert await home.asked() == 1


async def test_p10_nobody_under_16_takes_a_link_over(home: Home) -> None:
    """Not by the address of the page either, and not when the register corrected the birth date since."""
    path = f"/my/accounts/{home.link_id}/own-consent"
    page = await own_page(home.provider, home.phone, home.family.child, "/my/accounts")
    csrf = Html(page.text).forms["sign-out"].fields
    assert (await home.phone.post(path, data=csrf)).status_code == 303
    assert (await home.link()).guardianship_id == home.family.guardianship_id
    uow = home.provider.unit_of_work()
    link = await home.link()
    asked = replace(link, own_consent_due_at=home.provider.clock.now + GRACE)
    uow.account_links.change(link, asked, None, home.provider.clock.now)
    await uow.commit()
    assert (await home.phone.post(path, data=csrf)).status_code == 303
    assert (await home.link()).guardianship_id == home.family.guardianship_id
