"""Link accounts of a platform to verified people: the relying party's side of Lienket.

Start with `Provider.discover`, `RelyingParty.start_linking` and `RelyingParty.finish`; the README
beside this package does it in 30 lines. Inside, requests and their validation come in pairs:

    flows.py     ─── requests ──▶  transport.py ──▶ the provider
       │ answers
       ▼
    messages.py, tokens.py, logout.py    pure readers and checks ──▶ model.py, errors.py
    provider.py, keys.py      discovery and key set, cached
    client_authentication.py, oauth.py    credentials and message bodies, by Authlib
"""

from .errors import (
    AuthorizationRefusedError,
    CallbackError,
    ConfigurationError,
    GrantRefusedError,
    MetadataError,
    ProviderRefusedError,
    ProviderUnavailableError,
    RelyingPartyError,
    RequestRefusedError,
    TokenError,
    UntrustedResponseError,
)
from .flows import RelyingParty
from .logout import LoggedOut
from .model import LinkedAccount, Started, Tokens, VerifiedClaims, verified_claims
from .provider import Metadata, Provider

__all__ = [
    "AuthorizationRefusedError",
    "CallbackError",
    "ConfigurationError",
    "GrantRefusedError",
    "LinkedAccount",
    "LoggedOut",
    "Metadata",
    "MetadataError",
    "Provider",
    "ProviderRefusedError",
    "ProviderUnavailableError",
    "RelyingParty",
    "RelyingPartyError",
    "RequestRefusedError",
    "Started",
    "TokenError",
    "Tokens",
    "UntrustedResponseError",
    "VerifiedClaims",
    "verified_claims",
]
