"""Calls to upstream identity providers, through the guarded client. Abuse class 13.

Their addresses are an operator's or come from the metadata of one, and a name may still lead inside; so they
are guarded as everybody's are. A person waits for the answer, so the limit is longer than a delivery's.
"""

from collections.abc import Mapping

from idp.outbound.addresses import OutboundRefusedError
from idp.outbound.guarded_http import GuardedHTTP
from idp.upstreams.exchange import Answer, Fault, UpstreamError

SECONDS = 5.0


class UpstreamCalls:
    """What `idp.upstreams` asks for as its Wire."""

    def __init__(self, http: GuardedHTTP) -> None:
        self._http = http

    async def call(
        self, method: str, uri: str, headers: Mapping[str, str], body: str | None = None
    ) -> Answer:
        """Send one request; a body is a form. Raises UpstreamError, whose reason quotes no answer."""
        sent = {"Accept": "application/json", **headers}
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        content = None if body is None else body.encode()
        try:
            heard = await self._http.call(method, uri, sent, content, seconds=SECONDS)
        except OutboundRefusedError as error:
            raise UpstreamError(Fault.UNAVAILABLE, str(error)) from error
        return Answer(heard.status, heard.media_type, heard.body)
