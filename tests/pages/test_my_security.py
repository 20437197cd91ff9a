"""How do I sign in? Over HTTP on both engines: everything that lets a person in, and what is missing."""

import pytest

from idp.pages.my_security import advice_for
from idp.pages.security_views import Advice
from idp.store.security_overview import SecurityOverview
from tests.support.clock import BEGINNING
from tests.support.html_forms import Html
from tests.support.own_browser import own_browser
from tests.support.provider import ISSUER, Provider

pytestmark = pytest.mark.anyio

PAGE = "/my/security"


async def test_the_overview_leads_to_every_page_of_it(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        page = await browser.page(PAGE)
        links = Html(page.text).links
        for name in ("passkeys", "phones", "authenticator-app", "password", "recovery-codes", "browsers"):
            assert f"{ISSUER}/my/{name}" in links
        assert "two different proofs" in page.text


async def test_what_is_not_asked_for_is_not_shown(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        for nonsense in ("done=x", "done=%00", "needs=activation", "needs=x"):
            page = await browser.page(f"{PAGE}?{nonsense}")
            assert (page.status_code, "needs-activation" in page.text) == (200, False)


async def test_nobody_sees_it_without_signing_in(provider: Provider) -> None:
    async with provider.http() as http:
        for name in ("security", "authenticator-app", "recovery-codes", "password", "browsers"):
            answer = await http.get(f"/my/{name}")
            assert answer.headers["location"] == f"{ISSUER}/sign-in/{name}"


@pytest.mark.parametrize(
    ("overview", "advice"),
    [
        (SecurityOverview(password_since=BEGINNING), (Advice.SECOND_PROOF, Advice.WAY_BACK)),
        (
            SecurityOverview(password_since=BEGINNING, totp_since=BEGINNING, recovery_codes=10),
            (Advice.PHISHING,),
        ),
        (SecurityOverview(phones=1, recovery_codes=2), (Advice.PHISHING, Advice.WAY_BACK)),
        (SecurityOverview(passkeys=1, recovery_codes=3), ()),
        (SecurityOverview(passkeys=2), ()),
        (SecurityOverview(passkeys=1), (Advice.WAY_BACK,)),
    ],
)
def test_what_is_missing_is_said_the_weightiest_first(
    overview: SecurityOverview, advice: tuple[Advice, ...]
) -> None:
    assert advice_for(overview) == advice


async def test_what_was_changed_is_found_in_ones_history(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        await browser.press("/my/recovery-codes", "new-codes")
        page = await browser.page("/my/activity?kind=ways_in")
        assert "You can sign in in another way, too." in page.text
        assert "You signed in." not in page.text
