"""A token of the platform's own, bound to a key of this process. RFC 6749 §4.4, RFC 9449 §5, §8."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .client_authentication import ClientAuthentication, Occasion
from .dpop import ProofKey
from .errors import RequestRefusedError, TokenError
from .messages import printable
from .oauth import token_request
from .provider import Provider
from .transport import LARGEST_ANSWER, Answer, send

RENEW_BEFORE = timedelta(seconds=30)
USE_NONCE = "use_dpop_nonce"
TRIES = 3


@dataclass(slots=True)
class OwnToken:
    """Asks for a token when one is needed; many at once ask once. Remembers the newest DPoP nonce."""

    provider: Provider
    client_id: str
    authentication: ClientAuthentication
    scope: str
    resource: str = "/account-links"
    """What the token is for (RFC 8707), below the issuer."""
    proof_key: ProofKey = field(default_factory=ProofKey)
    nonce: str | None = None
    _token: str | None = field(default=None, repr=False)
    _expires_at: datetime | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self) -> str:
        """Return a token that is good for a while. Raises RequestRefusedError, TokenError."""
        async with self._lock:
            now = self.provider.clock()
            if self._token is None or self._expires_at is None or now >= self._expires_at - RENEW_BEFORE:
                await self._ask(now)
            if self._token is None:
                raise TokenError("no token was given")
            return self._token

    def forget(self, token: str) -> None:
        """Ask for another next time: this one was refused."""
        if self._token == token:
            self._token = None

    def note_nonce(self, answer: Answer) -> None:
        """Keep the newest nonce: every answer may bring one (RFC 9449 §8.2)."""
        self.nonce = answer.headers.get("dpop-nonce", self.nonce)

    async def send(
        self,
        method: str,
        url: str,
        *,
        content: str | None = None,
        headers: Mapping[str, str] | None = None,
        largest: int = LARGEST_ANSWER,
    ) -> Answer:
        """Send with a fresh proof; a nonce that is asked for or a token that is over costs one more round.

        What is refused is told in `WWW-Authenticate` (RFC 6750 §3, RFC 9449 §9). Raises RequestRefusedError,
        TokenError, ProviderUnavailableError.
        """
        http = self.provider.http
        for _ in range(TRIES):
            token = await self.get()
            proof = self.proof_key.proof(
                method, url, self.provider.clock(), access_token=token, nonce=self.nonce
            )
            sent = {**(headers or {}), "Authorization": f"DPoP {token}", "DPoP": proof}
            request = http.build_request(method, url, content=content, headers=sent)
            answer = await send(http, request, largest=largest)
            self.note_nonce(answer)
            if answer.status != 401:
                return answer
            if "invalid_token" in answer.headers.get("www-authenticate", ""):
                self.forget(token)
        return answer

    async def _ask(self, now: datetime) -> None:
        answer = await self._post(now)
        document = answer.json_object()
        if document.get("error") == USE_NONCE:
            answer = await self._post(now)
            document = answer.json_object()
        if answer.status != 200:
            error = printable(document.get("error")) or "invalid_request"
            raise RequestRefusedError(error, printable(document.get("error_description")), answer.status)
        token, seconds = document.get("access_token"), document.get("expires_in")
        if not isinstance(token, str) or str(document.get("token_type")).lower() != "dpop":
            raise TokenError("the token is not bound to our key")
        if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds <= 86_400:
            raise TokenError("the token response does not say for how long")
        self._token, self._expires_at = token, now + timedelta(seconds=seconds)

    async def _post(self, now: datetime) -> Answer:
        metadata, http = self.provider.metadata, self.provider.http
        credentials = self.authentication.credentials(Occasion(self.client_id, metadata.issuer, now))
        wish = {"scope": self.scope, "resource": f"{metadata.issuer}{self.resource}"}
        body = token_request("client_credentials", wish)
        proof = self.proof_key.proof("POST", metadata.token_endpoint, now, nonce=self.nonce)
        request = http.build_request(
            "POST",
            metadata.token_endpoint,
            content="&".join(part for part in (body, credentials.body) if part),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
                "DPoP": proof,
                **credentials.headers,
            },
        )
        answer = await send(http, request)
        self.note_nonce(answer)
        return answer
