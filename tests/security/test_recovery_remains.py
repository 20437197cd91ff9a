"""What is left after a recovery, a stop or an activation: nothing of a thief, no way into the database.

Abuse classes 16 and 25.
"""

from datetime import timedelta

import pytest

from idp.store.trusted_browsers import TrustedBrowser
from tests.support.activations import chosen, issue, opened_recovery, stop_address, typed
from tests.support.provider import ISSUER, Provider

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("step", ["", "/passkey"])
async def test_class_25_no_id_in_an_address_reaches_the_database_as_it_came(
    provider: Provider, step: str
) -> None:
    """PostgreSQL takes no NUL, and whoever typed a code once has the cookie with which it is looked up."""
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    async with provider.http(address="192.0.2.205") as browser:
        await typed(browser, person.personal_number, handed.code)
        for name in ("a%00b", "%00", "%1f", "x" * 65, "%C4%91"):
            path = f"/activate/my/{name}{step}"
            for answer in ([] if step else [await browser.get(path)]) + [await chosen(browser, path)]:
                assert answer.headers["location"] == f"{ISSUER}/activate/my?again=1", name


async def test_whoever_says_that_it_was_not_them_is_remembered_in_no_browser(provider: Provider) -> None:
    """A thief who was in once may have had their browser remembered."""
    person = await provider.add_person()
    uow, now = provider.unit_of_work(), provider.clock.now
    uow.trusted_browsers.add(
        TrustedBrowser(
            browser_id="a-thief-s",
            citizen_id=person.citizen_id,
            name="",
            created_at=now,
            last_used_at=now,
            expires_at=now + timedelta(days=90),
        ),
        "planted",
    )
    await uow.commit()
    await opened_recovery(provider, person)
    async with provider.http() as holder:
        await holder.post(await stop_address(provider, person.citizen_id), data={"x": "y"})
    left = await provider.unit_of_work().trusted_browsers.of_citizen(person.citizen_id, now, limit=9)
    assert left == []
