"""A passkey instead of number and password, and as the second proof. Over HTTP, on both engines."""

import json
import re
from typing import Any

import httpx
import jwt
import pytest

from idp.audit.chain import SealedEvent
from idp.identity.citizens import CitizenStatus
from idp.identity.notices import NoticeKind
from idp.web.passkeys import CHALLENGE_LIFETIME
from tests.support.html_forms import Html
from tests.support.passkeys import (
    ROAMING,
    authenticator_of,
    credential_ids,
    give_passkey,
    options_on,
    show_passkey,
    sign_in_by_passkey,
)
from tests.support.platform import query_of
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import new_platform, set_citizen_status
from tests.support.software_authenticator import SoftwareAuthenticator

pytestmark = pytest.mark.anyio


async def person_with_passkey(provider: Provider, **facts: Any) -> tuple[Person, SoftwareAuthenticator]:
    person, authenticator = await provider.add_person(), authenticator_of(provider, **facts)
    await give_passkey(provider, person, authenticator)
    provider.clock.advance(seconds=1)
    return person, authenticator


def problem_on(page: httpx.Response) -> str:
    found = re.search(r'id="passkey-problem" role="alert" data-problem="(\w+)"', page.text)
    assert found is not None, page.text
    return found[1]


async def events_of(provider: Provider, person: Person) -> list[SealedEvent]:
    """Return what was written down of a person, newest first."""
    latest = await provider.unit_of_work().ledger.latest(100)
    return [each for each in latest if each.citizen_id == person.citizen_id]


async def notices_of(provider: Provider, person: Person) -> list[NoticeKind]:
    kept = await provider.unit_of_work().notices.of_citizen(person.citizen_id)
    return [each.notice.kind for each in kept]


async def test_the_form_is_the_one_that_the_script_fills(provider: Provider) -> None:
    async with provider.http() as http:
        page = await http.get("/sign-in/my")
    form = Html(page.text).forms["passkey"]
    assert (form.method, form.action) == ("post", f"{ISSUER}/sign-in/my/passkey")
    assert form.fields == {"credential": ""}
    assert 'autocomplete="username webauthn"' in page.text
    assert '<div id="passkey-way" class="stack" hidden>' in page.text
    asked = json.loads(options_on(page))
    assert (asked["rpId"], asked["userVerification"], asked["allowCredentials"]) == (
        "localhost",
        "required",
        [],
    )


async def test_one_step_signs_in_and_counts_for_two_factors(provider: Provider) -> None:
    platform = await new_platform(provider, min_acr="vn-2")
    _, authenticator = await person_with_passkey(provider)
    async with provider.http() as http:
        begun = await http.get("/authorize", params=platform.request(None))
        answer = await sign_in_by_passkey(http, authenticator, begun.headers["location"])
        assert answer.status_code == 303
        consent = await http.get(answer.headers["location"])
        assert "/consent/" in consent.headers["location"]
        done = await http.post(consent.headers["location"], data={"decision": "allow"})
        code = query_of((await http.get(done.headers["location"])).headers["location"])["code"]
        tokens = (await platform.redeem(http, code)).json()
    told = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert told["acr"] == f"{ISSUER}/acr/vn-2"
    assert set(told["amr"]) == {"swk", "user", "mfa", "phr"}


async def test_phishing_resistance_is_told_where_it_is_asked_for(provider: Provider) -> None:
    """EAP ACR Values §4, OpenID Connect Core §5.5.1.1."""
    platform = await new_platform(provider)
    person, authenticator = await person_with_passkey(provider)
    claims = json.dumps({"id_token": {"acr": {"essential": True, "values": ["phr"]}}})
    async with provider.http() as http:
        begun = await http.get("/authorize", params=platform.request(None, claims=claims))
        page = begun.headers["location"]
        form = {"identifier": person.personal_number, "password": person.password}
        answer = await http.post(page, data=form)
        asked = await http.get(answer.headers["location"])
        second = await http.get(asked.headers["location"])
        assert "second-factor" not in Html(second.text).forms, "a code would not do"
        lifted = await show_passkey(http, second, authenticator)
        consent = await http.get(lifted.headers["location"])
        done = await http.post(consent.headers["location"], data={"decision": "allow"})
        code = query_of((await http.get(done.headers["location"])).headers["location"])["code"]
        tokens = (await platform.redeem(http, code)).json()
    told = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert told["acr"] == "phr"


