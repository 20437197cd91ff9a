"""The members of a registration that belong to profiles: what they are, and what a profile demands of them.

RFC 8705 §2.1.2, RFC 9101 §10.5, RFC 9126 §6, RFC 9449 §5.2, RFC 9701 §6, JARM §3, CIBA Core §4, RP-Initiated
and Back-Channel Logout 1.0, OpenID Connect Core §4 (initiate_login_uri). In `[policy]`, ours:

    profile               one of `profiles.Profile`; default "oidc"
    require_pkce          false lets a confidential client leave PKCE out; default true
    access_token_format   "jwt" (default) or "opaque"
    introspects           resources (paths of ours, RFC 8707) whose tokens the client may introspect
"""

from collections.abc import Mapping
from typing import Any

from idp.protocol.client_certificate import (
    ClientCertificateError,
    read_distinguished_name,
    read_ip_address,
)
from idp.protocol.jose import SIGNING_ALGORITHMS
from idp.protocol.jwe import (
    CONTENT_ENCRYPTION_ALGORITHMS,
    DEFAULT_CONTENT_ENCRYPTION,
    KEY_MANAGEMENT_ALGORITHMS,
)
from idp.protocol.metadata_reader import MetadataReader
from idp.protocol.model import Client
from idp.protocol.profiles import (
    CIBA_GRANT,
    CLIENT_CREDENTIALS_GRANT,
    NONE,
    TLS_CLIENT_AUTH,
    TLS_METHODS,
    Profile,
    rules_of,
)
from idp.protocol.resources import RESOURCES

TLS_NAMES = (
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
)

_TLS_NAME_READERS = {
    "tls_client_auth_subject_dn": read_distinguished_name,
    "tls_client_auth_san_ip": read_ip_address,
}

MEMBERS = frozenset(
    {
        *TLS_NAMES,
        "authorization_signed_response_alg",
        "backchannel_authentication_request_signing_alg",
        "backchannel_client_notification_endpoint",
        "backchannel_logout_session_required",
        "backchannel_logout_uri",
        "backchannel_token_delivery_mode",
        "backchannel_user_code_parameter",
        "dpop_bound_access_tokens",
        "id_token_encrypted_response_alg",
        "id_token_encrypted_response_enc",
        "initiate_login_uri",
        "introspection_signed_response_alg",
        "post_logout_redirect_uris",
        "request_object_signing_alg",
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "sector_identifier_uri",
        "software_id",
        "software_version",
        "tls_client_certificate_bound_access_tokens",
        "userinfo_encrypted_response_alg",
        "userinfo_encrypted_response_enc",
    }
)
POLICY_MEMBERS = frozenset({"access_token_format", "introspects", "profile", "require_pkce"})


def read_profile(rules: MetadataReader) -> Profile:
    """Return the profile that the registration names."""
    return Profile(rules.choice("profile", list(Profile), Profile.OIDC.value))


def read_profile_members(
    client: MetadataReader, rules: MetadataReader, profile: Profile
) -> Mapping[str, Any]:
    """Return these members as arguments for `Client`; what a profile fixes need not be stated."""
    demands = rules_of(profile)
    logout_uris = client.redirect_uris("post_logout_redirect_uris", required=False)
    return {
        "profile": profile,
        "is_pkce_required": rules.boolean("require_pkce") is not False,
        "access_token_format": rules.choice("access_token_format", {"jwt", "opaque"}, "jwt"),
        "introspects": frozenset(rules.choices("introspects", RESOURCES)),
        "require_pushed_authorization_requests": demands.is_push_required
        or bool(client.boolean("require_pushed_authorization_requests")),
        "require_signed_request_object": demands.is_request_object_required
        or bool(client.boolean("require_signed_request_object")),
        "request_object_signing_alg": _signing_alg(client, "request_object_signing_alg"),
        "authorization_signed_response_alg": _signing_alg(client, "authorization_signed_response_alg"),
        "introspection_signed_response_alg": _signing_alg(client, "introspection_signed_response_alg"),
        **_encryption(client, "id_token"),
        **_encryption(client, "userinfo"),
        "dpop_bound_access_tokens": bool(client.boolean("dpop_bound_access_tokens")),
        "tls_client_certificate_bound_access_tokens": bool(
            client.boolean("tls_client_certificate_bound_access_tokens")
        ),
        **{name: client.text(name, 500) for name in TLS_NAMES},
        "post_logout_redirect_uris": logout_uris,
        "backchannel_logout_uri": client.web_uri("backchannel_logout_uri"),
        "backchannel_logout_session_required": bool(client.boolean("backchannel_logout_session_required")),
        "backchannel_token_delivery_mode": client.choice(
            "backchannel_token_delivery_mode", {"poll", "ping"}, None
        ),
        "backchannel_client_notification_endpoint": client.web_uri(
            "backchannel_client_notification_endpoint"
        ),
        "backchannel_authentication_request_signing_alg": _signing_alg(
            client, "backchannel_authentication_request_signing_alg"
        ),
        "initiate_login_uri": client.https_uri("initiate_login_uri"),
        "sector_identifier_uri": client.web_uri("sector_identifier_uri"),
        "software_id": client.text("software_id", 255),
        "software_version": client.text("software_version", 255),
        "application_type": client.choice("application_type", {"web", "native"}, "web"),
    }


