"""Security events at the SDK: a good one passes, every departure from it does not. RFC 8417, RFC 8935."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from clients.relying_party import EventReceiver, LinkState, Provider, SecurityEvent
from clients.relying_party.errors import ProviderUnavailableError, TokenError
from clients.relying_party.events import VERIFICATION
from tests.clients.scripted_provider import CLIENT_ID, ISSUER, NOW, ScriptedProvider, make_key, sign

pytestmark = pytest.mark.anyio
SECONDS = int(NOW.timestamp())
SUSPENDED = f"{ISSUER}/events/account-link-suspended"
LINK = {
    "link_id": "link-1",
    "account_id": "acc_lan_1",
    "status": "suspended",
    "assurance_level": "vn2",
    "acr": f"{ISSUER}/acr/vn-2",
    "event_timestamp": SECONDS - 60,
    "expires_at": SECONDS + 86_400,
}
SUBJECT = {"format": "iss_sub", "iss": ISSUER, "sub": "pairwise-lan"}


def claims_with(**changes: object) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "iat": SECONDS,
        "jti": "jti-1",
        "txn": "txn-1",
        "sub_id": SUBJECT,
        "events": {SUSPENDED: LINK},
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def set_of(op: ScriptedProvider, claims: dict[str, Any] | None = None, **header: object) -> str:
    return sign(claims or claims_with(), op.signing_key, **({"typ": "secevent+jwt"} | header))


@pytest.fixture
async def provider(op: ScriptedProvider, http: httpx.AsyncClient) -> Provider:
    return await Provider.discover(ISSUER, http, clock=op.clock)


@pytest.fixture
def taken() -> list[SecurityEvent]:
    return []


@pytest.fixture
def receiver(provider: Provider, taken: list[SecurityEvent]) -> EventReceiver:
    async def take(event: SecurityEvent) -> None:
        taken.append(event)

    return EventReceiver(provider, CLIENT_ID, take=take, authorization="Bearer shown")


async def push(receiver: EventReceiver, token: str, **changes: Any) -> tuple[int, str | None]:
    facts = {"content_type": "application/secevent+jwt", "authorization": "Bearer shown"} | changes
    answer = await receiver.answer_push(token.encode(), **facts)
    return answer.status, json.loads(answer.body)["err"] if answer.body else None


async def test_a_good_event_is_read_as_what_it_says(op: ScriptedProvider, receiver: EventReceiver) -> None:
    event = await receiver.read(set_of(op))
    assert event == SecurityEvent(
        uri=SUSPENDED,
        jti="jti-1",
        issued_at=NOW,
        subject="pairwise-lan",
        stream_id=None,
        payload=LINK,
        link=LinkState("link-1", "acc_lan_1", "suspended", "vn2", "vn-2", NOW + timedelta(days=1)),
        occurred_at=NOW - timedelta(minutes=1),
        txn="txn-1",
    )
    assert event.name == "account-link-suspended"


async def test_one_that_waited_three_days_is_as_good(op: ScriptedProvider, receiver: EventReceiver) -> None:
    old = await receiver.read(set_of(op, claims_with(iat=SECONDS - 3 * 86_400)))
    assert old.issued_at == datetime.fromtimestamp(SECONDS, UTC) - timedelta(days=3)


async def test_a_verification_is_about_the_stream(op: ScriptedProvider, receiver: EventReceiver) -> None:
    about_stream = {"format": "opaque", "id": "stream-1"}
    claims = claims_with(events={VERIFICATION: {"state": "s"}}, sub_id=about_stream, txn=None)
    event = await receiver.read(set_of(op, claims))
    assert (event.name, event.stream_id, event.subject, event.link) == (
        "verification",
        "stream-1",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://other.example"}, "invalid_issuer"),
        ({"iss": None}, "invalid_issuer"),
        ({"aud": "somebody-else"}, "invalid_audience"),
        ({"aud": [CLIENT_ID, "somebody-else"]}, "invalid_audience"),
        ({"iat": None}, "invalid_request"),
        ({"iat": SECONDS + 3600}, "invalid_request"),
        ({"iat": True}, "invalid_request"),
        ({"jti": None}, "invalid_request"),
        ({"jti": "x" * 300}, "invalid_request"),
        ({"sub": "pairwise-lan"}, "invalid_request"),
        ({"exp": SECONDS + 60}, "invalid_request"),
        ({"nonce": "n"}, "invalid_request"),
        ({"events": None}, "invalid_request"),
        ({"events": {}}, "invalid_request"),
        ({"events": {SUSPENDED: LINK, VERIFICATION: {}}}, "invalid_request"),
        ({"events": {SUSPENDED: "yes"}}, "invalid_request"),
        ({"events": {SUSPENDED: {}}}, "invalid_request"),
        ({"events": {SUSPENDED: LINK | {"expires_at": "soon"}}}, "invalid_request"),
        ({"events": {VERIFICATION: {}}}, "invalid_request"),
        ({"sub_id": None}, "invalid_request"),
        ({"sub_id": {"format": "email", "email": "lan@mail.example"}}, "invalid_request"),
        ({"sub_id": SUBJECT | {"iss": "https://other.example"}}, "invalid_request"),
        ({"sub_id": {"format": "opaque", "id": "stream-1"}}, "invalid_request"),
        ({"txn": 7}, "invalid_request"),
    ],
    ids=str,
)
async def test_every_departure_is_refused_with_its_code(
    op: ScriptedProvider,
    receiver: EventReceiver,
    taken: list[SecurityEvent],
    changes: dict[str, object],
    code: str,
) -> None:
    token = set_of(op, claims_with(**changes))
    with pytest.raises(TokenError):
        await receiver.read(token)
    assert await push(receiver, token) == (400, code)
    assert taken == []


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "at+jwt", None])
async def test_no_other_token_of_the_provider_passes_for_an_event(
    op: ScriptedProvider, receiver: EventReceiver, typ: str | None
) -> None:
    assert await push(receiver, set_of(op, typ=typ)) == (400, "invalid_request")


async def test_a_forged_event_is_refused(op: ScriptedProvider, receiver: EventReceiver) -> None:
    forged = sign(claims_with(), make_key(op.signing_key.kid or ""), typ="secevent+jwt")
    assert await push(receiver, forged) == (400, "invalid_key")
    head, payload, _ = set_of(op).split(".")
    assert (await push(receiver, f"{head}.{payload}."))[0] == 400
    assert await push(receiver, f"{head}.{payload}.AAAA") == (400, "invalid_key")
    assert (await push(receiver, "e30.e30."))[0] == 400
    assert (await push(receiver, "not a token"))[0] == 400


async def test_a_push_is_taken_and_answered(
    op: ScriptedProvider, receiver: EventReceiver, taken: list[SecurityEvent]
) -> None:
    token = set_of(op)
    assert await push(receiver, token, authorization="Bearer other") == (400, "authentication_failed")
    assert await push(receiver, token, authorization=None) == (400, "authentication_failed")
    assert await push(receiver, token, content_type="application/json") == (400, "invalid_request")
    assert await push(receiver, token, content_type=None) == (400, "invalid_request")
    assert taken == []
    assert await push(receiver, token, content_type="application/secevent+jwt; charset=us-ascii") == (
        202,
        None,
    )
    assert [event.jti for event in taken] == ["jti-1"]


async def test_what_cannot_be_stored_is_not_acknowledged(op: ScriptedProvider, provider: Provider) -> None:
    async def take(_: SecurityEvent) -> None:
        raise OSError("the disk is full")

    receiver = EventReceiver(provider, CLIENT_ID, take=take)
    with pytest.raises(OSError, match="disk"):
        await receiver.answer_push(set_of(op).encode(), "application/secevent+jwt")


async def test_without_the_key_it_comes_again(
    op: ScriptedProvider, receiver: EventReceiver, monkeypatch: pytest.MonkeyPatch, provider: Provider
) -> None:
    async def nobody(_: str) -> None:
        raise ProviderUnavailableError("the key set could not be had a moment ago")

    monkeypatch.setattr(provider.keys, "get_key", nobody)
    answer = await receiver.answer_push(set_of(op).encode(), "application/secevent+jwt", "Bearer shown")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
