"""What is left after a recovery, a stop or an activation: nothing of a thief, no way into the database.

Abuse classes 16 and 25, abuse cases P5 and P9.
"""

from datetime import timedelta

import pytest

from idp.identity.activation_grounds import (
    Ground,
    Purpose,
    Unfit,
    UnfitActivationError,
    check_recoverable,
    purpose_to_issue,
)
from idp.operators.person_at_hand import reach_of
from idp.store.trusted_browsers import TrustedBrowser
from tests.support.activations import chosen, issue, opened_recovery, stop_address, typed, use
from tests.support.passkeys import authenticator_of, give_passkey
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


async def test_p5_an_old_letter_takes_over_nobody_who_found_another_way_in_meanwhile(
    provider: Provider,
) -> None:
    """A first code asks for nothing but itself and waits for nobody; so it ends with the first way in."""
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person, ground=Ground.POST)
    async with provider.http(address="192.0.2.206") as thief:
        opened = await typed(thief, person.personal_number, handed.code)
        address = opened.headers["location"]
        assert (await thief.get(address)).status_code == 200
        await give_passkey(provider, person, authenticator_of(provider))
        for answer in (await thief.get(address), await chosen(thief, address)):
            assert answer.headers["location"] == f"{ISSUER}/activate/my?again=1"
        assert (await typed(thief, person.personal_number, handed.code)).status_code == 400
    record = await provider.unit_of_work().authenticators.find(person.citizen_id)
    assert record is not None
    assert (record.password_hash, record.has_passkey) == (None, True)


async def test_an_account_elsewhere_lets_nobody_in_after_a_recovery_unless_it_is_still_theirs(
    provider: Provider,
) -> None:
    """Whoever stole it would be in again the moment after."""
    person, other = await provider.add_person(), await provider.add_person()
    uow = provider.unit_of_work()
    for upstream_id, each in (("stolen", person), ("kept", person), ("stolen", other)):
        subject = f"{upstream_id} of {each.citizen_id}"
        uow.upstream_accounts.connect(upstream_id, subject, each.citizen_id, provider.clock.now)
    await uow.commit()
    handed = await opened_recovery(provider, person)
    provider.clock.now += provider.context.recovery_waiting
    async with provider.http(address="192.0.2.208") as browser:
        used = await use(browser, person, handed, keep="upstream.kept")
        assert used.answer.status_code == 303
    accounts = provider.unit_of_work().upstream_accounts
    assert [each.upstream_id for each in await accounts.of_citizen(person.citizen_id)] == ["kept"]
    assert [each.upstream_id for each in await accounts.of_citizen(other.citizen_id)] == ["stolen"]


async def test_p9_whoever_comes_from_another_provider_is_not_enrolled_by_one_operator(
    provider: Provider,
) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    uow = provider.unit_of_work()
    assert purpose_to_issue(await reach_of(uow, person.citizen_id)) is Purpose.ENROLMENT
    uow.upstream_accounts.connect("standard", "theirs", person.citizen_id, provider.clock.now)
    await uow.commit()
    reach = await reach_of(uow, person.citizen_id)
    check_recoverable(reach)
    with pytest.raises(UnfitActivationError) as refused:
        purpose_to_issue(reach)
    assert refused.value.unfit is Unfit.ALREADY_ACTIVATED


async def test_a_password_chosen_at_a_recovery_is_as_old_as_the_recovery(provider: Provider) -> None:
    """Or its holder, who reads since when there is a password, would not see that somebody chose another."""
    person = await provider.add_person()
    handed = await opened_recovery(provider, person)
    provider.clock.now += provider.context.recovery_waiting
    async with provider.http(address="192.0.2.207") as browser:
        assert (await use(browser, person, handed)).answer.status_code == 303
    now = provider.clock.now
    overview = await provider.unit_of_work().security_overviews.of_citizen(person.citizen_id, now)
    assert overview.password_since == now
