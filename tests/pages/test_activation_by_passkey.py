"""A first activation without any password, on both engines: the passkey is made where the code is used."""

import pytest

from idp.identity.activation_grounds import Purpose
from idp.identity.activations import ActivationStatus
from idp.store.encoding import load_mapping
from tests.support.activations import issue, state_of, typed
from tests.support.html_forms import Html
from tests.support.passkeys import authenticator_of, options_on, sign_in_by_passkey
from tests.support.provider import Provider

pytestmark = pytest.mark.anyio


async def test_a_passkey_is_made_with_the_code_and_signs_in_from_then_on(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed, device = await issue(provider, person), authenticator_of(provider)
    async with provider.http() as browser:
        address = (await typed(browser, person.personal_number, handed.code)).headers["location"]
        page = await browser.get(address)
        assert Html(page.text).forms["passkey"].action == f"{address}/passkey"
        data = {"credential": device.create(options_on(page))}
        done = await browser.post(f"{address}/passkey", data=data)
        assert (done.status_code, done.headers["location"]) == (303, address)
        assert "sẵn sàng" in (await browser.get(address)).text
        assert (await browser.get("/my/sessions")).status_code == 200
        again = await browser.post(f"{address}/passkey", data=data)
        assert again.status_code == 200, "it is done"
    async with provider.http() as elsewhere:
        assert (await sign_in_by_passkey(elsewhere, device)).status_code == 303
    used = next(
        event
        for event in await provider.unit_of_work().ledger.unsealed(100_000)
        if event.type == "activation:used" and event.citizen_id == person.citizen_id
    )
    said = load_mapping(used.details)
    assert said["acr"] == "vn-2"
    assert "phr" in said["amr"].split()


async def test_what_is_no_passkey_costs_no_code(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed, device = await issue(provider, person), authenticator_of(provider)
    async with provider.http() as browser, provider.http() as thief:
        address = (await typed(browser, person.personal_number, handed.code)).headers["location"]
        options = options_on(await browser.get(address))
        for credential in ("", "{}", "x" * 9000, device.create(options).replace("public-key", "key")):
            refused = await browser.post(f"{address}/passkey", data={"credential": credential})
            assert refused.status_code == 400
            assert len(credential) > 8000 or "passkey-problem" in refused.text, credential
        stolen = await thief.post(f"{address}/passkey", data={"credential": device.create(options)})
        assert stolen.headers["location"].endswith("?again=1"), "the code was not typed there"
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            data = {"credential": device.create(options)}
            assert (await browser.post(f"{address}/passkey", data=data, headers=headers)).status_code == 403
    assert (await state_of(provider, handed)).status is ActivationStatus.ISSUED


async def test_beside_a_password_no_passkey_is_made_before_the_password_is_shown(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    handed = await issue(provider, person, Purpose.ADDITION)
    async with provider.http() as browser:
        address = (await typed(browser, person.personal_number, handed.code)).headers["location"]
        assert "passkey" not in Html((await browser.get(address)).text).forms
        answer = await browser.post(f"{address}/passkey", data={"credential": "{}"})
        assert answer.headers["location"] == address
    assert (await state_of(provider, handed)).status is ActivationStatus.ISSUED
