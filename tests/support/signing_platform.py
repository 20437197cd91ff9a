"""A platform that signs: its assertions, its requests, and what it makes of signed answers."""

import secrets
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from idp.protocol.client_authentication import ASSERTION_TYPE
from tests.support.platform import Platform, query_of
from tests.support.protocol_builders import JWKS, sign
from tests.support.provider import ISSUER, Provider
from tests.support.request_objects import request_object
from tests.support.shared_provider import new_platform

MESSAGE_SIGNING: dict[str, object] = {
    "token_endpoint_auth_method": "private_key_jwt",
    "dpop_bound_access_tokens": True,
    "id_token_signed_response_alg": "ES256",
}


@dataclass
class SigningPlatform:
    """A platform whose keys are those of `protocol_builders.JWKS`."""

    platform: Platform

    @property
    def client_id(self) -> str:
        return self.platform.client.client_id

    def assertion(self) -> dict[str, str]:
        now = int(self.platform.provider.clock.now.timestamp())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": ISSUER, "iat": now, "exp": now + 60}
        signed = sign(claims | {"jti": secrets.token_urlsafe(8)})
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}

    def object(self, parameters: dict[str, str] | None = None, **changes: Any) -> str:
        """Sign a request; the parameters are those of a good one unless they are given."""
        asked = self.platform.request(None) if parameters is None else parameters
        return request_object(asked, ISSUER, self.platform.provider.clock.now, **changes)

    async def push(self, http: httpx.AsyncClient, **sent: str) -> httpx.Response:
        return await http.post("/par", data=self.assertion() | sent)

    async def verified(self, http: httpx.AsyncClient, answer: httpx.Response) -> dict[str, Any]:
        """Take an answer by redirect as JARM §2.4 says, and return what it tells."""
        told = query_of(answer.headers["location"])
        assert told.keys() == {"response"}
        return await self.opened(http, told["response"])

    async def opened(self, http: httpx.AsyncClient, response: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(response)
        keys = (await http.get("/jwks")).json()["keys"]
        key = next(jwt.PyJWK(jwk) for jwk in keys if jwk["kid"] == header["kid"])
        claims: dict[str, Any] = jwt.decode(
            response,
            key,
            [key.algorithm_name],
            audience=self.client_id,
            issuer=ISSUER,
            options={"verify_exp": False, "require": ["iss", "aud", "exp"]},
        )
        ahead = claims["exp"] - int(self.platform.provider.clock.now.timestamp())
        assert 10 <= ahead <= 600
        return claims


async def signing_platform(
    provider: Provider, metadata: dict[str, object] | None = None, **policy: Any
) -> SigningPlatform:
    described = metadata or {}
    if "jwks_uri" not in described:
        described = {"jwks": JWKS} | described
    return SigningPlatform(await new_platform(provider, described, **policy))


async def message_signing_platform(provider: Provider, **metadata: object) -> SigningPlatform:
    return await signing_platform(provider, MESSAGE_SIGNING | metadata, profile="fapi2-ms")
