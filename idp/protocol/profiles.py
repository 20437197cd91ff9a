"""Profiles: named bundles of rules, one for each client, enforced at every endpoint. Pure.

| profile | for | specification |
|---|---|---|
| oidc | sign-in and linking by any OpenID Connect library | OpenID Connect Core 1.0, OAuth 2.1 |
| logout | the same, and sessions that end together | RP-Initiated and Back-Channel Logout 1.0 |
| fapi2 | platforms that hold much | FAPI 2.0 Security Profile |
| fapi2-ms | the same, with signed requests and answers | FAPI 2.0 Message Signing |
| ciba | approval on another device | CIBA Core 1.0, FAPI: CIBA Profile 1.0 |
| ida | verified claims | OpenID Connect for Identity Assurance 1.0 |

A profile only ever adds conditions to what a client registers; none of them is switched off by a request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class Profile(StrEnum):
    """The name under which a client is registered."""

    OIDC = "oidc"
    LOGOUT = "logout"
    FAPI2 = "fapi2"
    FAPI2_MESSAGE_SIGNING = "fapi2-ms"
    CIBA = "ciba"
    IDA = "ida"


PRIVATE_KEY_JWT = "private_key_jwt"
CLIENT_SECRET_BASIC = "client_secret_basic"
CLIENT_SECRET_POST = "client_secret_post"
CLIENT_SECRET_JWT = "client_secret_jwt"
TLS_CLIENT_AUTH = "tls_client_auth"
SELF_SIGNED_TLS_CLIENT_AUTH = "self_signed_tls_client_auth"
NONE = "none"

METHODS = (
    PRIVATE_KEY_JWT,
    CLIENT_SECRET_BASIC,
    CLIENT_SECRET_POST,
    CLIENT_SECRET_JWT,
    TLS_CLIENT_AUTH,
    SELF_SIGNED_TLS_CLIENT_AUTH,
    NONE,
)
"""Every method of client authentication, strongest first: OpenID Connect Core §9, RFC 8705 §2."""

SECRET_METHODS = frozenset({CLIENT_SECRET_BASIC, CLIENT_SECRET_POST, CLIENT_SECRET_JWT})
TLS_METHODS = frozenset({TLS_CLIENT_AUTH, SELF_SIGNED_TLS_CLIENT_AUTH})

CODE_GRANT = "authorization_code"
REFRESH_GRANT = "refresh_token"
CLIENT_CREDENTIALS_GRANT = "client_credentials"
CIBA_GRANT = "urn:openid:params:grant-type:ciba"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

GRANT_TYPES = frozenset({CODE_GRANT, REFRESH_GRANT, CLIENT_CREDENTIALS_GRANT, CIBA_GRANT, DEVICE_GRANT})


@dataclass(frozen=True, slots=True)
class ProfileRules:
    """What a profile demands. Every `is_…_required` means: refused otherwise, at every endpoint."""

    authentication_methods: frozenset[str] = frozenset(METHODS)
    grant_types: frozenset[str] = GRANT_TYPES
    signing_algorithms: frozenset[str] = frozenset({"ES256", "RS256", "PS256", "EdDSA"})
    """For assertions, request objects and DPoP proofs of the client, and for what is signed to it."""
    is_issuer_the_only_audience: bool = False
    """RFC 10070, FAPI 2.0 §5.3.2.1: an assertion names the issuer alone, as a string."""
    is_push_required: bool = False
    """FAPI 2.0 §5.3.2.2: authorization requests are pushed."""
    is_pkce_required: bool = False
    """False leaves it to the registration, where it is required unless that says otherwise."""
    is_request_object_required: bool = False
    """FAPI 2.0 Message Signing §5.3: authorization requests are signed."""
    is_request_object_strict: bool = False
    """Whether a request object needs iss, aud, exp and nbf: FAPI 2.0 Message Signing §5.3.1."""
    is_sender_constraint_required: bool = False
    """FAPI 2.0 §5.3.2.1: tokens are bound to a key, by DPoP or mutual TLS."""
    does_rotate_refresh_tokens: bool = True
    """FAPI 2.0 §5.3.2.1: not where the token is bound to its sender."""


_OIDC = ProfileRules()
_FAPI2 = ProfileRules(
    authentication_methods=frozenset({PRIVATE_KEY_JWT, *TLS_METHODS}),
    grant_types=frozenset({CODE_GRANT, REFRESH_GRANT, CLIENT_CREDENTIALS_GRANT}),
    signing_algorithms=frozenset({"ES256", "PS256", "EdDSA"}),
    is_issuer_the_only_audience=True,
    is_push_required=True,
    is_pkce_required=True,
    is_request_object_strict=True,
    is_sender_constraint_required=True,
    does_rotate_refresh_tokens=False,
)
_RULES: Mapping[Profile, ProfileRules] = {
    Profile.OIDC: _OIDC,
    Profile.LOGOUT: _OIDC,
    Profile.IDA: _OIDC,
    Profile.FAPI2: _FAPI2,
    Profile.FAPI2_MESSAGE_SIGNING: replace(_FAPI2, is_request_object_required=True),
    # FAPI: CIBA rests on FAPI 1.0, which tolerates endpoint URLs as audience, and takes no redirects.
    Profile.CIBA: replace(
        _FAPI2,
        grant_types=GRANT_TYPES,
        is_issuer_the_only_audience=False,
        is_request_object_required=True,
    ),
}


def rules_of(profile: Profile) -> ProfileRules:
    """Return what a profile demands."""
    return _RULES[profile]
