"""Logout at the SDK: a good logout token passes, every single departure from it does not."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from clients.relying_party import ConfigurationError, LoggedOut, Provider, RelyingParty, TokenError
from clients.relying_party.logout import EVENT
from tests.clients.scripted_provider import CLIENT_ID, ISSUER, NOW, ScriptedProvider, make_key, sign

pytestmark = pytest.mark.anyio
SECONDS = int(NOW.timestamp())


def claims_with(**changes: object) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "sub": "pairwise-lan",
        "sid": "sid-1",
        "iat": SECONDS,
        "exp": SECONDS + 120,
        "jti": "jti-1",
        "events": {EVENT: {}},
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def token_of(op: ScriptedProvider, **header: object) -> str:
    return sign(claims_with(), op.signing_key, **({"typ": "logout+jwt"} | header))


async def test_a_good_token_names_who_and_which_session(op: ScriptedProvider, rp: RelyingParty) -> None:
    over = await rp.read_logout_token(token_of(op))
    assert over == LoggedOut("pairwise-lan", "sid-1", "jti-1", NOW + timedelta(minutes=3))


async def test_without_sid_it_is_about_the_person(op: ScriptedProvider, rp: RelyingParty) -> None:
    token = sign(claims_with(sid=None), op.signing_key, typ="logout+jwt")
    assert (await rp.read_logout_token(token)).sid is None


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "somebody-else"},
        {"aud": [CLIENT_ID, "somebody-else"]},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sid": ""},
        {"sid": 7},
        {"jti": None},
        {"jti": 1},
        {"jti": "x" * 300},
        {"iat": None},
        {"iat": SECONDS - 200},
        {"iat": SECONDS + 100, "exp": SECONDS + 200},
        {"iat": "now"},
        {"iat": True},
        {"exp": None},
        {"exp": SECONDS - 31},
        {"exp": SECONDS},
        {"exp": 10**30},
        {"events": None},
        {"events": []},
        {"events": {}},
        {"events": {EVENT: None}},
        {"events": {EVENT: "yes"}},
        {"events": {EVENT: {}, "https://other.example/event": {}}},
        {"events": {"https://other.example/event": {}}},
        {"nonce": "n"},
        {"nonce": ""},
    ],
    ids=str,
)
async def test_every_departure_is_refused(
    op: ScriptedProvider, rp: RelyingParty, changes: dict[str, object]
) -> None:
    with pytest.raises(TokenError):
        await rp.read_logout_token(sign(claims_with(**changes), op.signing_key, typ="logout+jwt"))


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "secevent+jwt"])
async def test_a_token_of_another_type_is_refused(
    op: ScriptedProvider, rp: RelyingParty, typ: str | None
) -> None:
    with pytest.raises(TokenError, match="another type"):
        await rp.read_logout_token(token_of(op, typ=typ))


async def test_a_logout_token_is_no_id_token(op: ScriptedProvider, rp: RelyingParty) -> None:
    started = await rp.start_linking(account_id="acc_lan")
    token = token_of(op)
    op.change_answer = lambda _, answer: answer.update(id_token=token) if "id_token" in answer else None
    with pytest.raises(TokenError):
        await rp.finish(op.agree(started.authorization_url), started)


async def test_the_key_of_somebody_else_is_refused(op: ScriptedProvider, rp: RelyingParty) -> None:
    stranger = make_key("op-1")
    with pytest.raises(TokenError):
        await rp.read_logout_token(sign(claims_with(), stranger, typ="logout+jwt"))


async def test_the_way_out_names_the_client_and_where_to_come_back(
    op: ScriptedProvider, rp: RelyingParty
) -> None:
    parts = urlsplit(rp.end_session_url("the-id-token", "https://quancoc.example/", state="a b&c"))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/end_session"
    assert parse_qs(parts.query) == {
        "id_token_hint": ["the-id-token"],
        "client_id": [CLIENT_ID],
        "post_logout_redirect_uri": ["https://quancoc.example/"],
        "state": ["a b&c"],
    }


async def test_a_provider_without_a_way_out_says_so(op: ScriptedProvider, http: Any) -> None:
    op.change_answer = lambda _, answer: answer.pop("end_session_endpoint", None)
    provider = await Provider.discover(ISSUER, http, clock=op.clock)
    party = RelyingParty(
        provider, CLIENT_ID, redirect_uri="https://quancoc.example/callback", secret="s" * 32
    )
    with pytest.raises(ConfigurationError, match="end_session_endpoint"):
        party.end_session_url("the-id-token")
