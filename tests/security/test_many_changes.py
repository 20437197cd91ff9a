"""Class 25: whoever has a strong session for a minute cannot bury the message that matters under hundreds."""

import pytest

from idp.authenticators.throttling import CHANGE_LIMITS
from idp.identity.notices import NoticeKind
from idp.web.credential_changes import changes_key, recoveries_key
from tests.security.test_sensitive_changes import CHANGES, Change, state_of, strong, token_of
from tests.support.activations import give_sheet
from tests.support.html_forms import Html
from tests.support.provider import Person, Provider

pytestmark = pytest.mark.anyio

BOUNDED = {NoticeKind.AUTHENTICATOR_ADDED, NoticeKind.PASSWORD_CHANGED, NoticeKind.RECOVERY_OPENED}
ADDITIONS = [change for change in CHANGES if change.told in BOUNDED]
REMOVALS = [change for change in CHANGES if change.told is NoticeKind.AUTHENTICATOR_REMOVED]


async def changed_often(provider: Provider, person: Person, times: int = CHANGE_LIMITS.free) -> None:
    """Count so many changes of today."""
    await counted(provider, changes_key(provider.context, person.citizen_id), times)


async def counted(provider: Provider, key: bytes, times: int) -> None:
    for _ in range(times):
        uow = provider.unit_of_work()
        uow.attempts.count(key, CHANGE_LIMITS, provider.clock.now)
        await uow.commit()


async def count_of(provider: Provider, person: Person) -> int:
    key = changes_key(provider.context, person.citizen_id)
    found = await provider.unit_of_work().attempts.find([key], provider.clock.now)
    return found[key].failures if found else 0


@pytest.mark.parametrize("change", ADDITIONS, ids=lambda change: change.door)
async def test_the_thirty_first_change_of_a_day_waits_and_tells_nobody(
    provider: Provider, change: Change
) -> None:
    person = await provider.add_person()
    async with provider.http() as http:
        await strong(provider, http, person)
        path, fields = await change.prepare(provider, http, person)
        await changed_often(provider, person, CHANGE_LIMITS.free - await count_of(provider, person))
        before = await state_of(provider, person)
        answer = await http.post(path, data=fields | {"csrf": await token_of(provider, http)})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
        assert Html(answer.text).ids["error-reference"].startswith("E11-")
        assert await state_of(provider, person) == before
        provider.clock.advance(seconds=30)
        assert (
            await http.post(path, data=fields | {"csrf": await token_of(provider, http)})
        ).status_code in {200, 303}
        assert await count_of(provider, person) == CHANGE_LIMITS.free + 1


@pytest.mark.parametrize("change", REMOVALS, ids=lambda change: change.door)
async def test_whoever_cleans_up_after_a_thief_does_not_wait(provider: Provider, change: Change) -> None:
    person = await provider.add_person()
    async with provider.http() as http:
        await strong(provider, http, person)
        path, fields = await change.prepare(provider, http, person)
        await changed_often(provider, person, CHANGE_LIMITS.free - await count_of(provider, person))
        answer = await http.post(path, data=fields | {"csrf": await token_of(provider, http)})
        assert answer.status_code == 303


async def test_sheet_after_sheet_opens_no_more_recoveries_and_a_session_keeps_nobody_from_theirs(
    provider: Provider,
) -> None:
    person = await provider.add_person()
    sheet = await give_sheet(provider, person)
    opened = recoveries_key(provider.context, person.citizen_id)
    async with provider.http() as http:
        form = {"identifier": person.personal_number}
        assert (await http.post("/recovery/code", data=form | {"code": sheet[0][::-1]})).status_code == 400
        assert await provider.unit_of_work().attempts.find([opened], provider.clock.now) == {}
        await changed_often(provider, person)
        assert (await http.post("/recovery/code", data=form | {"code": sheet[0]})).status_code == 200
        await counted(provider, opened, CHANGE_LIMITS.free - 1)
        before = await provider.unit_of_work().notices.of_citizen(person.citizen_id)
        answer = await http.post("/recovery/code", data=form | {"code": sheet[1]})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
        assert await provider.unit_of_work().notices.of_citizen(person.citizen_id) == before
        provider.clock.advance(seconds=30)
        assert (await http.post("/recovery/code", data=form | {"code": sheet[2]})).status_code == 200
