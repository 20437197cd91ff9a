"""The provider as its discovery document describes it. OpenID Connect Discovery 1.0, RFC 8414."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from .errors import ConfigurationError, MetadataError
from .keys import Clock, KeyCache, system_clock
from .tokens import SIGNING_ALGORITHMS
from .transport import send

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Metadata:
    """The members of the discovery document that linking needs, checked."""

    issuer: str
    authorization_endpoint: str
    pushed_authorization_request_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    algorithms: frozenset[str]
    end_session_endpoint: str | None = None
    historical_keys_endpoint: str | None = None
    """Where keys of former times are, for receipts of former times."""


def check_address(address: object, name: str) -> str:
    """Check that an address is https, or http on this very machine for development. Raises MetadataError."""
    if not isinstance(address, str):
        raise MetadataError(f"{name} is missing")
    parts = urlsplit(address)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_safe or not parts.hostname or parts.fragment or "@" in parts.netloc:
        raise MetadataError(f"{name} is not an https address")
    return address


def read_metadata(document: Mapping[str, Any], issuer: str) -> Metadata:
    """Check a discovery document. Raises MetadataError.

    OpenID Connect Discovery §4.3: the issuer in it MUST be exactly the one that was asked for.
    """
    if document.get("issuer") != issuer:
        raise MetadataError("the discovery document is about another issuer")
    _check_offers(document, "response_types_supported", "code")
    _check_offers(document, "code_challenge_methods_supported", "S256")
    offered = document.get("id_token_signing_alg_values_supported")
    algorithms = SIGNING_ALGORITHMS & frozenset(map(str, offered if isinstance(offered, list) else ()))
    if not algorithms:
        raise MetadataError("the provider signs with no algorithm that we accept")
    if document.get("authorization_response_iss_parameter_supported") is not True:
        raise MetadataError("the provider does not name itself in authorization responses (RFC 9207)")
    return Metadata(
        issuer=issuer,
        authorization_endpoint=_address(document, "authorization_endpoint"),
        pushed_authorization_request_endpoint=_address(document, "pushed_authorization_request_endpoint"),
        token_endpoint=_address(document, "token_endpoint"),
        userinfo_endpoint=_address(document, "userinfo_endpoint"),
        jwks_uri=_address(document, "jwks_uri"),
        algorithms=algorithms,
        end_session_endpoint=_optional_address(document, "end_session_endpoint"),
        historical_keys_endpoint=_optional_address(document, "federation_historical_keys_endpoint"),
    )


def _address(document: Mapping[str, Any], name: str) -> str:
    return check_address(document.get(name), name)


def _optional_address(document: Mapping[str, Any], name: str) -> str | None:
    return _address(document, name) if name in document else None


def _check_offers(document: Mapping[str, Any], name: str, value: str) -> None:
    offered = document.get(name)
    if not isinstance(offered, list) or value not in offered:
        raise MetadataError(f"{name} does not list {value}")


@dataclass(frozen=True, slots=True)
class Provider:
    """A discovered provider: what it says about itself, its keys and the connection to it."""

    metadata: Metadata
    keys: KeyCache
    http: httpx.AsyncClient
    clock: Clock

    @classmethod
    async def discover(
        cls,
        issuer: str,
        http: httpx.AsyncClient,
        *,
        clock: Clock = system_clock,
        back_off: timedelta = timedelta(seconds=10),
    ) -> "Provider":
        """Read the provider's discovery document. The caller keeps and closes `http`.

        Raises ConfigurationError for an unusable issuer, MetadataError and ProviderUnavailableError.
        """
        try:
            check_address(issuer, "issuer")
        except MetadataError as error:
            raise ConfigurationError(str(error)) from error
        location = issuer.rstrip("/") + "/.well-known/openid-configuration"
        answer = await send(http, http.build_request("GET", location, headers={"Accept": "application/json"}))
        if answer.status != 200:
            raise MetadataError(f"{location} answered {answer.status}")
        metadata = read_metadata(answer.json_object(), issuer)
        return cls(metadata, KeyCache(metadata.jwks_uri, http, clock, back_off=back_off), http, clock)
