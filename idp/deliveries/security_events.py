"""Pushes one Security Event Token to its receiver. RFC 8935, SSF 1.0 §6.1.1.

The token is signed when it leaves, as the client's ID tokens are, for keys may have been rotated since the
event; its `jti` stays, so that a receiver knows a second copy.
"""

import re
from datetime import timedelta

import orjson

from idp.deliveries.world import (
    DeliveryFailedError,
    DeliveryHeldError,
    DeliveryRefusedError,
    World,
    check_taken,
)
from idp.outbound.addresses import OutboundRefusedError
from idp.protocol.event_stream import DeliveryMethod, StreamStatus, may_send
from idp.protocol.security_events import SET_TYPE, STREAM_UPDATED
from idp.store.outbox import Delivery
from idp.store.set_deliveries import claims_of

_MEDIA_TYPE = "application/secevent+jwt"
_LOOK_AGAIN = timedelta(seconds=5)
_ERROR_CODE = re.compile(r"[a-z_]{1,40}", re.ASCII)
_CODES_THAT_PASS = frozenset({"authentication_failed", "access_denied"})
"""RFC 8935 §2.4: the receiver does not let us in. That is its configuration or ours, not this token."""


async def may_push_events(world: World, client_id: str) -> bool:
    """Tell whether events leave for a client: not while its stream is paused, and not where it polls.

    What is left of a stream that is gone or disabled may be claimed: `push_event` drops it.
    """
    stream = await world.stream_of(client_id)
    return stream is None or (
        stream.method is DeliveryMethod.PUSH and stream.status is not StreamStatus.PAUSED
    )


async def may_push_stream_events(world: World, client_id: str) -> bool:
    """Tell whether it may be said that a client's stream has stopped: wherever it does not poll."""
    stream = await world.stream_of(client_id)
    return stream is None or stream.method is DeliveryMethod.PUSH


async def push_event(world: World, delivery: Delivery) -> None:
    """Send one SET (RFC 8935 §2.1). Raises DeliveryFailedError unless it was taken, DeliveryHeldError.

    Nothing is left to do where the client or its stream is gone, or its stream is disabled.
    """
    client, stream = await world.clients.find(delivery.client_id), await world.stream_of(delivery.client_id)
    event = delivery.content["event"]
    if client is None or stream is None:
        return
    if stream.status is StreamStatus.DISABLED and event != STREAM_UPDATED:
        return
    if stream.endpoint_url is None or not may_send(stream, event):
        # Claimed in the second in which the stream was changed.
        raise DeliveryHeldError("the stream is paused, or polled", world.clock() + _LOOK_AGAIN)
    signer = world.custody.signing.signer(client.id_token_signed_response_alg)
    token = signer.sign(claims_of(delivery, world.policy.issuer, world.clock()), typ=SET_TYPE)
    headers = {"Content-Type": _MEDIA_TYPE, "Accept": "application/json"}
    if stream.authorization_header is not None:
        headers["Authorization"] = stream.authorization_header
    try:
        answer = await world.http.post(stream.endpoint_url, token.encode(), headers)
    except OutboundRefusedError as error:
        raise DeliveryFailedError(str(error)) from error
    if answer.status == 400:
        _raise_refused(answer.body)
    check_taken(answer.status)


def _raise_refused(body: bytes) -> None:
    """Read what the receiver finds wrong: RFC 8935 §2.3. Its description is not kept: it may say all."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return
    code = answer.get("err") if isinstance(answer, dict) else None
    if isinstance(code, str) and _ERROR_CODE.fullmatch(code):
        reason = f"the answer was 400: {code}"
        if code in _CODES_THAT_PASS:
            raise DeliveryFailedError(reason)
        raise DeliveryRefusedError(reason)
