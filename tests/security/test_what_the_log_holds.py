"""Abuse class 26: the log names ids, codes and durations; no secret, no token, no person, no forged line."""

import json
from pathlib import Path

import pytest

from tests.support.platform import Platform
from tests.support.provider import SECRET, running_provider

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
