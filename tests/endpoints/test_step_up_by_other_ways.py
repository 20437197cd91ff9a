"""Step-up where there is more than a code: passkeys and phones, where they are what is missing. Rule R2."""

import json
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest
from webauthn.helpers import bytes_to_base64url

from idp.authenticators.passkey_models import AttestationDemand, AuthenticatorModel, PasskeyPolicy
from idp.authenticators.phone_approvals import ASKING_LIFETIME
from tests.support.before_doors import form_of, with_passkey
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
from tests.support.phones import Desk, Phone, add_phone
from tests.support.platform import LINK, Platform, query_of
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform
from tests.support.software_authenticator import Maker

pytestmark = pytest.mark.anyio

SELLING = {"authorization_details": json.dumps([LINK | {"purpose": "livestream_commerce"}])}
ACR = f"{ISSUER}/acr/vn-2"


def essential(*values: str) -> dict[str, str]:
    return {"claims": json.dumps({"id_token": {"acr": {"essential": True, "values": list(values)}}})}


async def finished(http: httpx.AsyncClient, platform: Platform, answer: httpx.Response) -> dict[str, Any]:
    """Agree where that is asked, and return what the platform is told."""
    while answer.headers["location"].startswith(ISSUER):
        location = answer.headers["location"]
        if "/consent/" in location:
            answer = await http.post(location, data={"decision": "allow"})
        else:
            assert "/authorize/" in location, location
            answer = await http.get(location)
    tokens = (await platform.redeem(http, query_of(answer.headers["location"])["code"])).json()
    told: dict[str, Any] = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    return told


@pytest.mark.parametrize("demand", [SELLING, {"acr_values": "vn-2"}, essential("phr"), {"acr_values": "phr"}])
async def test_a_passkey_is_one_page_whatever_is_asked(provider: Provider, demand: dict[str, str]) -> None:
    platform = await new_platform(provider)
    _, authenticator = await with_passkey(provider)
    async with provider.http() as http:
        begun = await http.get("/authorize", params=platform.request(**demand))
        answer = await sign_in_by_passkey(http, authenticator, begun.headers["location"])
        told = await finished(http, platform, answer)
    assert told["acr"] == ("phr" if "phr" in str(demand) else ACR)
    assert {"swk", "user", "phr"} <= set(told["amr"])


async def test_a_passkey_after_an_old_password_is_fresh_by_itself(provider: Provider) -> None:
    """OpenID Connect Core §2: what was shown now is enough alone, so `auth_time` is now."""
    platform = await new_platform(provider)
    person, authenticator = await with_passkey(provider)
    async with provider.http() as http:
        before = await platform.tokens_for(http, person)
        provider.clock.advance(minutes=14)
        begun = await http.get("/authorize", params=platform.request(**SELLING))
        assert "/second-factor/" in begun.headers["location"]
        page = await http.get(begun.headers["location"])
        assert "second-factor" not in Html(page.text).forms, "there is no app that makes codes"
        told = await finished(http, platform, await show_passkey(http, page, authenticator))
        first = jwt.decode(before["id_token"], options={"verify_signature": False})
        assert told["auth_time"] == first["auth_time"] + 14 * 60
        assert told["acr"] == ACR
        provider.clock.advance(minutes=14)
        silent = await http.get("/authorize", params=platform.request(**SELLING, prompt="none"))
        assert "code" in query_of(silent.headers["location"])
        provider.clock.advance(minutes=2)
        old = await http.get("/authorize", params=platform.request(**SELLING))
        again = await sign_in_by_passkey(http, authenticator, old.headers["location"])
        assert (await finished(http, platform, again))["acr"] == ACR


@pytest.mark.parametrize("values", [["phrh"], [f"{ISSUER}/acr/phrh"]])
async def test_a_key_that_hardware_is_not_known_to_hold_is_no_phrh(
    provider: Provider, values: list[str]
) -> None:
    platform = await new_platform(provider)
    _, authenticator = await with_passkey(provider)
    async with provider.http() as http:
        begun = await http.get("/authorize", params=platform.request(**essential(*values)))
        answer = await sign_in_by_passkey(http, authenticator, begun.headers["location"])
        told = await http.get(answer.headers["location"])
        assert query_of(told.headers["location"])["error"] == "unmet_authentication_requirements"
        either = essential(*values, "phr")
        begun = await http.get("/authorize", params=platform.request(**either))
        assert (await finished(http, platform, begun))["acr"] == "phr"


