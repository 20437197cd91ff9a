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
    account_links.py, account_link_documents.py    your links: read, follow, keep in order
    events.py, event_receiver.py, event_streams.py    what becomes of them, pushed to you or fetched by you
    own_token.py, dpop.py     a token of your own, bound to a key of this process
    provider.py, keys.py      discovery and key set, cached
    client_authentication.py, oauth.py    credentials and message bodies, by Authlib
"""

from .account_link_documents import AccountLink, ChangePage, LinkChange, ReportedCase, Suspicion
from .account_links import UNCHANGED, AccountLinks
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
from .event_receiver import EventReceiver, PushAnswer
from .event_streams import PolledEvents
from .events import LinkState, SecurityEvent
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
    "UNCHANGED",
    "Account",
    "AccountLink",
    "AccountLinks",
    "AuthorizationRefusedError",
    "CallbackError",
    "ChangePage",
    "ConfigurationError",
    "Decision",
    "EventReceiver",
    "GrantRefusedError",
    "Link",
    "LinkChange",
    "LinkReceipt",
    "LinkState",
    "LinkStatus",
    "LinkedAccount",
    "LoggedOut",
    "Metadata",
    "MetadataError",
    "Policy",
    "PolicyError",
    "PolledEvents",
    "Provider",
    "ProviderRefusedError",
    "ProviderUnavailableError",
    "PushAnswer",
    "Reason",
    "ReceiptKeys",
    "RelyingParty",
    "RelyingPartyError",
    "ReportedCase",
    "RequestRefusedError",
    "SecurityEvent",
    "SignIn",
    "Started",
    "StatusList",
    "StatusLists",
    "StatusReference",
    "Step",
    "Suspicion",
    "TokenError",
    "Tokens",
    "UntrustedResponseError",
    "VerifiedClaims",
    "read_policy",
    "verified_claims",
]
