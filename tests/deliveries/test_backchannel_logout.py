"""Back-Channel Logout 1.0 from the end of a session to the receiver, on both engines. SLO-01, SLO-02."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from idp.identity.citizens import CitizenStatus
from idp.protocol.delivery_schedule import PAUSES
from idp.protocol.jose import verify_jws
from idp.protocol.logout_token import EVENT
from idp.store.outbox_overview import State
from idp.store.sessions import LOOK_AFTER
from tests.support.deliveries import delivered, work_off, world_of
from tests.support.html_forms import Html
from tests.support.platform import Platform
from tests.support.protocol_builders import ES256, OTHER, make_grant, public_jwk
from tests.support.provider import Person, Provider
from tests.support.receiver import Received, Receiver, receiver
from tests.support.shared_provider import anyio_backend, change_client, new_platform, provider

__all__ = ["anyio_backend", "provider"]

pytestmark = pytest.mark.anyio
GOLDEN = Path(__file__).parent.parent / "golden" / "logout_token.json"


@pytest.fixture
async def hook(anyio_backend: str) -> AsyncIterator[Receiver]:
    async with receiver() as listening:
        yield listening


async def listening_platform(provider: Provider, hook: Receiver, **metadata: object) -> Platform:
    return await new_platform(provider, {"backchannel_logout_uri": hook.uri} | metadata, min_acr="vn-1")


async def sign_out(browser: Any) -> None:
    page = await browser.get("/my/accounts")
    assert page.status_code == 200, page.headers
    answer = await browser.post("/my/sign-out", data=Html(page.text).forms["sign-out"].fields)
    assert answer.status_code == 303


def claims_in(received: Received) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(received.form["logout_token"][0], options={"verify_signature": False})
    return claims


async def person_without_code(provider: Provider) -> Person:
    return await provider.add_person(has_totp=False)


async def test_slo_01_slo_02_who_got_tokens_in_the_session_is_told_when_it_ends(
    provider: Provider, hook: Receiver
) -> None:
    platform, person = await listening_platform(provider, hook), await person_without_code(provider)
    async with provider.http() as browser:
        tokens = await platform.tokens_for(browser, person, None)
        await delivered(provider)
        assert hook.received == [], "the session lives"
        await sign_out(browser)
    await delivered(provider)
    (request,) = hook.received
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert list(request.form) == ["logout_token"]
    token = request.form["logout_token"][0]
    keys = provider.context.published.verification_keys
    verified = verify_jws(
        token, keys, algorithms=frozenset({platform.client.id_token_signed_response_alg}), typ="logout+jwt"
    )
    id_token = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    claims = dict(verified.claims)
    assert claims["sub"] == id_token["sub"]
    assert claims["sid"] == id_token["sid"]
    assert claims["aud"] == platform.client.client_id
    assert claims["exp"] - claims["iat"] == 120
    golden = json.loads(GOLDEN.read_text())
    assert set(verified.header) == set(golden["header"])
    assert claims.keys() == golden["claims"].keys()
    assert claims["events"] == golden["claims"]["events"] == {EVENT: {}}
    assert "nonce" not in claims


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
async def test_it_is_signed_as_the_clients_id_tokens_are(
    provider: Provider, hook: Receiver, algorithm: str
) -> None:
    platform = await listening_platform(provider, hook, id_token_signed_response_alg=algorithm)
    async with provider.http() as browser:
        await platform.tokens_for(browser, await person_without_code(provider), None)
        await sign_out(browser)
    await delivered(provider)
    token = hook.received[0].form["logout_token"][0]
    keys = provider.context.published.verification_keys
    assert verify_jws(token, keys, algorithms=frozenset({algorithm}), typ="logout+jwt").header["kid"]


async def test_it_is_encrypted_for_a_client_whose_id_tokens_are(provider: Provider, hook: Receiver) -> None:
    key = {**public_jwk(OTHER, "mine"), "use": "enc"}
    platform = await listening_platform(provider, hook, jwks={"keys": [public_jwk(ES256, "sig"), key]})
    client_id = platform.client.client_id
    async with provider.http() as browser:
        await platform.tokens_for(browser, await person_without_code(provider), None)
        await change_client(provider, client_id, id_token_encrypted_response_alg="ECDH-ES")
        await sign_out(browser)
    await delivered(provider)
    envelope = jwe.decrypt_compact(
        hook.received[0].form["logout_token"][0], ECKey.import_key(OTHER), ["ECDH-ES", "A256GCM"]
    )
    assert envelope.headers()["cty"] == "JWT"
    keys = provider.context.published.verification_keys
    inner = (envelope.plaintext or b"").decode()
    algorithms = frozenset({platform.client.id_token_signed_response_alg})
    assert verify_jws(inner, keys, algorithms=algorithms, typ="logout+jwt").claims["aud"] == client_id


async def test_nothing_leaves_unencrypted_while_the_client_has_no_key_for_it(
    provider: Provider, hook: Receiver
) -> None:
    platform = await listening_platform(provider, hook)
    client_id = platform.client.client_id
    async with provider.http() as browser:
        await platform.tokens_for(browser, await person_without_code(provider), None)
        await change_client(
            provider,
            client_id,
            jwks={"keys": [public_jwk(ES256)]},
            id_token_encrypted_response_alg="RSA-OAEP-256",
        )
        await sign_out(browser)
    await delivered(provider)
    assert hook.received == []
    (waiting,) = await provider.unit_of_work().outbox_overview.page(State.RETRIED, client_id=client_id)
    assert "no key to encrypt to" in str(waiting.last_failure)


async def test_each_attempt_makes_a_fresh_token_and_a_failing_receiver_is_asked_again(
    provider: Provider, hook: Receiver
) -> None:
    platform, person = await listening_platform(provider, hook), await person_without_code(provider)
    hook.status = "503 Busy"
    async with provider.http() as browser:
        await platform.tokens_for(browser, person, None)
        await sign_out(browser)
    async with world_of(provider) as world:
        await work_off(world)
        hook.status = "204 No Content"
        provider.clock.now += max(*LOOK_AFTER, PAUSES[0])
        await work_off(world)
        await work_off(world)
    first, second = map(claims_in, hook.received)
    assert first["jti"] != second["jti"]
    assert second["iat"] > first["iat"]
    assert (first["sub"], first["sid"]) == (second["sub"], second["sid"])


@pytest.mark.parametrize("status", ["301 Moved", "307 Over There", "400 Bad Request", "500 Broken"])
async def test_only_success_is_a_receipt(provider: Provider, hook: Receiver, status: str) -> None:
    platform, person = await listening_platform(provider, hook), await person_without_code(provider)
    async with receiver() as elsewhere, provider.http() as browser:
        hook.status, hook.headers = status, {"Location": elsewhere.uri}
        await platform.tokens_for(browser, person, None)
        await sign_out(browser)
        await delivered(provider)
        assert elsewhere.received == []
    outbox = provider.unit_of_work().outbox_overview
    (waiting,) = await outbox.page(State.RETRIED, client_id=platform.client.client_id)
    assert waiting.last_failure == f"the answer was {status[:3]}"


async def test_every_client_of_the_session_is_told_and_none_that_was_not_in_it(
    provider: Provider, hook: Receiver
) -> None:
    person = await person_without_code(provider)
    async with receiver() as other_hook, receiver() as silent_hook, provider.http() as browser:
        first = await listening_platform(provider, hook)
        second = await listening_platform(provider, other_hook)
        await listening_platform(provider, silent_hook)
        deaf = await new_platform(provider, min_acr="vn-1")
        for platform in (first, second, deaf, first):
            await platform.tokens_for(browser, person, None)
        async with provider.http() as another_browser:
            await second.tokens_for(another_browser, person, None)
        await sign_out(browser)
        await delivered(provider)
        told = [claims_in(got) for got in (*hook.received, *other_hook.received)]
        assert [claims["aud"] for claims in told] == [first.client.client_id, second.client.client_id]
        assert told[0]["sub"] != told[1]["sub"]
        assert told[0]["sid"] != told[1]["sid"], "two platforms cannot tell that it was one session"
        assert silent_hook.received == []


async def test_a_suspended_citizen_is_signed_out_everywhere(provider: Provider, hook: Receiver) -> None:
    platform, person = await listening_platform(provider, hook), await person_without_code(provider)
    for _ in range(2):
        async with provider.http() as browser:
            await platform.tokens_for(browser, person, None)
    uow, now = provider.unit_of_work(), provider.clock.now
    uow.citizens.set_status(person.citizen_id, CitizenStatus.ACTIVE, CitizenStatus.LOCKED, now)
    uow.sessions.end_of_citizen(person.citizen_id, now)
    await uow.commit()
    await delivered(provider)
    told = [claims_in(got) for got in hook.received]
    assert len({claims["sid"] for claims in told}) == len(told) == 2
    assert len({claims["sub"] for claims in told}) == 1


async def test_a_code_redeemed_in_the_moment_of_the_end_is_found_by_the_second_look(
    provider: Provider, hook: Receiver
) -> None:
    platform, person = await listening_platform(provider, hook), await person_without_code(provider)
    async with provider.http() as browser:
        form = {"identifier": person.personal_number, "password": person.password}
        await browser.post("/sign-in/my", data=form)
        found = await provider.unit_of_work().sessions.find(browser.cookies["lienket-session"])
        await sign_out(browser)
    assert found is not None
    async with world_of(provider) as world:
        await work_off(world)
    uow = provider.unit_of_work()
    late = {"client_id": platform.client.client_id, "citizen_id": person.citizen_id, "link_id": None}
    uow.grants.add(
        make_grant(grant_id=f"late-{person.citizen_id}", session_id=found.session.session_id, **late)
    )
    await uow.commit()
    await delivered(provider)
    assert [claims_in(got)["aud"] for got in hook.received] == [platform.client.client_id]


async def test_a_client_that_left_or_wants_to_hear_nothing_any_more_is_not_told(
    provider: Provider, hook: Receiver
) -> None:
    platform, person = await listening_platform(provider, hook), await person_without_code(provider)
    async with provider.http() as browser:
        await platform.tokens_for(browser, person, None)
        await sign_out(browser)
    hook.status = "503 Busy"
    async with world_of(provider) as world:
        await work_off(world)
        assert len(hook.received) == 1
        await change_client(provider, platform.client.client_id, backchannel_logout_uri=None)
        provider.clock.now += max(*LOOK_AFTER, PAUSES[0])
        await work_off(world)
    assert len(hook.received) == 1
    assert not await provider.unit_of_work().outbox_overview.page(
        State.WAITING, client_id=platform.client.client_id
    )


async def test_a_session_that_runs_out_tells_nobody(provider: Provider, hook: Receiver) -> None:
    """Decision: nobody signed out, and platforms keep sessions of their own (rule R16)."""
    platform, person = await listening_platform(provider, hook), await person_without_code(provider)
    async with provider.http() as browser:
        await platform.tokens_for(browser, person, None)
        provider.clock.advance(hours=13)
        assert (await browser.get("/my/accounts")).status_code == 303
    await delivered(provider)
    assert hook.received == []