async def test_a_step_up_names_the_persons_own_passkeys(provider: Provider) -> None:
    person, authenticator = await person_with_passkey(provider)
    _, other = await person_with_passkey(provider)
    mine = await give_passkey(provider, person, authenticator_of(provider, **ROAMING))
    async with provider.http() as http:
        form = {"identifier": person.personal_number, "password": person.password}
        await http.post("/sign-in/my", data=form)
        page = await http.get("/second-factor/my")
        assert len(credential_ids(options_on(page))) == 2
        stranger = other.get(json.dumps({**json.loads(options_on(page)), "allowCredentials": []}))
        refused = await http.post("/second-factor/my/passkey", data={"credential": stranger})
        assert (refused.status_code, problem_on(refused)) == (400, "unknown")
        lifted = await show_passkey(http, refused, authenticator)
        assert lifted.headers["location"].startswith(f"{ISSUER}/my")
        assert (await http.get("/my/passkeys")).status_code == 200
    assert mine.credential.transports == ("usb",)
    kinds = [(event.type, json.loads(event.details)["method"]) for event in await events_of(provider, person)]
    assert ("citizen:stepped_up", "passkey") in kinds


async def test_the_session_begins_under_a_new_cookie(provider: Provider) -> None:
    """Abuse class 15: what was planted before signs nobody in."""
    _, authenticator = await person_with_passkey(provider)
    async with provider.http() as http:
        http.cookies.set("lienket-session", "planted")
        answer = await sign_in_by_passkey(http, authenticator)
    assert answer.status_code == 303
    assert "lienket-session=" in answer.headers["set-cookie"]
    assert "planted" not in answer.headers["set-cookie"]


async def test_an_answer_is_good_once(provider: Provider) -> None:
    """WebAuthn 13.4.3; abuse class 19. And a passkey that counts is not taken for a copy by it."""
    person, authenticator = await person_with_passkey(provider, **ROAMING)
    async with provider.http() as http:
        page = await http.get("/sign-in/my")
        credential = authenticator.get(options_on(page))
        for status in (303, 400):
            answer = await http.post("/sign-in/my/passkey", data={"credential": credential})
            assert answer.status_code == status
        assert problem_on(answer) == "outdated"
        assert (await sign_in_by_passkey(http, authenticator)).status_code == 303
    assert NoticeKind.AUTHENTICATOR_BLOCKED not in await notices_of(provider, person)


async def test_an_answer_is_good_in_the_browser_that_asked_and_for_what_was_asked(provider: Provider) -> None:
    """A page of an attacker's own browser cannot be answered from another one (abuse class 16)."""
    person, authenticator = await person_with_passkey(provider)
    async with provider.http() as http, provider.http() as other:
        credential = authenticator.get(options_on(await http.get("/sign-in/my")))
        await other.get("/sign-in/my")
        elsewhere = await other.post("/sign-in/my/passkey", data={"credential": credential})
        assert (elsewhere.status_code, problem_on(elsewhere)) == (400, "outdated")
        form = {"identifier": person.personal_number, "password": person.password}
        await http.post("/sign-in/my", data=form)
        wrong = await http.post("/second-factor/my/passkey", data={"credential": credential})
        assert (wrong.status_code, problem_on(wrong)) == (400, "outdated")


async def test_a_page_that_was_open_too_long_can_be_pressed_again(provider: Provider) -> None:
    _, authenticator = await person_with_passkey(provider)
    async with provider.http() as http:
        page = await http.get("/sign-in/my")
        provider.clock.advance(seconds=CHALLENGE_LIFETIME.total_seconds())
        late = await show_passkey(http, page, authenticator)
        assert (late.status_code, problem_on(late)) == (400, "outdated")
        assert (await show_passkey(http, late, authenticator)).status_code == 303


