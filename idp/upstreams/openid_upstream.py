"""A standard OpenID provider as upstream: code flow with PKCE, `state` and `nonce`, PAR where it is offered.

OpenID Connect Core §3.1, RFC 7636, RFC 9126, RFC 9207, RFC 9700 §2.1, §4.4.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from joserfc.jwk import Key

from idp.protocol.jose import JOSEError, UnknownKeyError, verify_jws
from idp.upstreams import messages
from idp.upstreams.configuration import ClientSecret, OpenIDConfiguration, PrivateKeyJWT
from idp.upstreams.exchange import (
    Answer,
    Fault,
    OpenVisit,
    UpstreamError,
    UpstreamIdentity,
    Wire,
    check_fresh,
)
from idp.upstreams.front_channel import read_code
from idp.upstreams.id_token import Expected, verify_id_token
from idp.upstreams.mapping import identity_of, moment_at
from idp.upstreams.provider_metadata import ProviderMetadata, PublishedByProvider, json_object
from idp.upstreams.token_answer import TokenAnswer, read_token_answer

Clock = Callable[[], datetime]

_REQUEST_URI = re.compile(r"[!-~]{1,512}")
_AUTH_TIME_ASKED = '{"id_token":{"auth_time":{"essential":true}}}'
"""Core §5.5.1: else a provider tells it only where `max_age` is asked for (§2)."""
_PROTOCOL_CLAIMS = frozenset(
    {"iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "auth_time", "acr", "amr"}
)
"""What the ID token alone may say."""


@dataclass(frozen=True, slots=True)
class OpenIDClient:
    """What we are at the upstream."""

    configuration: OpenIDConfiguration
    secret: str | None = None
    key: Key | None = None


class OpenIDUpstream:
    """One standard OpenID provider."""

    def __init__(self, client: OpenIDClient, wire: Wire, clock: Clock) -> None:
        self._client = client
        self._configuration = client.configuration
        self._wire = wire
        self._clock = clock
        self._published = PublishedByProvider(self._configuration.issuer, wire, clock)

    async def way_out(self, visit: OpenVisit) -> str:
        """Return the authorization request, pushed where that is offered. Raises UpstreamError."""
        metadata = await self._published.metadata()
        address = messages.authorization_address(
            metadata.authorization_endpoint,
            self._configuration.client_id,
            visit,
            {
                "scope": self._configuration.scope,
                "nonce": visit.nonce,
                "acr_values": self._configuration.acr_values,
                "prompt": "login" if visit.wants_login else "",
                "max_age": "" if visit.max_age is None else str(visit.max_age),
                "ui_locales": visit.ui_locales,
                "claims": _AUTH_TIME_ASKED,
            },
        )
        if metadata.pushed_authorization_request_endpoint is None:
            return address
        body = urlencode(messages.pushed_parameters(address))
        answer = await self._post(metadata.pushed_authorization_request_endpoint, body)
        request_uri = json_object(answer, "pushed request").get("request_uri")
        if not isinstance(request_uri, str) or not _REQUEST_URI.fullmatch(request_uri):
            raise UpstreamError(Fault.UNTRUSTED, "pushed request: no request_uri")
        endpoint = metadata.authorization_endpoint
        return messages.pushed_address(endpoint, self._configuration.client_id, request_uri)

    async def identify(self, visit: OpenVisit, answer: Mapping[str, str]) -> UpstreamIdentity:
        """Return whom the upstream vouches for. Raises UpstreamError."""
        metadata = await self._published.metadata()
        code = read_code(answer, metadata.issuer, is_iss_required=metadata.sends_iss)
        received = await self._post(metadata.token_endpoint, messages.token_request(code, visit))
        tokens = read_token_answer(received)
        claims = await self._id_token_claims(visit, tokens)
        userinfo = await self._userinfo(metadata, tokens, str(claims["sub"]))
        auth_time = self._check_fresh(visit, claims)
        return identity_of({**userinfo, **claims}, self._configuration.mapping, auth_time)

    async def _id_token_claims(self, visit: OpenVisit, tokens: TokenAnswer) -> Mapping[str, Any]:
        if tokens.id_token is None:
            raise UpstreamError(Fault.UNTRUSTED, "token: no ID token")
        expected = Expected(
            issuer=self._configuration.issuer,
            client_id=self._configuration.client_id,
            nonce=visit.nonce,
            access_token=tokens.access_token,
            algorithms=frozenset(self._configuration.id_token_algorithms),
        )
        try:
            keys = await self._published.keys()
            try:
                return verify_id_token(tokens.id_token, keys, expected, self._clock())
            except UnknownKeyError:
                keys = await self._published.keys(is_one_missing=True)
                return verify_id_token(tokens.id_token, keys, expected, self._clock())
        except JOSEError as error:
            raise UpstreamError(Fault.UNTRUSTED, f"ID token: {error}") from error

    async def _userinfo(
        self, metadata: ProviderMetadata, tokens: TokenAnswer, subject: str
    ) -> Mapping[str, Any]:
        """Return what userinfo adds: OpenID Connect Core §5.3.2, §5.3.4, of the same `sub` and no other."""
        if self._configuration.userinfo == "none":
            return {}
        if metadata.userinfo_endpoint is None:
            raise UpstreamError(Fault.UNTRUSTED, "userinfo: is not offered")
        headers = {"Authorization": f"Bearer {tokens.access_token}"}
        if self._configuration.userinfo == "signed":
            headers["Accept"] = "application/jwt"
        answer = await self._wire.call("GET", metadata.userinfo_endpoint, headers)
        is_signed = self._configuration.userinfo == "signed"
        claims = await self._signed_claims(answer) if is_signed else json_object(answer, "userinfo")
        if claims.get("sub") != subject:
            raise UpstreamError(Fault.UNTRUSTED, "userinfo: about somebody else")
        return {name: value for name, value in claims.items() if name not in _PROTOCOL_CLAIMS}

    async def _signed_claims(self, answer: Answer) -> Mapping[str, Any]:
        """Return the claims of a signed answer (§5.3.2): by the issuer, for us."""
        if answer.status != 200 or answer.content_type != "application/jwt":
            json_object(answer, "userinfo")
            raise UpstreamError(Fault.UNTRUSTED, "userinfo: is not signed")
        try:
            verified = verify_jws(
                answer.body.decode("ascii", "replace").strip(),
                await self._published.keys(),
                algorithms=frozenset(self._configuration.id_token_algorithms),
                required=("iss", "aud", "sub"),
            )
        except JOSEError as error:
            raise UpstreamError(Fault.UNTRUSTED, f"userinfo: {error}") from error
        audience = verified.claims["aud"]
        if verified.claims["iss"] != self._configuration.issuer or self._configuration.client_id not in (
            audience if isinstance(audience, list) else [audience]
        ):
            raise UpstreamError(Fault.UNTRUSTED, "userinfo: not by this issuer for us")
        return verified.claims

    def _check_fresh(self, visit: OpenVisit, claims: Mapping[str, Any]) -> datetime:
        """Return when the person signed in there: §3.1.3.7 item 13.

        When the token was issued says nothing about that: whoever finds somebody's session at the upstream
        open would have signed in just now. A network that asked for a fresh sign-in gets one, or nothing.
        """
        told = moment_at(claims, "auth_time")
        if told is None:
            if self._configuration.signs_in_anew:
                return visit.begun_at
            if visit.wants_login or visit.max_age is not None:
                raise UpstreamError(Fault.NOT_FRESH, "auth_time is missing")
            raise UpstreamError(Fault.INCOMPLETE, "auth_time is missing")
        check_fresh(visit, told)
        return min(told, self._clock())

    async def _post(self, endpoint: str, body: str) -> Answer:
        """Send a form with what authenticates us."""
        headers: dict[str, str] = {}
        match self._configuration.client_authentication:
            case ClientSecret(method=method) if self._client.secret is not None:
                headers, body = messages.with_client_secret(
                    method, self._configuration.client_id, self._client.secret, endpoint, body
                )
            case PrivateKeyJWT(algorithm=algorithm) if self._client.key is not None:
                assertion = messages.assertion_parameters(
                    self._client.key,
                    algorithm,
                    client_id=self._configuration.client_id,
                    issuer=self._configuration.issuer,
                    jti=secrets.token_urlsafe(16),
                    now=self._clock(),
                )
                body = f"{body}&{urlencode(assertion)}"
        return await self._wire.call("POST", endpoint, headers, body)
