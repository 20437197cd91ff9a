"""Abuse classes 6, 7, 8, 24, 28: a secret opens its own door, for its own client, whole, and no other."""

import secrets
from collections.abc import Awaitable, Callable

import httpx
import pytest

from idp.protocol.client_authentication import ASSERTION_TYPE
from idp.protocol.profiles import CIBA_GRANT, CLIENT_CREDENTIALS_GRANT, DEVICE_GRANT
from tests.support.platform import Platform
from tests.support.protocol_builders import JWKS, sign
from tests.support.provider import ISSUER, Provider
from tests.support.registrations_online import bearer, initial_token, register
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

METADATA: dict[str, object] = {
    "grant_types": ["authorization_code", "refresh_token", CIBA_GRANT, DEVICE_GRANT],
    "backchannel_token_delivery_mode": "poll",
    "post_logout_redirect_uris": ["https://net.example/signed-out"],
}
Door = Callable[[str], Awaitable[httpx.Response]]


def doors(http: httpx.AsyncClient, platform: Platform, managed: str) -> dict[str, Door]:
    """Every place that takes a secret, by the secret it is for."""

    def form(path: str, name: str, **more: str) -> Door:
        return lambda value: http.post(path, data=more | {name: value}, auth=platform.auth)

    def header(path: str, scheme: str = "Bearer") -> Door:
        return lambda value: http.get(path, headers={"Authorization": f"{scheme} {value}"})

    client_id, redeem = platform.client.client_id, {"code_verifier": platform.verifier}
    redeem |= {"grant_type": "authorization_code", "redirect_uri": platform.client.redirect_uris[0]}
    metadata = {"redirect_uris": ["https://other.example/cb"], "client_name": "x"}
    return {
        "code": form("/token", "code", **redeem),
        "refresh_token": form("/token", "refresh_token", grant_type="refresh_token"),
        "auth_req_id": form("/token", "auth_req_id", grant_type=CIBA_GRANT),
        "device_code": form("/token", "device_code", grant_type=DEVICE_GRANT),
        "access_token": header("/userinfo"),
        "access_token at our API": header("/account-links"),
        "initial_token": lambda value: http.post("/register", json=metadata, headers=bearer(value)),
        "registration_token": header(f"/register/{managed}"),
        "request_uri": lambda value: http.get(
            "/authorize", params={"client_id": client_id, "request_uri": value}
        ),
        "cookie": lambda value: http.get("/my/accounts", headers={"Cookie": f"lienket-session={value}"}),
        "introspection": form("/introspect", "token"),
        "hint at sign-out": lambda value: http.get("/end_session", params={"id_token_hint": value}),
        "secret": lambda value: http.post("/par", data=platform.request(), auth=(client_id, value)),
    }


OPENS = {
    "code": {"code"},
    "refresh_token": {"refresh_token", "introspection"},
    "auth_req_id": {"auth_req_id"},
    "device_code": {"device_code"},
    "access_token": {"access_token", "introspection"},
    "opaque_access_token": {"access_token"},
    "id_token": {"hint at sign-out"},
    "initial_token": {"initial_token"},
    "registration_token": {"registration_token"},
    "request_uri": {"request_uri"},
    "request_uri's secret": set[str](),
    "cookie": {"cookie"},
    "user_code": set[str](),
    "client_id": set[str](),
}
"""Which doors each secret opens; every other one stays shut."""


def is_open(door: str, answer: httpx.Response) -> bool:
    assert answer.status_code < 500, (door, answer.text)
    if door == "introspection":
        return answer.status_code == 200 and answer.json() != {"active": False}
    if door == "cookie":
        return "/sign-in/" not in answer.headers.get("location", "")
    if answer.status_code == 400 and answer.headers["content-type"] == "application/json":
        return answer.json()["error"] in {"authorization_pending", "slow_down"}
    return answer.status_code < 400


async def every_secret(
    provider: Provider, http: httpx.AsyncClient, platform: Platform
) -> tuple[dict[str, str], str]:
    person = await provider.add_person(has_totp=False)
    opaque = await new_platform(provider, access_token_format="opaque")
    tokens = await platform.tokens_for(http, person, None)
    subject = provider.context.custody.data.pairwise_subject(platform.client.sector, person.citizen_id)
    form = {"scope": "openid", "login_hint": subject}
    ciba = (await http.post("/backchannel-authentication", data=form, auth=platform.auth)).json()
    device = await http.post("/device-authorization", data={"scope": "openid"}, auth=platform.auth)
    registered = await register(http, provider)
    request_uri = (await platform.push(http, account_id=None)).json()["request_uri"]
    return {
        "code": await platform.code_for(http, person, None),
        "refresh_token": tokens["refresh_token"],
        "auth_req_id": ciba["auth_req_id"],
        "device_code": device.json()["device_code"],
        "user_code": device.json()["user_code"],
        "access_token": tokens["access_token"],
        "opaque_access_token": (await opaque.tokens_for(http, person, None))["access_token"],
        "id_token": tokens["id_token"],
        "initial_token": await initial_token(provider),
        "registration_token": registered.token,
        "request_uri": request_uri,
        "request_uri's secret": request_uri.rpartition(":")[2],
        "cookie": http.cookies["lienket-session"],
        "client_id": platform.client.client_id,
    }, registered.client_id


