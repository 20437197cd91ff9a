"""Fetching a client's jwks_uri. RFC 7517 §5; abuse class 13."""

import orjson

from idp.outbound.addresses import OutboundRefusedError
from idp.outbound.guarded_http import GuardedHTTP
from idp.protocol.client_key_set import ClientKeySet, read_key_set
from idp.protocol.errors import InvalidClientError
from idp.protocol.jose import JOSEError

_FAILED = "the client's jwks_uri could not be read"


class ClientKeys:
    """Reads key sets through the guarded client."""

    def __init__(self, http: GuardedHTTP) -> None:
        self._http = http

    async def fetch(self, jwks_uri: str) -> ClientKeySet:
        """Return the keys at an address. Raises InvalidClientError, the reason in its detail."""
        try:
            document = orjson.loads(await self._http.get_json(jwks_uri))
            if not isinstance(document, dict):
                raise InvalidClientError(_FAILED, detail="the answer is no JSON object")
            return read_key_set(document)
        except (OutboundRefusedError, JOSEError, orjson.JSONDecodeError) as error:
            raise InvalidClientError(_FAILED, detail=str(error)) from error
