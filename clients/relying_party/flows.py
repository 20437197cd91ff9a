"""Linking an account, step by step. Every request here has its reader in messages.py or tokens.py.

    your page                  this module                         the provider
    ─────────                  ───────────                         ────────────
    "Link my account" ───────▶ start_linking ── PAR ─────────────▶ request_uri
    redirect the person ─────────────────────────────────────────▶ sign-in, consent
    /callback ◀────────────────────────── code, state, iss ──────
    query, Started ──────────▶ finish ──────── code + verifier ──▶ tokens
                               ID token checked ◀── keys ─────────
    LinkedAccount ◀──────────
    "check again" ───────────▶ refresh, userinfo ────────────────▶ still there, or GrantRefusedError
    "sign out" ──────────────▶ end_session_url ──────────────────▶ signed out there
    logout_token ────────────▶ read_logout_token ◀── keys ───────── a session over there is over
    LoggedOut ◀──────────────
    kept receipt ────────────▶ read_receipt, receipt_keys, status_lists: see receipts.py

OpenID Connect Core §3.1, RFC 9126 (PAR), RFC 7636 (PKCE), RFC 9396 (account_link), RFC 9207 (iss).
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from .client_authentication import KeyMaterial, Occasion, choose_authentication
from .errors import ConfigurationError, MetadataError, TokenError
from .logout import LOGOUT_TOKEN_TYPE, LoggedOut, verify_logout_token
from .messages import (
    CallbackParameters,
    read_callback,
    read_granted_link,
    read_pushed,
    read_tokens,
    read_userinfo,
)
from .model import LinkedAccount, Started, Tokens, account_link_details
from .oauth import authorization_parameters, authorization_url, s256_challenge, token_request
from .provider import Provider, check_address
from .receipt_keys import ReceiptKeys, fetch_receipt_keys
from .receipts import (
    RECEIPT_TYPE,
    ExpectedReceipt,
    LinkReceipt,
    SigningKey,
    check_receipt_of,
    verify_receipt,
)
from .status_lists import StatusLists
from .tokens import Expected, read_header, verify_linked_account, verify_refreshed
from .transport import Answer, send


class RelyingParty:
    """Your platform, as one provider knows it. Holds no state of any person; share one per process."""

    def __init__(
        self,
        provider: Provider,
        client_id: str,
        *,
        redirect_uri: str,
        key: KeyMaterial | None = None,
        secret: str | None = None,
        scope: Sequence[str] = ("openid", "offline_access"),
    ) -> None:
        """Give the private key of private_key_jwt, or a client secret. Raises ConfigurationError."""
        try:
            check_address(redirect_uri, "redirect_uri")
        except MetadataError as error:
            raise ConfigurationError(str(error)) from error
        self._provider = provider
        self._client_id = client_id
        self._redirect_uri = redirect_uri
        self._authentication = choose_authentication(key, secret)
        self._scope = " ".join(dict.fromkeys(("openid", *scope)))

    async def start_linking(
        self,
        *,
        account_id: str,
        handle: str | None = None,
        profile_uri: str | None = None,
        purpose: str | None = None,
        acr_values: Sequence[str] = (),
        claims: Mapping[str, Any] | None = None,
        max_age: int | None = None,
        ui_locales: Sequence[str] = (),
    ) -> Started:
        """Push the request; then keep the result in the person's session and send them to its URL.

        `account_id` is your immutable id of the account, never the handle, which may change hands;
        handle, profile_uri and purpose are shown to the person. `acr_values` names the least level of
        sign-in that is enough, `claims` is what `verified_claims` builds.
        Raises RequestRefusedError and ProviderUnavailableError.
        """
        details = {
            "account_id": account_id,
            "handle": handle,
            "profile_uri": profile_uri,
            "purpose": purpose,
        }
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        optional = {
            "acr_values": " ".join(acr_values) or None,
            "claims": json.dumps(claims, ensure_ascii=False) if claims else None,
            "max_age": None if max_age is None else str(max_age),
            "ui_locales": " ".join(ui_locales) or None,
        }
        request_uri = await self._push(
            {
                "redirect_uri": self._redirect_uri,
                "scope": self._scope,
                "state": state,
                "nonce": nonce,
                "code_challenge": s256_challenge(verifier),
                "code_challenge_method": "S256",
                "authorization_details": account_link_details(details),
                **{name: value for name, value in optional.items() if value is not None},
            }
        )
        metadata = self._provider.metadata
        return Started(
            authorization_url=authorization_url(
                metadata.authorization_endpoint, self._client_id, request_uri
            ),
            issuer=metadata.issuer,
            client_id=self._client_id,
            account_id=account_id,
            state=state,
            nonce=nonce,
            code_verifier=verifier,
            acr_values=tuple(acr_values),
            max_age=max_age,
        )

    async def finish(self, callback: CallbackParameters, started: Started) -> LinkedAccount:
        """Redeem the code and verify everything. Take `started` out of the session first, so it serves once.

        Raises CallbackError, AuthorizationRefusedError, GrantRefusedError, TokenError and
        ProviderUnavailableError; only a returned value means that the account is linked.
        """
        metadata = self._provider.metadata
        if (started.issuer, started.client_id) != (metadata.issuer, self._client_id):
            raise ConfigurationError("this linking was started with another provider or client")
        code = read_callback(callback, started)
        tokens, document = await self._redeem(code, started.code_verifier)
        if tokens.id_token is None:
            raise TokenError("the token response has no ID token")
        header = read_header(tokens.id_token, metadata.algorithms)
        key = await self._provider.keys.get_key(header.kid)
        expected = Expected(
            issuer=metadata.issuer,
            client_id=self._client_id,
            now=self._provider.clock(),
            algorithm=header.algorithm,
            access_token=tokens.access_token,
            nonce=started.nonce,
            acr_values=started.acr_values,
            max_age=started.max_age,
            account_id=started.account_id,
        )
        linked = verify_linked_account(tokens.id_token, header, key, expected, tokens)
        receipt = read_granted_link(document, linked.account_id, linked.link_id)
        if receipt is not None:
            check_receipt_of(await self.read_receipt(receipt), linked)
        return replace(linked, receipt=receipt)

    async def read_receipt(self, receipt: str) -> LinkReceipt:
        """Verify a receipt by the keys that the provider publishes now. Raises TokenError.

        One of former times is verified by `receipt_keys`, offline.
        """
        metadata = self._provider.metadata
        header = read_header(receipt, metadata.algorithms, typ=RECEIPT_TYPE)
        key = SigningKey(await self._provider.keys.get_key(header.kid))
        expected = ExpectedReceipt(metadata.issuer, self._client_id, self._provider.clock())
        return verify_receipt(receipt, header, key, expected)

    async def receipt_keys(self) -> ReceiptKeys:
        """Fetch every key that may have signed a receipt, to keep and to verify with offline.

        Raises MetadataError, TokenError, ProviderUnavailableError.
        """
        return await fetch_receipt_keys(self._provider)

    def status_lists(self) -> StatusLists:
        """Return what tells the present state of links. Keep it: it remembers what it downloaded."""
        provider = self._provider
        return StatusLists(provider.metadata.issuer, provider.keys, provider.http, provider.clock)

    async def refresh(self, refresh_token: str, *, subject: str) -> Tokens:
        """Replace the tokens. Store the result at once: the old refresh token is over.

        Only when no answer came may it be sent again, within a minute: the same successor comes.

        Raises GrantRefusedError when the link has ended, TokenError and ProviderUnavailableError.
        """
        body = token_request("refresh_token", {"refresh_token": refresh_token})
        now = self._provider.clock()
        tokens, _ = read_tokens(await self._post(self._provider.metadata.token_endpoint, body), now)
        if tokens.id_token is not None:
            header = read_header(tokens.id_token, self._provider.metadata.algorithms)
            key = await self._provider.keys.get_key(header.kid)
            expected = Expected(
                issuer=self._provider.metadata.issuer,
                client_id=self._client_id,
                now=self._provider.clock(),
                algorithm=header.algorithm,
                access_token=tokens.access_token,
                subject=subject,
            )
            verify_refreshed(tokens.id_token, header, key, expected)
        return tokens

    async def userinfo(self, access_token: str, *, subject: str) -> dict[str, Any]:
        """Ask what the provider says about this person now (OpenID Connect Core §5.3).

        Raises GrantRefusedError when the token or the link is not valid any more.
        """
        http = self._provider.http
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        request = http.build_request("GET", self._provider.metadata.userinfo_endpoint, headers=headers)
        return read_userinfo(await send(http, request), subject)

    def end_session_url(
        self, id_token: str, post_logout_redirect_uri: str | None = None, *, state: str | None = None
    ) -> str:
        """Return where to send a person who wants to sign out at the provider too.

        OpenID Connect RP-Initiated Logout 1.0 §2. The address to come back to is one that is registered.
        Raises ConfigurationError when the provider has no such endpoint.
        """
        endpoint = self._provider.metadata.end_session_endpoint
        if endpoint is None:
            raise ConfigurationError("the provider has no end_session_endpoint")
        wish = {
            "id_token_hint": id_token,
            "client_id": self._client_id,
            "post_logout_redirect_uri": post_logout_redirect_uri,
            "state": state,
        }
        return f"{endpoint}?{urlencode({name: value for name, value in wish.items() if value is not None})}"

    async def read_logout_token(self, token: str) -> LoggedOut:
        """Verify a logout token that was posted to you: Back-Channel Logout 1.0 §2.6.

        Remember its `jti` until `forget_at`, and take none twice. Raises TokenError;
        ProviderUnavailableError when the key cannot be had: answer with 503, and it comes again.
        """
        metadata = self._provider.metadata
        header = read_header(token, metadata.algorithms, typ=LOGOUT_TOKEN_TYPE)
        key = await self._provider.keys.get_key(header.kid)
        expected = Expected(
            issuer=metadata.issuer,
            client_id=self._client_id,
            now=self._provider.clock(),
            algorithm=header.algorithm,
            access_token="",
        )
        return verify_logout_token(token, header, key, expected)

    async def _push(self, parameters: Mapping[str, str]) -> str:
        body = authorization_parameters(self._client_id, parameters)
        answer = await self._post(self._provider.metadata.pushed_authorization_request_endpoint, body)
        return read_pushed(answer)

    async def _redeem(self, code: str, verifier: str) -> tuple[Tokens, dict[str, Any]]:
        parameters = {"code": code, "redirect_uri": self._redirect_uri, "code_verifier": verifier}
        body = token_request("authorization_code", parameters)
        answer = await self._post(self._provider.metadata.token_endpoint, body)
        return read_tokens(answer, self._provider.clock())

    async def _post(self, endpoint: str, body: str) -> Answer:
        """Send a form with fresh client credentials."""
        occasion = Occasion(self._client_id, self._provider.metadata.issuer, self._provider.clock())
        credentials = self._authentication.credentials(occasion)
        request = self._provider.http.build_request(
            "POST",
            endpoint,
            content="&".join(part for part in (body, credentials.body) if part),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
                **credentials.headers,
            },
        )
        return await send(self._provider.http, request)