async def test_vn_3_is_reached_by_a_passkey_whose_biometric_is_known(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Password and code were shown; what is missing is a finger on a model that the policy believes."""
    platform, person = await new_platform(provider), await provider.add_person()
    aaguid = "6f1d7a52-9c0e-4b7d-8a55-21c3f0a4be19"
    maker = Maker(aaguid)
    key = authenticator_of(provider, aaguid=aaguid, maker=maker, **ROAMING)
    other = authenticator_of(provider)
    model = AuthenticatorModel(aaguid, "Chìa khoá vân tay", "fpt")
    policy = PasskeyPolicy(AttestationDemand.RECORDED, (maker.root,), {aaguid: model})
    monkeypatch.setitem(provider.state, "context", replace(provider.context, passkey_policy=policy))
    await give_passkey(provider, person, other)
    async with provider.http() as http:
        await platform.tokens_for(http, person)
        refused = await http.get("/authorize", params=platform.request(**essential("vn-3")))
        assert query_of(refused.headers["location"])["error"] == "unmet_authentication_requirements"
        await give_passkey(provider, person, key)
        begun = await http.get("/authorize", params=platform.request(**essential("vn-3")))
        assert "/second-factor/" in begun.headers["location"]
        page = await http.get(begun.headers["location"])
        assert credential_ids(options_on(page)) == [bytes_to_base64url(each) for each in key.keys]
        told = await finished(http, platform, await show_passkey(http, page, key))
    assert told["acr"] == f"{ISSUER}/acr/vn-3"
    assert {"pwd", "hwk", "fpt", "phrh"} <= set(told["amr"])


async def test_a_phone_is_asked_for_what_it_shows_and_never_for_what_it_does_not(provider: Provider) -> None:
    """An approval with number and PIN is `vn-2` and fresh; it is no `phr`, and not offered for that."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http, provider.http(address="192.0.2.220") as pocket:
        phone = Phone(pocket)
        await add_phone(provider, person, phone)
        first = await platform.tokens_for(http, person)
        provider.clock.advance(minutes=5)
        begun = await http.get("/authorize", params=platform.request(**SELLING))
        location = begun.headers["location"].removeprefix(ISSUER)
        page = Html((await http.get(location)).text)
        assert {"second-factor", "ask-phone"} <= page.forms.keys(), "both would do"
        desk = Desk(http, f"{location}/phone")
        path = await phone.taken(await desk.ask())
        assert "livestream" not in (await pocket.get(path)).text
        assert LINK["handle"] in (await pocket.get(path)).text, "the phone says which account it is about"
        assert (await phone.answer(path, await desk.number())).status_code == 200
        told = await finished(http, platform, await desk.finish())
        assert told["acr"] == ACR
        assert set(told["amr"]) == {"pin", "swk", "mfa"}
        before = jwt.decode(first["id_token"], options={"verify_signature": False})
        assert told["auth_time"] >= before["auth_time"] + 5 * 60
        refused = await http.get("/authorize", params=platform.request(**essential("phr")))
        error = query_of(refused.headers["location"])["error"]
    assert error == "unmet_authentication_requirements"


async def test_what_was_asked_stays_while_a_phone_is_looked_for(provider: Provider) -> None:
    """No dead end: a request that nobody answered is over, and the code still does."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http, provider.http(address="192.0.2.221") as pocket:
        phone = Phone(pocket)
        await add_phone(provider, person, phone)
        begun = await http.get("/authorize", params=platform.request(**SELLING))
        page = begun.headers["location"].removeprefix(ISSUER)
        answer = await http.post(page, data=form_of(person))
        location = (await http.get(answer.headers["location"])).headers["location"].removeprefix(ISSUER)
        desk = Desk(http, f"{location}/phone")
        await desk.ask()
        provider.clock.advance(seconds=ASKING_LIFETIME.total_seconds())
        assert "/second-factor/" in (await desk.finish()).headers["location"]
        lifted = await http.post(location, data={"code": person.code(provider.clock.now)})
        told = await finished(http, platform, lifted)
    assert told["acr"] == ACR
    assert told["account_link"]["account_id"] == LINK["account_id"]
