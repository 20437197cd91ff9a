"""What this provider says of itself. RFC 8414, OpenID Connect Discovery 1.0 §3 and what extends them.

One document serves both well-known addresses. It names what exists and works, under registered names only.
"""

from collections.abc import Mapping
from typing import Any

from idp.identity.assurance import ACR_VALUES, TRUST_FRAMEWORK, acr_claim
from idp.identity.evidence import CheckMethod, DocumentType, EvidenceType, RecordType
from idp.protocol.account_link_details import TYPE as ACCOUNT_LINK
from idp.protocol.authorization_request import PROMPTS, SCOPES
from idp.protocol.ciba_request import CIBA_ALGORITHMS
from idp.protocol.claims import ITEM_OF_CLAIM
from idp.protocol.dpop import ALGORITHMS as DPOP_ALGORITHMS
from idp.protocol.historical_keys import HISTORICAL_KEYS
from idp.protocol.jose import SIGNING_ALGORITHMS
from idp.protocol.jwe import CONTENT_ENCRYPTION_ALGORITHMS, KEY_MANAGEMENT_ALGORITHMS
from idp.protocol.model import Policy
from idp.protocol.profiles import GRANT_TYPES, METHODS, NONE, TLS_METHODS
from idp.protocol.resources import (
    ACCOUNT_LINK_SCOPES,
    ACCOUNT_LINKS,
    SSF,
    SSF_SCOPES,
    USERINFO,
    resource_uris,
)
from idp.protocol.response_modes import RESPONSE_MODES
from idp.protocol.status_list import AGGREGATION as STATUS_LISTS_OF_CLIENT
from idp.protocol.tokens import scope_value
from idp.protocol.verified_claims import VERIFIABLE_CLAIMS

UI_LOCALES = ("vi", "en")

_FOR_BROWSERS = frozenset({"authorization_endpoint", "end_session_endpoint"})
"""No client certificate is asked of a person's browser."""

RESOURCE_SCOPES: Mapping[str, frozenset[str]] = {
    USERINFO: SCOPES - ACCOUNT_LINK_SCOPES - {"offline_access"},
    ACCOUNT_LINKS: ACCOUNT_LINK_SCOPES,
    SSF: SSF_SCOPES,
}
BEARER_METHODS: Mapping[str, tuple[str, ...]] = {
    USERINFO: ("header", "body"),
    ACCOUNT_LINKS: ("header",),
    SSF: ("header",),
}
"""Where a resource looks for the token: RFC 6750 §2.1, §2.2. Never in the address (§5.3)."""

_TOKEN_CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "account_link")


def server_metadata(policy: Policy) -> dict[str, Any]:
    """Return the metadata document; it changes with the policy alone, and may be kept as bytes."""
    document = _document(policy)
    return document if policy.mtls_origin is None else document | _mutual_tls(document, policy.mtls_origin)


def resource_metadata(policy: Policy, path: str) -> dict[str, Any]:
    """Return what a protected resource of ours says of itself: RFC 9728 §2."""
    document: dict[str, Any] = {
        "resource": policy.issuer + path,
        "authorization_servers": [policy.issuer],
        "scopes_supported": sorted(RESOURCE_SCOPES[path]),
        "bearer_methods_supported": list(BEARER_METHODS[path]),
        "dpop_signing_alg_values_supported": sorted(DPOP_ALGORITHMS),
        "dpop_bound_access_tokens_required": False,
    }
    if path == USERINFO:
        document["resource_signing_alg_values_supported"] = sorted(SIGNING_ALGORITHMS)
        document["jwks_uri"] = f"{policy.issuer}/jwks"
    if policy.mtls_origin is not None:
        document["tls_client_certificate_bound_access_tokens"] = True
    return document


