"""Abuse class 26: the log names ids, codes and durations; no secret, no token, no person, no forged line."""

import json
from pathlib import Path

import pytest

from tests.support.decoupled import (
    TOKEN,
    answer_newest,
    ciba_platform,
    device_platform,
    known_person,
    type_code,
)
from tests.support.deliveries import delivered
from tests.support.platform import Platform
from tests.support.provider import SECRET, running_provider
from tests.support.receiver import receiver
from tests.support.registrations_online import METADATA, bearer, initial_token, register
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


async def test_after_a_whole_journey_the_log_holds_no_secret_and_no_person(
    database_url: str, tmp_path: Path
) -> None:
    """CVE-2023-6484, e6a73547c; also in what was refused, and in what was attacked."""
    async with running_provider(database_url, tmp_path) as provider:
        platform = Platform(provider, await provider.add_client(min_acr="vn-2"))
        person = await provider.add_person(
            email="lan@example.vn", phone_number="+84000123123", address="Ngõ 1 Phố Huế"
        )
        forged_line = 'x"}\r\n{"event":"forged","at":"now'
        async with provider.http() as http:
            pushed = (await platform.push(http)).json()["request_uri"]
            tokens = await platform.tokens_for(
                http, person, scope="openid email phone", login_hint="+84000123123"
            )
            provider.clock.advance(seconds=1)
            code = await platform.code_for(http, person)
            await platform.redeem(http, code, code_verifier="wrong-" * 9)
            await platform.redeem(http, code)
            await platform.redeem(http, code)
            refreshed = (await platform.refresh(http, tokens["refresh_token"])).json()
            await platform.refresh(http, tokens["refresh_token"])
            await http.get("/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
            await http.get("/userinfo", params={"access_token": tokens["access_token"]})
            cookies = dict(http.cookies.items())
            await http.post(
                "/sign-in/my", data={"identifier": person.personal_number, "password": "wrong-word"}
            )
            await http.post("/sign-in/my", data={"identifier": "+84000123123", "password": "wrong-word"})
            await http.post("/token", data={"grant_type": forged_line}, auth=platform.auth)
            await http.post("/token", data={"code": "x"}, auth=("nobody", "wrong-secret"))
            await http.get("/authorize", params={"client_id": forged_line, "state": "state-secret"})
            await http.get("/authorize", params=platform.request(redirect_uri=forged_line))
            await http.get("/my/accounts/" + tokens["access_token"], headers={"User-Agent": forged_line[:5]})
            await http.get("/no-such-page", params={"code": code, "password": person.password})
    log = (tmp_path / "log.jsonl").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["event"] for line in lines} <= {"request", "refresh_failed"}
    assert all(line["status"] < 500 for line in lines if line["event"] == "request")
    secrets = {
        "client secret": SECRET,
        "password": person.password,
        "wrong password": "wrong-word",
        "wrong secret": "wrong-secret",
        "number": person.personal_number,
        "phone": "84000123123",
        "name": "Nguyễn",
        "first name": "Lan",
        "email": "lan@example.vn",
        "address": "Phố Huế",
        "account": "acc_lan_1",
        "seed": person.totp_secret or "",
        "verifier": platform.verifier,
        "code": code,
        "state": "state-secret",
        "pushed request": pushed.rpartition(":")[2],
        **{f"cookie {name}": value for name, value in cookies.items()},
        **{
            name: held[name]
            for held in (tokens, refreshed)
            for name in ("access_token", "refresh_token", "id_token")
        },
    }
    for what, secret in secrets.items():
        assert secret not in log, what
    assert person.citizen_id in log, "but whoever may read the log finds the person's events by id"


async def test_no_proof_token_or_secret_of_the_other_journeys_is_in_the_log(
    database_url: str, tmp_path: Path
) -> None:
    """Hydra (user codes), KC CVE-2023-6484: devices, CIBA, DPoP, registration, sign-out, deliveries."""
    held: dict[str, str] = {}
    async with running_provider(database_url, tmp_path) as provider, receiver() as listening:
        ciba = await ciba_platform(
            provider,
            {
                "backchannel_token_delivery_mode": "ping",
                "backchannel_client_notification_endpoint": listening.uri,
            },
        )
        device = await device_platform(provider)
        person = await known_person(ciba, has_totp=False)
        told = {"backchannel_logout_uri": listening.uri, "backchannel_logout_session_required": True}
        platform = await new_platform(provider, told)
        async with provider.http() as http, provider.http() as phone:
            held["auth_req_id"] = await ciba.asked(http, person)
            await answer_newest(provider, phone, person)
            held["DPoP proof"] = ciba.proof()["DPoP"]
            held["assertion"] = ciba.assertion()["client_assertion"]
            form = {"grant_type": "urn:openid:params:grant-type:ciba", "auth_req_id": held["auth_req_id"]}
            assertion = ciba.assertion() | {"client_assertion": held["assertion"]}
            for _ in range(2):
                answer = await http.post(
                    "/token", data=form | assertion, headers={"DPoP": held["DPoP proof"]}
                )
                held |= {
                    name: answer.json()[name] for name in ("access_token", "id_token") if answer.is_success
                }
            bound = {"Authorization": f"DPoP {held['access_token']}", "DPoP": held["DPoP proof"]}
            await http.get("/userinfo", headers=bound)
            begun = await device.begun(http, scope="openid")
            held |= {name: begun[name] for name in ("device_code", "user_code")}
            held["plain user_code"] = begun["user_code"].replace("-", "")
            await http.get(begun["verification_uri_complete"])
            await type_code(provider, phone, person, begun["user_code"])
            await device.token(http, begun["device_code"])
            registered = await register(http, provider)
            held["registration token"] = registered.token
            held["registered secret"] = registered.document["client_secret"]
            held["initial token"] = await initial_token(provider)
            await http.post("/register", json=METADATA, headers=bearer(held["initial token"] + "x"))
            await http.get(registered.uri, headers=bearer(registered.token))
            await http.get(f"/register/{registered.token}", headers=bearer(registered.token))
            tokens = await platform.tokens_for(phone, person, None)
            held |= {
                f"platform's {name}": tokens[name] for name in ("access_token", "refresh_token", "id_token")
            }
            for path in ("/introspect", "/revoke"):
                await http.post(path, data={"token": tokens["access_token"]}, auth=platform.auth)
                await http.post(
                    path, data={"token": tokens["refresh_token"]}, auth=("nobody", tokens["id_token"])
                )
            signed_out = await phone.get("/end_session", params={"id_token_hint": tokens["id_token"]})
            assert signed_out.status_code == 303
            await http.get("/account-links", params={"access_token": tokens["access_token"]})
            held["notification token"] = TOKEN
        await delivered(provider)
        assert {each.headers.get("authorization") for each in listening.received} >= {f"Bearer {TOKEN}"}
        (logout_token,) = [
            each.form["logout_token"][0] for each in listening.received if b"logout_token" in each.body
        ]
        held["logout token"] = logout_token
    log = (tmp_path / "log.jsonl").read_text()
    for what, secret in held.items():
        assert secret not in log, what
        assert secret.rpartition(".")[2] not in log, f"the signature of the {what}"
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["kind"] for line in lines if line["event"] == "delivery_made"], "deliveries are logged"
    assert all(line.get("status", 0) < 500 for line in lines)
