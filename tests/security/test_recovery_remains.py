"""What is left after a recovery, a stop or an activation: nothing of a thief, no way into the database.

Abuse classes 16 and 25.
"""

import pytest

from tests.support.activations import chosen, issue, typed
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