def _mutual_tls(document: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """RFC 8705 §2.1.1, §3.3, §5: said only where certificates can be presented."""
    return {
        "token_endpoint_auth_methods_supported": list(METHODS),
        "introspection_endpoint_auth_methods_supported": [name for name in METHODS if name != NONE],
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "tls_client_certificate_bound_access_tokens": True,
        "mtls_endpoint_aliases": {
            name: origin + address.removeprefix(document["issuer"])
            for name, address in document.items()
            if name.endswith("_endpoint") and name not in _FOR_BROWSERS
        },
    }


def _document(policy: Policy) -> dict[str, Any]:
    issuer = policy.issuer
    algorithms = sorted(SIGNING_ALGORITHMS)
    # HS256 is for client_secret_jwt alone; libraries look here for the one they would use.
    for_assertions = [*algorithms, "HS256"]
    methods = [name for name in METHODS if name not in TLS_METHODS]
    return {
        # RFC 8414 §2 and OpenID Connect Discovery §3.
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "registration_endpoint": f"{issuer}/register",
        "scopes_supported": scope_value(SCOPES).split(" "),
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": sorted(GRANT_TYPES),
        "subject_types_supported": ["pairwise"],
        "acr_values_supported": [acr_claim(value, issuer) for value in ACR_VALUES],
        "id_token_signing_alg_values_supported": algorithms,
        "id_token_encryption_alg_values_supported": list(KEY_MANAGEMENT_ALGORITHMS),
        "id_token_encryption_enc_values_supported": list(CONTENT_ENCRYPTION_ALGORITHMS),
        "userinfo_signing_alg_values_supported": algorithms,
        "userinfo_encryption_alg_values_supported": list(KEY_MANAGEMENT_ALGORITHMS),
        "userinfo_encryption_enc_values_supported": list(CONTENT_ENCRYPTION_ALGORITHMS),
        "request_object_signing_alg_values_supported": algorithms,
        "token_endpoint_auth_methods_supported": [name for name in METHODS if name not in TLS_METHODS],
        "token_endpoint_auth_signing_alg_values_supported": for_assertions,
        "claim_types_supported": ["normal"],
        "claims_supported": [*_TOKEN_CLAIMS, *ITEM_OF_CLAIM],
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": list(UI_LOCALES),
        "code_challenge_methods_supported": ["S256"],
        # RP-Initiated Logout 1.0 §2.1, Back-Channel Logout 1.0 §2.1.
        "end_session_endpoint": f"{issuer}/end_session",
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        # OpenID Federation 1.0 §5.1.1, Token Status List §9.1: what makes receipts of links last.
        "federation_historical_keys_endpoint": issuer + HISTORICAL_KEYS,
        "status_list_aggregation_endpoint": issuer + STATUS_LISTS_OF_CLIENT,
        # RFC 9126 §5.
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "require_pushed_authorization_requests": False,
        # CIBA Core 1.0 §4.
        "backchannel_authentication_endpoint": f"{issuer}/backchannel-authentication",
        "backchannel_token_delivery_modes_supported": ["poll", "ping"],
        "backchannel_authentication_request_signing_alg_values_supported": sorted(CIBA_ALGORITHMS),
        "backchannel_user_code_parameter_supported": False,
        # RFC 8628 §4.
        "device_authorization_endpoint": f"{issuer}/device-authorization",
        # RFC 7662 with RFC 8414 §2; RFC 9701 §7.
        "introspection_endpoint": f"{issuer}/introspect",
        "introspection_endpoint_auth_methods_supported": [name for name in methods if name != NONE],
        "introspection_endpoint_auth_signing_alg_values_supported": for_assertions,
        "introspection_signing_alg_values_supported": algorithms,
        # RFC 7009 with RFC 8414 §2.
        "revocation_endpoint": f"{issuer}/revoke",
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": for_assertions,
        # RFC 9728 §4.
        "protected_resources": list(resource_uris(policy)),
        # JARM §4.
        "authorization_signing_alg_values_supported": algorithms,
        # RFC 9449 §5.1.
        "dpop_signing_alg_values_supported": sorted(DPOP_ALGORITHMS),
        # RFC 9207 §3.
        "authorization_response_iss_parameter_supported": True,
        # RFC 9396 §10.
        "authorization_details_types_supported": [ACCOUNT_LINK],
        # Initiating User Registration via OpenID Connect 1.0 §4.
        "prompt_values_supported": sorted(PROMPTS),
        # OpenID Connect for Identity Assurance 1.0 §8; the first is of its drafts, and still asked for.
        "verified_claims_supported": True,
        "trust_frameworks_supported": [TRUST_FRAMEWORK],
        "claims_in_verified_claims_supported": list(VERIFIABLE_CLAIMS),
        "evidence_supported": list(EvidenceType),
        "documents_supported": list(DocumentType),
        "documents_check_methods_supported": list(CheckMethod),
        "electronic_records_supported": list(RecordType),
    }
