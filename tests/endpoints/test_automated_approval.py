"""The hook for conformance suites: there when asked for, never in production. Checklist CIBA-22, TLS-07."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from idp.identity.register import Mode
from idp.settings import Settings
from tests.support.decoupled import ciba_platform
from tests.support.provider import Provider, running_provider

pytestmark = pytest.mark.anyio
PATH = "/automated-approval"


@pytest.fixture
async def hooked(anyio_backend: str, database_url: str, tmp_path: Path) -> AsyncIterator[Provider]:
    async with running_provider(database_url, tmp_path, automated_approvals=True) as running:
        yield running


async def test_it_is_not_there_unless_it_was_asked_for(provider: Provider) -> None:
    ciba = await ciba_platform(provider)
    person = await provider.add_person()
    async with provider.http() as http:
        auth_req_id = await ciba.asked(http, person, login_hint=person.personal_number)
        answer = await http.post(PATH, data={"auth_req_id": auth_req_id, "action": "allow"})
        assert answer.status_code == 404
        assert (await ciba.token(http, auth_req_id)).json()["error"] == "authorization_pending"


def test_it_is_refused_at_the_start_in_production() -> None:
    """TLS-07."""
    with pytest.raises(ValidationError, match="automated_approvals"):
        Settings(mode=Mode.PRODUCTION, automated_approvals=True)
    assert not Settings(mode=Mode.PRODUCTION).automated_approvals
    assert Settings(mode=Mode.SANDBOX, automated_approvals=True).automated_approvals


async def test_it_answers_as_it_is_told_once(hooked: Provider) -> None:
    """CIBA-22: in the query or in a form, for the first request of a suite that knows a number alone."""
    ciba = await ciba_platform(hooked)
    person = await hooked.add_person()
    async with hooked.http() as http:
        for action, expected in (("allow", 200), ("deny", 400)):
            auth_req_id = await ciba.asked(http, person, login_hint=person.personal_number)
            form = {"auth_req_id": auth_req_id, "action": action}
            if action == "allow":
                answer = await http.post(PATH, params=form)
            else:
                answer = await http.post(PATH, data=form)
            assert answer.status_code == 200, answer.text
            again = await http.post(PATH, data=form)
            assert again.status_code == 400
            assert (await ciba.token(http, auth_req_id)).status_code == expected
            hooked.clock.advance(seconds=1)
        for wrong in ({}, {"action": "allow"}, {"action": "perhaps", "auth_req_id": auth_req_id}):
            assert (await http.post(PATH, data={"x": "y"} | wrong)).status_code == 400
        assert (await http.get(PATH, params={"auth_req_id": "x", "action": "allow"})).status_code == 405
