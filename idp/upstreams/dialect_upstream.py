"""An upstream that speaks a dialect: OAuth 2.0 without ID token and `nonce`, with an encrypted userinfo body.

It is modelled on public descriptions of such providers and is nobody's interface in particular: what differs
between them is configured. What it lacks is made up for as far as can be: PKCE binds the code to this visit,
`state` to this browser, the redirect URI to this upstream, and userinfo is fetched by ourselves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joserfc.jwk import ECKey, OctKey

from idp.protocol.jose import JOSEError
from idp.upstreams import messages
from idp.upstreams.configuration import DialectConfiguration
from idp.upstreams.encrypted_body import EncryptedBodies
from idp.upstreams.exchange import (
    SKEW,
    Answer,
    Fault,
    OpenVisit,
    UpstreamError,
    UpstreamIdentity,
    Wire,
    check_fresh,
)
from idp.upstreams.front_channel import read_code
from idp.upstreams.mapping import identity_of, moment_at, text_at, value_at
from idp.upstreams.provider_metadata import json_object
from idp.upstreams.token_answer import TokenAnswer, read_token_answer


@dataclass(frozen=True, slots=True)
class DialectClient:
    """What we are at the upstream."""

    configuration: DialectConfiguration
    secret: str = field(repr=False)
    key: OctKey | ECKey = field(repr=False)


class DialectUpstream:
    """One provider without ID token."""

    def __init__(self, client: DialectClient, wire: Wire, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._configuration = client.configuration
        self._bodies = EncryptedBodies(self._configuration.userinfo, client.key)
        self._wire = wire
        self._clock = clock

    async def way_out(self, visit: OpenVisit) -> str:
        """Return the authorization request."""
        configuration = self._configuration
        is_to_be_fresh = visit.wants_login or visit.max_age is not None
        added = configuration.fresh_parameters if is_to_be_fresh else {}
        return messages.authorization_address(
            configuration.authorization_endpoint,
            configuration.client_id,
            visit,
            {**configuration.parameters, **added, "scope": configuration.scope},
            has_pkce=configuration.has_pkce,
        )

    async def identify(self, visit: OpenVisit, answer: Mapping[str, str]) -> UpstreamIdentity:
        """Return whom the upstream vouches for. Raises UpstreamError."""
        configuration = self._configuration
        code = read_code(answer, configuration.issuer, is_iss_required=configuration.issuer is not None)
        body = messages.token_request(code, visit, has_pkce=configuration.has_pkce)
        headers, body = messages.with_client_secret(
            configuration.client_authentication.method,
            configuration.client_id,
            self._client.secret,
            configuration.token_endpoint,
            body,
        )
        tokens = read_token_answer(await self._wire.call("POST", configuration.token_endpoint, headers, body))
        claims = await self._userinfo(tokens)
        if configuration.token_subject is not None:
            told = text_at(tokens.members, configuration.token_subject)
            if told is None or told != text_at(claims, configuration.mapping.subject):
                raise UpstreamError(Fault.UNTRUSTED, "userinfo: about somebody else")
        return identity_of(claims, configuration.mapping, self._check_fresh(visit, claims))

    async def _userinfo(self, tokens: TokenAnswer) -> Mapping[str, Any]:
        configured = self._configuration.userinfo
        accepted = "application/jose, application/json"
        headers = {"Authorization": f"Bearer {tokens.access_token}", "Accept": accepted}
        body = "" if configured.method == "POST" else None
        answer = await self._wire.call(
            configured.method, self._configuration.userinfo_endpoint, headers, body
        )
        try:
            return self._bodies.open(self._encrypted(answer, configured.within))
        except JOSEError as error:
            raise UpstreamError(Fault.UNTRUSTED, f"userinfo: {error}") from error

    def _encrypted(self, answer: Answer, within: str | None) -> bytes:
        if within is not None:
            found = value_at(json_object(answer, "userinfo"), within)
            if not isinstance(found, str):
                raise UpstreamError(Fault.UNTRUSTED, "userinfo: holds no encrypted body")
            return found.encode()
        if answer.status != 200:
            json_object(answer, "userinfo")
            raise UpstreamError(Fault.UNTRUSTED, f"userinfo: status {answer.status}")
        return answer.body

    def _check_fresh(self, visit: OpenVisit, claims: Mapping[str, Any]) -> datetime:
        """Return when the person signed in there; where nothing tells, when they were sent there."""
        if self._configuration.auth_time is None:
            return visit.begun_at
        told = moment_at(claims, self._configuration.auth_time)
        if told is None or told > self._clock() + SKEW:
            raise UpstreamError(Fault.INCOMPLETE, "auth_time")
        check_fresh(visit, told)
        return min(told, self._clock())