@pytest.mark.parametrize(
    ("lie", "problem"),
    [
        ({"verifies": False}, "not_verified"),
        ({"origin": "https://localhost.attacker.example"}, "failed"),
        ({"cross_origin": True}, "failed"),
    ],
)
async def test_what_does_not_prove_enough_is_said_in_words(
    provider: Provider, lie: dict[str, Any], problem: str
) -> None:
    _, authenticator = await person_with_passkey(provider)
    for name, value in lie.items():
        setattr(authenticator, name, value)
    async with provider.http() as http:
        answer = await sign_in_by_passkey(http, authenticator)
    assert (answer.status_code, problem_on(answer)) == (400, problem)
    assert "lienket-session=" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("credential", ["", "{", "[]", '{"id":"a"}', "[" * 3000, "\U0001f511", "null"])
async def test_what_is_no_passkey_is_refused(provider: Provider, credential: str) -> None:
    async with provider.http() as http:
        await http.get("/sign-in/my")
        answer = await http.post("/sign-in/my/passkey", data={"credential": credential})
    assert (answer.status_code, problem_on(answer)) == (400, "failed")


async def test_a_stranger_with_a_passkey_of_their_own_is_nobody_here(provider: Provider) -> None:
    _, known = await person_with_passkey(provider)
    stranger = known.copy()
    async with provider.http() as http:
        key = next(iter(stranger.keys.values()))
        stranger.keys = {b"never added": key}
        key.credential_id = b"never added"
        answer = await sign_in_by_passkey(http, stranger)
    assert (answer.status_code, problem_on(answer)) == (400, "unknown")


async def test_a_copy_is_blocked_written_down_and_told(provider: Provider) -> None:
    """WebAuthn 6.1.1: whose answer comes second is not known, so neither signs in any more."""
    person, authenticator = await person_with_passkey(provider, **ROAMING)
    copy = authenticator.copy()
    async with provider.http() as http, provider.http() as thief:
        assert (await sign_in_by_passkey(http, authenticator)).status_code == 303
        provider.clock.advance(seconds=1)
        answer = await sign_in_by_passkey(thief, copy)
        assert (answer.status_code, problem_on(answer)) == (400, "copied")
        again = await sign_in_by_passkey(http, authenticator)
        assert (again.status_code, problem_on(again)) == (400, "unknown")
    assert (await events_of(provider, person))[0].type == "authenticator:blocked"
    assert (await notices_of(provider, person))[0] is NoticeKind.AUTHENTICATOR_BLOCKED


async def test_the_account_of_whoever_is_locked_stays_closed(provider: Provider) -> None:
    person, authenticator = await person_with_passkey(provider)
    await set_citizen_status(provider, person, CitizenStatus.LOCKED)
    async with provider.http() as http:
        answer = await sign_in_by_passkey(http, authenticator)
    assert (answer.status_code, problem_on(answer)) == (403, "not_usable")


async def test_guesses_at_the_password_do_not_keep_the_passkey_out(provider: Provider) -> None:
    """Abuse case P5: whoever is attacked signs in with what cannot be guessed, from the same address."""
    person, authenticator = await person_with_passkey(provider)
    async with provider.http() as http:
        for _ in range(8):
            form = {"identifier": person.personal_number, "password": "guess"}
            answer = await http.post("/sign-in/my", data=form)
        assert answer.status_code == 429
        assert (await sign_in_by_passkey(http, authenticator)).status_code == 303


async def test_a_person_without_a_password_signs_in(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    authenticator = authenticator_of(provider)
    await give_passkey(provider, person, authenticator)
    async with provider.http() as http:
        assert (await sign_in_by_passkey(http, authenticator, "/sign-in/passkeys")).status_code == 303
        assert (await http.get("/my/passkeys")).status_code == 200


@pytest.mark.parametrize("path", ["/sign-in/my/passkey", "/second-factor/my/passkey"])
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://attacker.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_no_other_site_sends_the_form(provider: Provider, path: str, headers: dict[str, str]) -> None:
    """Abuse class 14: login CSRF."""
    _, authenticator = await person_with_passkey(provider)
    async with provider.http() as http:
        credential = authenticator.get(options_on(await http.get("/sign-in/my")))
        answer = await http.post(path, data={"credential": credential}, headers=headers)
    assert answer.status_code == 403
    assert "lienket-session=" not in answer.headers.get("set-cookie", "")
