"""Reading what the provider answers. Pure: one reader for each request in flows.py."""

import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from .errors import (
    AuthorizationRefusedError,
    CallbackError,
    GrantRefusedError,
    ProviderUnavailableError,
    RequestRefusedError,
    TokenError,
)
from .model import Started, Tokens
from .transport import Answer

CallbackParameters = Mapping[str, str] | Iterable[tuple[str, str]]
"""The query of the redirect. Give pairs where the framework can, so that repetitions are seen."""


def read_pushed(answer: Answer) -> str:
    """Read the answer to a pushed authorization request: a request_uri (RFC 9126 §2.2)."""
    document = answer.json_object()
    if answer.status not in {200, 201}:
        raise _refusal(answer, document)
    request_uri = document.get("request_uri")
    if not isinstance(request_uri, str) or not request_uri:
        raise ProviderUnavailableError("the pushed request was answered without request_uri")
    return request_uri


def read_callback(parameters: CallbackParameters, started: Started) -> str:
    """Read the authorization response and return the code.

    Who speaks and to whom is checked before anything is believed, errors included: `iss` (RFC 9207 §2.4),
    then `state` in constant time (RFC 9700 §4.7). Raises CallbackError, AuthorizationRefusedError.
    """
    pairs = list(parameters.items() if isinstance(parameters, Mapping) else parameters)
    response: dict[str, str] = dict(pairs)
    if len(response) != len(pairs):
        raise CallbackError("a parameter of the redirect is repeated")
    if response.get("iss") != started.issuer:
        raise CallbackError("the redirect is not from the provider that was asked")
    if not hmac.compare_digest(response.get("state", "").encode(), started.state.encode()):
        raise CallbackError("the redirect does not answer what this session started")
    if "error" in response:
        raise AuthorizationRefusedError(
            printable(response["error"]), printable(response.get("error_description"))
        )
    code = response.get("code")
    if not code:
        raise CallbackError("the redirect carries neither code nor error")
    return code


def read_tokens(answer: Answer, now: datetime) -> tuple[Tokens, dict[str, Any]]:
    """Read a token response (RFC 6749 §5.1); also return it whole. Raises RequestRefusedError, TokenError."""
    document = answer.json_object()
    if answer.status != 200:
        raise _refusal(answer, document)
    access_token, token_type = document.get("access_token"), document.get("token_type")
    if not isinstance(access_token, str) or not access_token:
        raise TokenError("the token response has no access token")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise TokenError("the access token is of an unknown type")
    seconds = document.get("expires_in")
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds <= 86_400:
        raise TokenError("the token response does not say for how long")
    refresh_token, id_token = document.get("refresh_token"), document.get("id_token")
    for optional in (refresh_token, id_token):
        if optional is not None and (not isinstance(optional, str) or not optional):
            raise TokenError("a token of the token response is not text")
    return Tokens(access_token, now + timedelta(seconds=seconds), refresh_token, id_token), document


def read_granted_link(document: Mapping[str, Any], account_id: str, link_id: str) -> str | None:
    """Return the receipt in what the response says was granted, which is what the ID token attests.

    RFC 9396 §7. Raises TokenError for another link, and for a receipt that is no text.
    """
    details = document.get("authorization_details")
    granted = [
        detail
        for detail in (details if isinstance(details, list) else ())
        if isinstance(detail, dict) and detail.get("type") == "account_link"
    ]
    if [(detail.get("account_id"), detail.get("link_id")) for detail in granted] != [(account_id, link_id)]:
        raise TokenError("the token response grants another link than the ID token attests")
    receipt = granted[0].get("receipt")
    if receipt is not None and not isinstance(receipt, str):
        raise TokenError("the receipt of the link is not text")
    return receipt


def read_userinfo(answer: Answer, subject: str) -> dict[str, Any]:
    """Read userinfo. Core §5.3.2: `sub` MUST be the one of the ID token, or nothing in it may be used."""
    if answer.status == 401:
        raise _bearer_refusal(answer)
    document = answer.json_object()
    if answer.status != 200:
        raise _refusal(answer, document)
    found = document.get("sub")
    if not isinstance(found, str) or not hmac.compare_digest(found.encode(), subject.encode()):
        raise TokenError("userinfo is about another person")
    return document


def _refusal(answer: Answer, document: Mapping[str, Any]) -> RequestRefusedError:
    error = document.get("error")
    if not isinstance(error, str):
        raise ProviderUnavailableError(f"status {answer.status} without an OAuth error")
    kind = GrantRefusedError if error in {"invalid_grant", "invalid_token"} else RequestRefusedError
    return kind(printable(error), printable(document.get("error_description")), answer.status)


_BEARER_ERROR = re.compile(r'error="([a-z_]{1,64})"')


def _bearer_refusal(answer: Answer) -> RequestRefusedError:
    """RFC 6750 §3: the challenge carries the code."""
    challenge = _BEARER_ERROR.search(answer.headers.get("www-authenticate", ""))
    return GrantRefusedError(challenge.group(1) if challenge else "invalid_token", status=answer.status)


def printable(text: object) -> str:
    """Return foreign text fit for a log line: ASCII as RFC 6749 §5.2 has it, and short."""
    return re.sub(r"[^\x20-\x7e]", "?", str(text))[:200] if text is not None else ""
