"""What lets a person in, counted over every table; nobody else's, and nothing that is over."""

from datetime import timedelta

import pytest

from idp.store.security_overview import SecurityOverview
from idp.store.trusted_browsers import TrustedBrowser
from tests.support.stores import NOW, Memory, make_person

pytestmark = pytest.mark.anyio


async def test_everything_of_a_person_is_counted_and_nothing_of_another(memory: Memory) -> None:
    await memory.add_people(make_person(password_hash="x", totp_secret="A"), make_person("citizen-2"))
    uow = memory.unit_of_work()
    codes = [f"BCDFGHJKMBCDFG{sign}" for sign in "2346789BCD"]
    uow.recovery_codes.replace("citizen-1", codes, NOW)
    for number in range(3):
        expires_at = NOW + timedelta(days=number)
        browser = TrustedBrowser(f"b{number}", "citizen-1", "Firefox", NOW, NOW, expires_at)
        uow.trusted_browsers.add(browser, f"cookie-{number}")
    await uow.commit()
    uow.recovery_codes.use("citizen-1", codes[0], NOW)
    await uow.commit()
    overviews = memory.unit_of_work().security_overviews
    assert await overviews.of_citizen("citizen-1", NOW) == SecurityOverview(
        password_since=NOW, totp_since=NOW, recovery_codes=9, recovery_codes_since=NOW, browsers=2
    )
    assert await overviews.of_citizen("citizen-2", NOW) == SecurityOverview()