def _signing_alg(client: MetadataReader, name: str) -> str | None:
    return client.choice(name, SIGNING_ALGORITHMS, None)


def _encryption(client: MetadataReader, what: str) -> Mapping[str, str | None]:
    """OpenID Registration §2: `enc` without `alg` means nothing, `alg` alone takes a default `enc`."""
    alg_name, enc_name = f"{what}_encrypted_response_alg", f"{what}_encrypted_response_enc"
    alg = client.choice(alg_name, KEY_MANAGEMENT_ALGORITHMS, None)
    enc = client.choice(enc_name, CONTENT_ENCRYPTION_ALGORITHMS, None)
    if enc is not None and alg is None:
        client.refuse(enc_name, f"needs {alg_name}")
    return {alg_name: alg, enc_name: enc if alg is None or enc is not None else DEFAULT_CONTENT_ENCRYPTION}


def check_profile(client: MetadataReader, read: Client) -> None:
    """Hold the whole registration against its profile, adding every reason to refuse it."""
    demands = rules_of(read.profile)
    method = read.token_endpoint_auth_method
    if method not in demands.authentication_methods:
        client.refuse(
            "token_endpoint_auth_method",
            f"must be {' or '.join(sorted(demands.authentication_methods))} under profile {read.profile}",
        )
    for grant_type in sorted(read.grant_types - demands.grant_types):
        client.refuse("grant_types", f"may not hold {grant_type} under profile {read.profile}")
    _check_algorithms(client, read, demands.signing_algorithms)
    is_bound = read.dpop_bound_access_tokens or read.tls_client_certificate_bound_access_tokens
    if demands.is_sender_constraint_required and not is_bound:
        client.refuse(
            "dpop_bound_access_tokens",
            f"or tls_client_certificate_bound_access_tokens must be true under profile {read.profile}",
        )
    if read.dpop_bound_access_tokens and read.tls_client_certificate_bound_access_tokens:
        client.refuse("dpop_bound_access_tokens", "and the certificate-bound one exclude each other")
    _check_credentials(client, read)
    _check_ciba(client, read)
    if read.profile is Profile.LOGOUT and not (read.backchannel_logout_uri or read.post_logout_redirect_uris):
        client.refuse("post_logout_redirect_uris", "or backchannel_logout_uri is needed under profile logout")


def _check_algorithms(client: MetadataReader, read: Client, allowed: frozenset[str]) -> None:
    for name in (
        "token_endpoint_auth_signing_alg",
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
        "request_object_signing_alg",
        "authorization_signed_response_alg",
        "introspection_signed_response_alg",
        "backchannel_authentication_request_signing_alg",
    ):
        algorithm = getattr(read, name)
        if algorithm is not None and algorithm not in allowed and algorithm != "HS256":
            client.refuse(name, f"must be {' or '.join(sorted(allowed))} under profile {read.profile}")


def _check_credentials(client: MetadataReader, read: Client) -> None:
    method = read.token_endpoint_auth_method
    names = [name for name in TLS_NAMES if getattr(read, name) is not None]
    if method == TLS_CLIENT_AUTH and len(names) != 1:
        client.refuse("tls_client_auth_subject_dn", f"or one of {', '.join(TLS_NAMES[1:])} is needed, once")
    for name, read_name in _TLS_NAME_READERS.items():
        registered = getattr(read, name)
        if registered is not None:
            try:
                read_name(registered)
            except ClientCertificateError as error:
                client.refuse(name, str(error))
    if method in TLS_METHODS - {TLS_CLIENT_AUTH} and read.jwks is None and read.jwks_uri is None:
        client.refuse("jwks", "or jwks_uri is needed: it holds the self-signed certificate")
    if method == NONE:
        if not read.is_pkce_required:
            client.refuse("token_endpoint_auth_method", "none needs PKCE")
        if CLIENT_CREDENTIALS_GRANT in read.grant_types:
            client.refuse("grant_types", "may not hold client_credentials without a credential")


def _check_ciba(client: MetadataReader, read: Client) -> None:
    """CIBA Core §4: a delivery mode, and for ping the endpoint."""
    if CIBA_GRANT in read.grant_types:
        if read.backchannel_token_delivery_mode is None:
            client.refuse("backchannel_token_delivery_mode", "is needed for the CIBA grant")
        if read.is_public:
            client.refuse("grant_types", "may not hold the CIBA grant without client authentication")
    if (
        read.backchannel_token_delivery_mode == "ping"
        and read.backchannel_client_notification_endpoint is None
    ):
        client.refuse("backchannel_client_notification_endpoint", "is needed for delivery mode ping")
    if client.boolean("backchannel_user_code_parameter"):
        client.refuse("backchannel_user_code_parameter", "must be false: user codes are not used here")
