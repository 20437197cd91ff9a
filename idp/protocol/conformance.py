"""What a client, or the server as it is set up, lacks for a profile: its rules, told in advance. Pure.

A client meets its own profile since it was registered; what is told of others, and of the server, is what an
operator would otherwise learn from a failing plan.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from idp.protocol.metadata_reader import MetadataReader
from idp.protocol.model import Client, ClientStatus
from idp.protocol.profile_metadata import check_profile
from idp.protocol.profiles import CODE_GRANT, SECRET_METHODS, Profile, rules_of

LONGEST_CODE = timedelta(seconds=60)
"""FAPI 2.0 §5.3.2.1."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What matters of a server for the profiles."""

    issuer: str
    code_lifetime: timedelta
    signing_algorithms: frozenset[str]
    """For which there is a key that signs now."""
    takes_client_certificates: bool
    """Whether certificates of clients arrive: by our own TLS, or from a proxy that is named."""
    is_dpop_nonce_required: bool
    newest_event_at: datetime | None = None
    """The newest event of the audit log: a clock before it goes wrong."""
    trouble: str | None = None
    """Why keys or database could not be looked at."""


def client_gaps(client: Client, profile: Profile, now: datetime) -> tuple[str, ...]:
    """Return what a client lacks for a profile; nothing when it meets it."""
    return tuple(dict.fromkeys(_client_gaps(client, profile, now)))


def _client_gaps(client: Client, profile: Profile, now: datetime) -> Iterator[str]:
    reader = MetadataReader("client", {}, ())
    check_profile(reader, replace(client, profile=profile))
    yield from (reason.removeprefix("client.") for reason in reader.reasons)
    demands = rules_of(profile)
    if demands.is_push_required and not client.require_pushed_authorization_requests:
        yield "require_pushed_authorization_requests must be true"
    if demands.is_request_object_required and not client.require_signed_request_object:
        yield "require_signed_request_object must be true"
    if demands.is_pkce_required and CODE_GRANT in client.grant_types and not client.is_pkce_required:
        yield "require_pkce must be true"
    if demands.is_request_object_required and client.jwks is None and client.jwks_uri is None:
        yield "jwks or jwks_uri is needed for signed requests"
    if client.status is not ClientStatus.ACTIVE:
        yield f"it is {client.status}"
    if client.is_sandbox:
        yield "it is not approved for real people yet"
    if client.token_endpoint_auth_method in SECRET_METHODS and not any(
        secret.expires_at is None or now < secret.expires_at for secret in client.secrets
    ):
        yield "it has no secret that is valid"


def server_gaps(server: ServerFacts, profile: Profile, now: datetime) -> tuple[str, ...]:
    """Return what the server lacks for a profile; nothing when it meets it."""
    return tuple(_server_gaps(server, profile, now))


def _server_gaps(server: ServerFacts, profile: Profile, now: datetime) -> Iterator[str]:
    demands = rules_of(profile)
    if server.trouble is not None:
        yield server.trouble
    if not server.issuer.startswith("https://"):
        yield "the issuer must be https (DISC-02)"
    if server.newest_event_at is not None and now < server.newest_event_at:
        yield "the clock is behind the newest event of the audit log"
    missing = sorted(demands.signing_algorithms - server.signing_algorithms)
    if missing:
        yield f"no key signs with {', '.join(missing)}: `idp migrate` makes the first ones"
    if demands.is_sender_constraint_required:
        if server.code_lifetime > LONGEST_CODE:
            yield "codes must not live longer than 60 seconds"
        if not server.is_dpop_nonce_required:
            yield "IDP_DPOP_NONCE must be required, or proofs made in advance are taken"
        if not server.takes_client_certificates:
            yield (
                "no certificates of clients arrive, so half of the profile's plans cannot run: set"
                " IDP_MTLS_ORIGIN, and IDP_CLIENT_CERTIFICATE_HEADER with IDP_CLIENT_CERTIFICATE_PROXIES"
            )
