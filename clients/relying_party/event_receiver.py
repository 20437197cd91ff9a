"""Taking security events: pushed to you, or fetched by you.

    receiver = EventReceiver(provider, client_id, take=store, authorization="Bearer what-you-configured")

    answer = await receiver.answer_push(body, content_type, authorization)     # at your endpoint
    return Response(answer.body, answer.status, headers=answer.headers)

    while True:                                                                # or, where you poll
        await receiver.poll(stream_endpoint, own_token)

`take` is called with each event and returns once it is stored; it is called again with the same `jti` when
the answer was lost, and must then do nothing. RFC 8935, RFC 8936.
"""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import ConfigurationError, ProviderUnavailableError, TokenError
from .events import INVALID_REQUEST, SET_TYPE, EventError, SecurityEvent, verify_event
from .own_token import OwnToken
from .provider import Provider
from .tokens import Expected, read_header

MEDIA_TYPE = "application/secevent+jwt"
LARGEST_POLL = 4 * 1024 * 1024
EVENT_SCOPE = "ssf.read"
EVENT_RESOURCE = "/ssf"

Take = Callable[[SecurityEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """What to answer the provider."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class EventReceiver:
    """Verifies events and hands them over, each at least once and those of one person in their order."""

    def __init__(
        self, provider: Provider, client_id: str, *, take: Take, authorization: str | None = None
    ) -> None:
        """`authorization`: the `authorization_header` of your stream; without it, any push is read."""
        self._provider = provider
        self._client_id = client_id
        self._take = take
        self._authorization = authorization
        self._acknowledged: list[str] = []
        self._refused: dict[str, dict[str, str]] = {}

    async def read(self, token: str) -> SecurityEvent:
        """Verify one SET. Raises TokenError; ProviderUnavailableError when the key cannot be had."""
        metadata = self._provider.metadata
        header = read_header(token, metadata.algorithms, typ=SET_TYPE)
        key = await self._provider.keys.get_key(header.kid)
        expected = Expected(
            issuer=metadata.issuer,
            client_id=self._client_id,
            now=self._provider.clock(),
            algorithm=header.algorithm,
            access_token="",
        )
        return verify_event(token, header, key, expected)

    async def answer_push(
        self, body: bytes, content_type: str | None, authorization: str | None = None
    ) -> PushAnswer:
        """Take one pushed SET and return the answer: 202, or what is wrong with it (RFC 8935 §2.2, §2.3).

        Whatever `take` raises passes through: answer with 500, and it comes again.
        """
        if not self._is_authorized(authorization):
            return _refusal("authentication_failed", "the Authorization header is not the configured one")
        if (content_type or "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            return _refusal(INVALID_REQUEST, f"the body must be {MEDIA_TYPE}")
        try:
            event = await self.read(body.decode("ascii"))
        except ProviderUnavailableError:
            return PushAnswer(503, headers={"Retry-After": "10"})
        except (TokenError, UnicodeDecodeError) as error:
            return _refusal(_code_of(error), str(error) if isinstance(error, TokenError) else "not a token")
        await self._take(event)
        return PushAnswer(202)

    def _is_authorized(self, authorization: str | None) -> bool:
        if self._authorization is None:
            return True
        return hmac.compare_digest((authorization or "").encode(), self._authorization.encode())

    async def poll(self, endpoint: str, token: OwnToken, *, wait: bool = True, most: int = 100) -> int:
        """Acknowledge what was taken, fetch what waits and hand it over; return how many that were.

        What could not be verified is refused with the next poll, so that it holds nothing up. Raises
        ProviderUnavailableError, RequestRefusedError; call again, and what was not acknowledged comes again.
        """
        asked: dict[str, Any] = {"maxEvents": most, "returnImmediately": not wait}
        acknowledged, refused = self._acknowledged[:], dict(self._refused)
        if acknowledged:
            asked["ack"] = acknowledged
        if refused:
            asked["setErrs"] = refused
        sets = (await self._ask(endpoint, token, asked)).get("sets")
        if not isinstance(sets, dict):
            raise ProviderUnavailableError("the answer to a poll has no sets")
        self._acknowledged = self._acknowledged[len(acknowledged) :]
        self._refused = {jti: why for jti, why in self._refused.items() if jti not in refused}
        for jti, text in sets.items():
            try:
                event = await self._read_listed(jti, text)
            except TokenError as error:
                self._refused[jti] = {"err": _code_of(error), "description": str(error)}
                continue
            await self._take(event)
            self._acknowledged.append(jti)
        return len(sets)

    async def _read_listed(self, jti: str, text: str) -> SecurityEvent:
        event = await self.read(text)
        if event.jti != jti:
            raise TokenError("the event is listed under another jti")
        return event

    async def _ask(self, endpoint: str, token: OwnToken, asked: Mapping[str, Any]) -> dict[str, Any]:
        if not endpoint.startswith(f"{self._provider.metadata.issuer}/"):
            raise ConfigurationError("events are polled at the provider")
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        answer = await token.send(
            "POST", endpoint, content=json.dumps(asked), headers=headers, largest=LARGEST_POLL
        )
        if answer.status != 200:
            raise ProviderUnavailableError(f"the poll was answered {answer.status}")
        return answer.json_object()


def _code_of(error: Exception) -> str:
    return error.code if isinstance(error, EventError) else INVALID_REQUEST


def _refusal(code: str, description: str) -> PushAnswer:
    body = json.dumps({"err": code, "description": description}).encode()
    return PushAnswer(400, body, {"Content-Type": "application/json", "Content-Language": "en"})
