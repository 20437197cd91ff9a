"""A password hash with yesterday's parameters is renewed at the next sign-in. NIST SP 800-63B §3.1.1.2."""

from pathlib import Path

import argon2
import pytest

from idp.authenticators.password import needs_rehash
from tests.support.platform import Platform
from tests.support.provider import PASSWORD, running_provider

pytestmark = pytest.mark.anyio


async def test_a_weaker_hash_is_replaced_and_the_password_stays(database_url: str, tmp_path: Path) -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with running_provider(database_url, tmp_path) as provider:
        platform = Platform(provider, await provider.add_client())
        person = await provider.add_person()
        uow = provider.unit_of_work()
        uow.authenticators.put_password(person.citizen_id, weak, provider.clock.now)
        await uow.commit()
        for account_id in ("acc_1", "acc_2"):
            async with provider.http() as browser:
                await platform.tokens_for(browser, person, account_id)
            record = await provider.unit_of_work().authenticators.find(person.citizen_id)
            assert record is not None
            assert record.password_hash is not None
            assert not needs_rehash(record.password_hash)
