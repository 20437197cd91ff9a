"""Link accounts of a platform to verified people: the relying party's side of Lienket.

Start with `Provider.discover`, `RelyingParty.start_linking` and `RelyingParty.finish`; the README
beside this package does it in 30 lines. Inside, requests and their validation come in pairs:

    flows.py     ─── requests ──▶  transport.py ──▶ the provider
       │ answers
       ▼
    messages.py, tokens.py, logout.py    pure readers and checks ──▶ model.py, errors.py
    receipts.py               what you keep of a link, verified offline for years
    receipt_keys.py, status_lists.py    by which keys, and what became of a million links since
    policy.py, policy_document.py    may(account, feature, now), answered from what you hold
    provider.py, keys.py      discovery and key set, cached
    client_authentication.py, oauth.py    credentials and message bodies, by Authlib
"""

from .errors import (
    AuthorizationRefusedError,
    CallbackError,
    ConfigurationError,
    GrantRefusedError,
    MetadataError,
    PolicyError,
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
from .policy import Account, Decision, Link, Policy, Reason, SignIn, Step
from .policy_document import read_policy
from .provider import Metadata, Provider
from .receipt_keys import ReceiptKeys
from .receipts import LinkReceipt, StatusReference
from .status_lists import LinkStatus, StatusList, StatusLists

__all__ = [
    "Account",
    "AuthorizationRefusedError",
    "CallbackError",
    "ConfigurationError",
    "Decision",
    "GrantRefusedError",
    "Link",
    "LinkReceipt",
    "LinkStatus",
    "LinkedAccount",
    "LoggedOut",
    "Metadata",
    "MetadataError",
    "Policy",
    "PolicyError",
    "Provider",
    "ProviderRefusedError",
    "ProviderUnavailableError",
    "Reason",
    "ReceiptKeys",
    "RelyingParty",
    "RelyingPartyError",
    "RequestRefusedError",
    "SignIn",
    "Started",
    "StatusList",
    "StatusLists",
    "StatusReference",
    "Step",
    "TokenError",
    "Tokens",
    "UntrustedResponseError",
    "VerifiedClaims",
    "read_policy",
    "verified_claims",
]
