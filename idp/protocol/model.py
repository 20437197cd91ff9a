"""The nouns of the protocol as frozen values. Rules take them and give them back changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from idp.identity.account_links import AccountLinkRequest, LinkPolicy
from idp.identity.assurance import Acr, AcrValue
from idp.protocol.confirmation import Confirmation
from idp.protocol.profiles import NONE, Profile


class ClientStatus(StrEnum):
    """Whether a relying party may use the provider."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REMOVED = "removed"
    """Gone for good (RFC 7592 §2.3); kept so that links made with it can still be named and ended."""
    UNAPPROVED = "unapproved"
    """In its sandbox, where real people are served: see `approval`. Never stored."""


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A client secret as it is kept: its SHA-256 (full entropy); two while rotating."""

    sha256: bytes
    created_at: datetime
    expires_at: datetime | None = None
    sealed: bytes | None = None
    """The secret itself, sealed, for client_secret_jwt alone: an HMAC cannot be checked with a hash."""


@dataclass(frozen=True, slots=True)
class Client:
    """A registered relying party. Field names are those of RFC 7591 §2 and OpenID Registration §2."""

    client_id: str
    client_name: str
    redirect_uris: tuple[str, ...]
    token_endpoint_auth_method: str
    """One of `profiles.METHODS`."""
    sector: str
    """The host that pairwise subjects are computed for (OpenID Connect Core §8.1)."""
    grant_types: frozenset[str] = frozenset({"authorization_code"})
    scope: frozenset[str] = frozenset({"openid"})
    status: ClientStatus = ClientStatus.ACTIVE
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    secrets: tuple[ClientSecret, ...] = ()
    token_endpoint_auth_signing_alg: str | None = None
    id_token_signed_response_alg: str = "ES256"
    userinfo_signed_response_alg: str | None = None
    default_max_age: int | None = None
    default_acr_values: tuple[AcrValue, ...] = ()
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    policy: LinkPolicy = field(default_factory=LinkPolicy)
    profile_hosts: frozenset[str] = frozenset()
    """Hosts that `profile_uri` of an account may have."""
    profile: Profile = Profile.OIDC
    is_sandbox: bool = False
    """Registered by itself and not yet approved: serves test people only, never in production."""
    is_pkce_required: bool = True
    require_pushed_authorization_requests: bool = False
    """RFC 9126 §6."""
    require_signed_request_object: bool = False
    """RFC 9101 §10.5."""
    request_object_signing_alg: str | None = None
    authorization_signed_response_alg: str | None = None
    """JARM §3."""
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None
    introspection_signed_response_alg: str | None = None
    """RFC 9701 §6."""
    dpop_bound_access_tokens: bool = False
    """RFC 9449 §5.2."""
    tls_client_certificate_bound_access_tokens: bool = False
    """RFC 8705 §3.4."""
    tls_client_auth_subject_dn: str | None = None
    """RFC 8705 §2.1.2: one of these five names the certificate of tls_client_auth."""
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    tls_client_auth_san_ip: str | None = None
    tls_client_auth_san_email: str | None = None
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    backchannel_token_delivery_mode: str | None = None
    """CIBA Core §4: poll or ping."""
    backchannel_client_notification_endpoint: str | None = None
    backchannel_authentication_request_signing_alg: str | None = None
    initiate_login_uri: str | None = None
    """OpenID Connect Core §4."""
    sector_identifier_uri: str | None = None
    software_id: str | None = None
    software_version: str | None = None
    application_type: str = "web"
    access_token_format: str = "jwt"
    """jwt (RFC 9068) or opaque: whether whoever gets the token can read it."""
    public_mark: bool = False
    """Whether accounts there may show a mark that anybody can check (rule R21)."""
    introspects: frozenset[str] = frozenset()
    """Resources (RFC 8707) whose tokens this client may introspect, beside its own."""

    @property
    def is_public(self) -> bool:
        """Tell whether the client has no credential of its own (RFC 6749 §2.1)."""
        return self.token_endpoint_auth_method == NONE


@dataclass(frozen=True, slots=True)
class RequestedClaim:
    """One entry of the `claims` parameter (OpenID Connect Core §5.5.1)."""

    essential: bool = False
    value: object | None = None
    values: tuple[object, ...] | None = None
    purpose: str | None = None
    max_age: float | None = None
    """Seconds that may have passed since the time it tells (Identity Assurance §5.5.2)."""

    def is_constrained(self) -> bool:
        """Tell whether it says what the claim must be to be of use."""
        return self.value is not None or self.values is not None or self.max_age is not None


@dataclass(frozen=True, slots=True)
class RequestedCheck:
    """One entry of `check_details` of requested evidence: a filter and a template at once."""

    check_method: RequestedClaim
    time: RequestedClaim | None = None
    is_unmeetable: bool = False
    """It constrains what we do not hold."""

    def is_constrained(self) -> bool:
        """Tell whether it says what a check must be to be of use."""
        parts = [self.check_method] if self.time is None else [self.check_method, self.time]
        return self.is_unmeetable or any(part.is_constrained() for part in parts)


@dataclass(frozen=True, slots=True)
class RequestedEvidence:
    """One entry of `evidence`: a filter and a template at once (Identity Assurance §5.4)."""

    type: RequestedClaim
    """Always with a value: the type of evidence that the others belong to."""
    kind: RequestedClaim | None = None
    """`document_details.type` or `record.type`."""
    checks: tuple[RequestedCheck, ...] = ()
    is_unmeetable: bool = False
    """It constrains what we do not hold."""


@dataclass(frozen=True, slots=True)
class VerifiedClaimsRequest:
    """One entry of `verified_claims` of the `claims` parameter (Identity Assurance §5.3 to §5.6)."""

    claims: Mapping[str, RequestedClaim]
    """Empty where only the verification was asked for, or nothing else was agreed to."""
    trust_framework: RequestedClaim = RequestedClaim()
    assurance_level: RequestedClaim | None = None
    time: RequestedClaim | None = None
    evidence: tuple[RequestedEvidence, ...] = ()
    is_unmeetable: bool = False
    """Its verification constrains what we do not hold."""


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """The `claims` parameter, read and checked."""

    id_token: Mapping[str, RequestedClaim] = field(default_factory=dict)
    userinfo: Mapping[str, RequestedClaim] = field(default_factory=dict)
    verified_in_id_token: tuple[VerifiedClaimsRequest, ...] = ()
    verified_in_userinfo: tuple[VerifiedClaimsRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A validated authorization request, immutable from here to the token (OIDC Core §3.1.2.1)."""

    client_id: str
    redirect_uri: str
    scope: frozenset[str]
    code_challenge: str | None
    """S256 challenge (RFC 7636 §4.2); None only for a client registered without PKCE."""
    state: str | None = None
    nonce: str | None = None
    response_mode: str = "query"
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    acr_values: tuple[AcrValue, ...] = ()
    login_hint: str | None = None
    id_token_hint: str | None = None
    """As sent, not verified: whoever reads it checks signature and audience first (OIDC Core §3.1.2.2)."""
    ui_locales: tuple[str, ...] = ()
    claims: ClaimsRequest = field(default_factory=ClaimsRequest)
    account_link: AccountLinkRequest | None = None
    dpop_jkt: str | None = None
    """Thumbprint of the DPoP key that the code is bound to (RFC 9449 §10)."""
    resource: str | None = None
    """The resource that access tokens are for (RFC 8707)."""
    essential_acrs: tuple[AcrValue, ...] = ()
    """Levels of which one must hold, or the request fails (OIDC Core §5.5.1.1)."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person granted a client in one authorization; the head of a token family."""

    grant_id: str
    client_id: str
    citizen_id: str
    subject: str
    session_id: str
    scope: frozenset[str]
    claims: ClaimsRequest
    """The requested claims that were agreed to."""
    acr: Acr
    amr: tuple[str, ...]
    auth_time: datetime
    nonce: str | None
    consent_id: str | None
    link_id: str | None
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    resource: str | None = None
    """The resource that was asked for (RFC 8707); None is UserInfo."""
    confirmation: Confirmation | None = None
    """The key that the refresh tokens of a public client are bound to (RFC 9449 §5)."""


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """An authorization code as it is kept: bound to client, redirect URI and challenge (RFC 6749 §4.1.2)."""

    code_hash: bytes
    redirect_uri: str
    code_challenge: str | None
    grant: Grant
    expires_at: datetime
    consumed_at: datetime | None = None
    dpop_jkt: str | None = None
    """The DPoP key the code is bound to (RFC 9449 §10)."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One generation of a token family (RFC 9700 §4.14)."""

    token_hash: bytes
    grant_id: str
    generation: int
    issued_at: datetime
    expires_at: datetime
    consumed_at: datetime | None = None
    retries: int = 0
    """How often it came back within the grace after it was consumed."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long each credential lives."""

    pushed_request: timedelta = timedelta(seconds=90)
    interaction: timedelta = timedelta(minutes=30)
    code: timedelta = timedelta(seconds=60)
    access_token: timedelta = timedelta(minutes=10)
    id_token: timedelta = timedelta(minutes=10)
    refresh_token: timedelta = timedelta(days=30)
    refresh_grace: timedelta = timedelta(seconds=60)
    """How long a refresh token that was rotated may come back: lost answers and parallel tabs."""
    grant: timedelta = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Policy:
    """All that the rules know of the configuration."""

    issuer: str
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    mtls_origin: str | None = None
    """Where clients reach the same endpoints by mutual TLS (RFC 8705 §5); None where they cannot."""
