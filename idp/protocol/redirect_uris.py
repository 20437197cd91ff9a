"""Redirect URIs: what may be registered, and the one comparison. RFC 9700 §2.1, §4.1; RFC 8252 §7."""

import re
from urllib.parse import unquote_plus

from idp.protocol.errors import UntrustedRequestError
from idp.protocol.web_uris import WebURIError, check_path, check_uri_characters, read_web_uri

RESPONSE_PARAMETERS: frozenset[str] = frozenset(
    {
        "access_token",
        "code",
        "error",
        "error_description",
        "error_uri",
        "expires_in",
        "id_token",
        "iss",
        "response",
        "session_state",
        "state",
        "token_type",
    }
)
"""What an authorization response may hold. In a registered query they would stand there twice."""

# RFC 8252 §7.1: a private-use scheme is a domain name of the app's maker, reversed, so it has a dot.
_PRIVATE_USE = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:(?://([^/?]*))?(/[^?]*)?(?:\?(.*))?")
_PARAMETER_NAME = re.compile(r"[^\[.\s]*")
_LOOPBACK_PORT = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?(/.*)?")


class RedirectURIError(ValueError):
    """The redirect URI may not be registered. The message says why."""


def check_redirect_uri_syntax(uri: str) -> None:
    """Check a redirect URI that somebody wants to register. Raises RedirectURIError.

    RFC 6749 §3.1.2: absolute, no fragment. RFC 9700 §2.6: https, except loopback interface redirection.
    RFC 8252 §7.1: private-use schemes of native apps.
    """
    try:
        check_uri_characters(uri)
        private_use = _PRIVATE_USE.fullmatch(uri)
        query = _check_private_use(private_use) if private_use else read_web_uri(uri).query
    except WebURIError as error:
        raise RedirectURIError(str(error)) from None
    _check_query(query)


def _check_private_use(uri: re.Match[str]) -> str:
    authority, path, query = uri.groups(default="")
    if not (authority or path):
        raise WebURIError("it must have a host or a path")
    if not re.fullmatch(r"[a-z0-9.-]*", authority):
        raise WebURIError("its host must be a plain name")
    check_path(path)
    return query


def _check_query(query: str) -> None:
    """Refuse response parameters in a registered query, however a platform's reader may spell them."""
    for pair in re.split("[&;]", query):
        name = _PARAMETER_NAME.match(unquote_plus(pair.partition("=")[0]).strip().lower())
        if name and name.group() in RESPONSE_PARAMETERS:
            raise RedirectURIError(f"its query must not hold {name.group()}, a parameter of the response")


def match_redirect_uri(sent: str | None, registered: tuple[str, ...]) -> str:
    """Return the redirect URI that was sent, proven to be registered. Raises UntrustedRequestError.

    RFC 9700 §2.1: "exact string matching except for port numbers in localhost redirection URIs of native
    apps"; RFC 8252 §7.3 grants that exception to IP literals alone. OpenID Connect Core §3.1.2.1 requires
    the parameter, so the single registered one is never assumed.
    """
    if sent is None:
        raise UntrustedRequestError("redirect_uri is missing")
    if sent in registered:
        return sent
    portless = _without_loopback_port(sent)
    if portless is not None and portless in map(_without_loopback_port, registered):
        return sent
    raise UntrustedRequestError("redirect_uri is not registered for this client", detail=sent[:500])


def _without_loopback_port(uri: str) -> str | None:
    """Return a loopback IP address without its port; None for every other URI."""
    parts = _LOOPBACK_PORT.fullmatch(uri)
    if parts is None or int(parts.group(2) or "1") > 65535:
        return None
    return parts.group(1) + (parts.group(3) or "")