async def test_no_secret_opens_another_door(provider: Provider) -> None:
    """CVE-2026-4325, CVE-2026-37982, CVE-2025-46815, KC #48902: each kind has a namespace of its own."""
    platform = await new_platform(provider, METADATA)
    async with provider.http() as browser, provider.http() as http:
        held, managed = await every_secret(provider, browser, platform)
        shut = doors(http, platform, managed)
        assert held.keys() == OPENS.keys()
        for kind, value in held.items():
            for door in sorted(shut.keys() - OPENS[kind]):
                assert not is_open(door, await shut[door](value)), f"{kind} at {door}"
        for kind, opened in OPENS.items():
            for door in sorted(opened):
                assert is_open(door, await shut[door](held[kind])), f"{kind} at {door}, its own"


async def test_no_door_opens_for_another_client(provider: Provider) -> None:
    """CVE-2026-55672, KC CVE-2026-94215, canaille: codes, tokens, ids, requests, registrations."""
    platform, thief = await new_platform(provider, METADATA), await new_platform(provider, METADATA)
    thief.verifier = platform.verifier
    async with provider.http() as browser, provider.http() as http:
        held, managed = await every_secret(provider, browser, platform)
        other = await register(http, provider)
        shut = doors(http, thief, other.client_id)
        for kind in ("code", "refresh_token", "auth_req_id", "device_code", "request_uri"):
            assert not is_open(kind, await shut[kind](held[kind])), kind
        assert not is_open("introspection", await shut["introspection"](held["access_token"]))
        assert not is_open("introspection", await shut["introspection"](held["refresh_token"]))
        assert not is_open("registration_token", await shut["registration_token"](held["registration_token"]))
        for kind in ("access_token", "refresh_token"):
            revoked = await http.post("/revoke", data={"token": held[kind]}, auth=thief.auth)
            assert revoked.status_code == 400, kind
        own = doors(http, platform, managed)
        for kind in ("access_token", "refresh_token", "registration_token", "code", "auth_req_id"):
            assert is_open(kind, await own[kind](held[kind])), f"{kind} is what it was"


async def test_no_door_opens_for_a_part_of_a_secret(provider: Provider) -> None:
    """Class 28 (CVE-2026-27840): one character less, one more, another case, padding, a NUL."""
    platform = await new_platform(provider, METADATA)
    async with provider.http() as browser, provider.http() as http:
        held, managed = await every_secret(provider, browser, platform)
        own = doors(http, platform, managed)
        for kind, opened in OPENS.items():
            value = held[kind]
            for broken in (value[:-1], value[1:], value + "A", value + "=", value.swapcase()):
                for door in sorted(opened):
                    assert not is_open(door, await own[door](broken)), f"{kind} at {door}: {broken}"
        for kind in ("code", "refresh_token", "auth_req_id", "device_code"):
            assert not is_open(kind, await own[kind](held[kind] + "\x00"))


class Signing:
    """A client that proves itself with assertions, and a good request of it for every endpoint."""

    def __init__(self, provider: Provider, platform: Platform, subject: str) -> None:
        self.provider, self.platform, self.client_id = provider, platform, platform.client.client_id
        self.requests: dict[str, dict[str, str]] = {
            "/par": platform.request(None),
            "/introspect": {"token": "x"},
            "/revoke": {"token": "x"},
            "/backchannel-authentication": {"scope": "openid", "login_hint": subject},
            "/device-authorization": {"scope": "openid"},
        }

    def proof(self) -> dict[str, str]:
        now = int(self.provider.clock.now.timestamp())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": ISSUER, "iat": now, "exp": now + 60}
        signed = sign(claims | {"jti": secrets.token_urlsafe(8)})
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


async def signing(provider: Provider, http: httpx.AsyncClient) -> Signing:
    keys: dict[str, object] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}
    platform, person = (
        await new_platform(provider, METADATA | keys),
        await provider.add_person(has_totp=False),
    )
    neighbour = await new_platform(provider, sector=platform.client.sector)
    async with provider.http() as browser:
        await neighbour.tokens_for(browser, person, None)
    subject = provider.context.custody.data.pairwise_subject(platform.client.sector, person.citizen_id)
    here = Signing(provider, platform, subject)
    asked = await http.post(
        "/backchannel-authentication", data=here.requests["/backchannel-authentication"] | here.proof()
    )
    here.requests["/token"] = {"grant_type": CIBA_GRANT, "auth_req_id": asked.json()["auth_req_id"]}
    return here


async def test_one_assertion_is_good_for_one_endpoint_of_all(provider: Provider) -> None:
    """Class 8 (GHSA-3p3g-vpw6-4w66), TOK-20: taken or refused, at each endpoint, and at each one after it."""
    async with provider.http() as http:
        here = await signing(provider, http)
        for first, request in here.requests.items():
            proof = here.proof()
            assert (await http.post(first, data=request | proof)).status_code != 401, first
            for path, good in here.requests.items():
                again = await http.post(path, data=good | proof)
                assert (again.status_code, again.json()["error"]) == (401, "invalid_client"), (first, path)


async def test_no_secret_of_a_client_without_the_grant_is_one(provider: Provider) -> None:
    """Class 7: the right to a grant is asked before its code is looked at."""
    platform = await new_platform(provider, {"grant_types": ["authorization_code"], "scope": "openid"})
    async with provider.http() as http:
        for grant in ("refresh_token", CIBA_GRANT, DEVICE_GRANT, CLIENT_CREDENTIALS_GRANT):
            answer = await http.post("/token", data={"grant_type": grant}, auth=platform.auth)
            assert answer.json()["error"] == "unauthorized_client", grant
        for grant in (
            "password",
            "implicit",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ):
            answer = await http.post("/token", data={"grant_type": grant}, auth=platform.auth)
            assert answer.json()["error"] == "unsupported_grant_type", grant
