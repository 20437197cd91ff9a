"""The device grant over HTTP, on both engines. RFC 8628."""

import re

import jwt
import pytest

from idp.protocol.profiles import DEVICE_GRANT
from tests.support.decoupled import DevicePlatform, device_platform, press, type_code
from tests.support.html_forms import Html
from tests.support.platform import LINK
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import new_platform, suspend_client

pytestmark = pytest.mark.anyio


async def answered(
    provider: Provider, device: DevicePlatform, person: Person, decision: str = "allow", **asked: str
) -> str:
    """Begin at a device, type its code elsewhere, answer; return the device code."""
    async with provider.http() as tv, provider.http() as phone:
        begun = await device.begun(tv, **asked)
        typed = await type_code(provider, phone, person, begun["user_code"])
        assert typed.status_code == 303, typed.text
        form = Html((await phone.get(typed.headers["location"])).text).forms["approval"]
        assert (await press(phone, form, decision)).status_code == 200
        return str(begun["device_code"])


async def test_a_device_shows_a_code_somebody_types_it_and_the_device_is_signed_in(
    provider: Provider,
) -> None:
    """RFC 8628 §3.2, §3.4, §3.5."""
    device = await device_platform(provider)
    person = await provider.add_person()
    async with provider.http() as tv, provider.http() as phone:
        answer = await device.begin(tv, scope="openid offline_access")
        assert answer.headers["cache-control"] == "no-store"
        begun = answer.json()
        assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", begun["user_code"])
        assert begun["verification_uri"] == f"{ISSUER}/device"
        assert begun["verification_uri_complete"] == f"{ISSUER}/device?user_code={begun['user_code']}"
        assert (begun["expires_in"], begun["interval"]) == (600, 5)
        device_code = begun["device_code"]
        errors = [(await device.token(tv, device_code)).json()["error"] for _ in range(2)]
        assert errors == ["authorization_pending", "slow_down"]
        typed = await type_code(provider, phone, person, begun["user_code"].lower().replace("-", " "))
        page = Html((await phone.get(typed.headers["location"])).text)
        assert "Quán Cóc" in page.text
        await press(phone, page.forms["approval"])
        tokens = await device.token(tv, device_code)
        assert tokens.status_code == 200, tokens.text
        claims = jwt.decode(tokens.json()["id_token"], options={"verify_signature": False})
        assert claims["aud"] == device.platform.client.client_id
        assert claims["acr"] == f"{ISSUER}/acr/vn-2"
        assert "refresh_token" in tokens.json()
        again = await device.token(tv, device_code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        userinfo = await tv.get(
            "/userinfo", headers={"Authorization": f"Bearer {tokens.json()['access_token']}"}
        )
        assert userinfo.json()["sub"] == claims["sub"]


async def test_a_refusal_and_the_end_of_the_time_are_told(provider: Provider) -> None:
    device = await device_platform(provider)
    person = await provider.add_person()
    denied = await answered(provider, device, person, "deny")
    async with provider.http() as tv:
        over = (await device.begun(tv))["device_code"]
        told = await device.token(tv, denied)
        assert (told.status_code, told.json()["error"]) == (400, "access_denied")
        provider.clock.advance(minutes=10)
        told = await device.token(tv, over)
        assert (told.status_code, told.json()["error"]) == (400, "expired_token")


async def test_a_confidential_client_proves_itself_and_keeps_its_code(provider: Provider) -> None:
    """Abuse class 7: another client gets nothing for it; a device code is no auth_req_id."""
    basic = {"token_endpoint_auth_method": "client_secret_basic"}
    device, other = await device_platform(provider, basic), await device_platform(provider, basic)
    person = await provider.add_person()
    device_code = await answered(provider, device, person, scope="openid")
    async with provider.http() as http:
        for refused in (await other.token(http, device_code), await device.token(http, "x")):
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        bare = await http.post("/device-authorization", data={"client_id": device.platform.client.client_id})
        assert (bare.status_code, bare.json()["error"]) == (401, "invalid_client")
        assert (await device.token(http, device_code)).status_code == 200


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid account_links.read"}, "invalid_scope"),
        ({"scope": "openid", "authorization_details": f"[{LINK}]"}, "invalid_request"),
        ({"scope": "openid", "resource": "https://other.example"}, "invalid_target"),
        ({"scope": "openid", "claims": "{"}, "invalid_request"),
    ],
    ids=str,
)
async def test_what_a_device_may_not_ask_for(provider: Provider, sent: dict[str, str], error: str) -> None:
    """Abuse case P1: no account is ever linked this way."""
    device = await device_platform(provider)
    async with provider.http() as tv:
        answer = await device.begin(tv, **sent)
    assert (answer.status_code, answer.json()["error"]) == (400, error), answer.text


async def test_only_clients_registered_for_it_begin(provider: Provider) -> None:
    platform = await new_platform(provider)
    device = await device_platform(provider)
    async with provider.http() as http:
        answer = await http.post("/device-authorization", data={"scope": "openid"}, auth=platform.auth)
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
        form = {"grant_type": DEVICE_GRANT, "device_code": "x"}
        assert (await http.post("/token", data=form, auth=platform.auth)).json()["error"] == (
            "unauthorized_client"
        )
        twice = await http.post(
            "/device-authorization",
            content=f"client_id={device.platform.client.client_id}&scope=openid&scope=profile",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert twice.json()["error"] == "invalid_request"
        await suspend_client(provider, device.platform.client.client_id)
        assert (await device.begin(http)).status_code == 401


async def test_nobody_fills_the_table_from_one_place(provider: Provider) -> None:
    """A public client proves nothing, so its requests are counted per source."""
    device = await device_platform(provider)
    async with provider.http(address="198.51.100.77") as flood, provider.http() as tv:
        statuses = [(await device.begin(flood)).status_code for _ in range(101)]
        assert statuses == [200] * 100 + [400]
        assert (await device.begin(flood)).json()["error"] == "slow_down"
        assert (await device.begin(tv)).status_code == 200
