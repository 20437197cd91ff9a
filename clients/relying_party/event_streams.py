"""Your event stream, found or made, and fetched from: where no address of yours can be reached from outside.

    events = PolledEvents(provider, client_id, key=…, take=store)
    while True:
        await events.poll()      # waits for something to happen, half a minute at most

A client has one stream. Give a provider whose `http` waits longer than that. SSF 1.0 §7.2, §8.1.1; RFC 8936.
"""

import json
from collections.abc import Mapping
from typing import Any

from .client_authentication import KeyMaterial, choose_authentication
from .errors import ConfigurationError, MetadataError, ProviderUnavailableError, RequestRefusedError
from .event_receiver import EVENT_RESOURCE, EventReceiver, Take
from .own_token import OwnToken
from .provider import Provider
from .transport import Answer, send

POLL_METHOD = "urn:ietf:rfc:8936"
STREAM_SCOPE = "ssf.manage ssf.read"
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


class PolledEvents:
    """Events by polling. One for a process: it holds a token, and what it has yet to acknowledge."""

    def __init__(
        self,
        provider: Provider,
        client_id: str,
        *,
        take: Take,
        key: KeyMaterial | None = None,
        secret: str | None = None,
    ) -> None:
        """Give the private key of private_key_jwt, or a client secret. Raises ConfigurationError."""
        self._provider = provider
        authentication = choose_authentication(key, secret)
        self._token = OwnToken(provider, client_id, authentication, STREAM_SCOPE, EVENT_RESOURCE)
        self._receiver = EventReceiver(provider, client_id, take=take)
        self._endpoint: str | None = None

    async def poll(self, *, wait: bool = True) -> int:
        """Fetch what waits and hand it over; return how many events that were.

        The first time, and after every trouble, the stream is looked up, and made where there is none. Raises
        ProviderUnavailableError, RequestRefusedError, MetadataError; ConfigurationError where the stream is
        one that pushes. Call again: what was not acknowledged comes again.
        """
        if self._endpoint is None:
            self._endpoint = await self._find_or_create()
        try:
            return await self._receiver.poll(self._endpoint, self._token, wait=wait)
        except ProviderUnavailableError:
            self._endpoint = None
            raise

    async def _find_or_create(self) -> str:
        address = await self._configuration_endpoint()
        streams = _read_list(await self._token.send("GET", address, headers=_JSON))
        if not streams:
            answer = await self._token.send("POST", address, content="{}", headers=_JSON)
            # Another process of ours made it meanwhile.
            is_taken = answer.status == 409
            again = await self._token.send("GET", address, headers=_JSON) if is_taken else answer
            streams = _read_list(again) if is_taken else [_read_object(again)]
        return _poll_endpoint(streams[0] if streams else {})

    async def _configuration_endpoint(self) -> str:
        issuer, http = self._provider.metadata.issuer, self._provider.http
        location = f"{issuer}/.well-known/ssf-configuration"
        document = _read_object(await send(http, http.build_request("GET", location)))
        address = document.get("configuration_endpoint")
        # SSF §7.2.3: the issuer in it must be the one that was asked for.
        if document.get("issuer") != issuer or not str(address).startswith(f"{issuer}/"):
            raise MetadataError("the transmitter's metadata is not this provider's")
        return str(address)


def _read_object(answer: Answer) -> dict[str, Any]:
    _check_good(answer)
    return answer.json_object()


def _read_list(answer: Answer) -> list[dict[str, Any]]:
    """SSF §8.1.1.2: without a stream_id the answer is a list."""
    _check_good(answer)
    try:
        streams = json.loads(answer.body)
    except ValueError as error:
        raise ProviderUnavailableError("the answer about our streams is not JSON") from error
    if not isinstance(streams, list) or not all(isinstance(stream, dict) for stream in streams):
        raise ProviderUnavailableError("the answer about our streams is no list of them")
    return streams


def _check_good(answer: Answer) -> None:
    if answer.status not in {200, 201}:
        raise RequestRefusedError("event_stream", f"answered {answer.status}", answer.status)


def _poll_endpoint(stream: Mapping[str, Any]) -> str:
    delivery = stream.get("delivery")
    if not isinstance(delivery, dict) or not isinstance(delivery.get("endpoint_url"), str):
        raise ProviderUnavailableError("the stream does not say where it is fetched")
    if delivery.get("method") != POLL_METHOD:
        raise ConfigurationError("our event stream pushes; delete it to have one that is polled")
    return str(delivery["endpoint_url"])
