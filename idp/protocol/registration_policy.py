"""What an initial access token lets somebody register. RFC 7591 §1.2, §5; abuse class 14. Pure.

The policy judges the client that results, after defaults, software statement and update, and never the words
that were sent: what a request leaves out may be as much as what it asks for (Keycloak CVE-2026-15572).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from idp.protocol.authorization_request import SCOPES
from idp.protocol.errors import InvalidRedirectURIError, RefusedClientMetadataError
from idp.protocol.metadata_reader import host_of
from idp.protocol.model import Client
from idp.protocol.profiles import CODE_GRANT, METHODS, REFRESH_GRANT, Profile, rules_of
from idp.protocol.resources import ACCOUNT_LINK_SCOPES

MAY_CHANGE_ONCE_APPROVED = frozenset({"contacts", "jwks", "jwks_uri", "software_version"})
"""What nobody looks at when a client is approved, or what a client must be able to change alone: its keys."""


@dataclass(frozen=True, slots=True)
class RegistrationPolicy:
    """What a client may be that registers itself."""

    profile: Profile = Profile.OIDC
    grant_types: frozenset[str] = frozenset({CODE_GRANT, REFRESH_GRANT})
    scopes: frozenset[str] = SCOPES - ACCOUNT_LINK_SCOPES
    authentication_methods: frozenset[str] = frozenset(METHODS)
    hosts: frozenset[str] = frozenset()
    """Hosts that every address of the client must have; none: whichever the client names."""
    is_pkce_required: bool = True
    is_software_statement_required: bool = False
    """RFC 7591 §2.3; at every update too, or a client could drop what its statement says."""
    is_sandbox: bool = True
    """Whether the client stays with fictitious people until an operator approves it."""


def check_registration(client: Client, policy: RegistrationPolicy) -> None:
    """Judge a client that is to be registered or changed.

    Raises InvalidRedirectURIError where the redirect URIs are the only trouble, else
    RefusedClientMetadataError with every reason.
    """
    addresses = tuple(_strange_redirect_uris(client, policy))
    reasons = (*_reasons(client, policy), *addresses)
    if not reasons:
        return
    kind = InvalidRedirectURIError if len(reasons) == len(addresses) else RefusedClientMetadataError
    raise kind("; ".join(reasons))


def _reasons(client: Client, policy: RegistrationPolicy) -> Iterator[str]:
    if client.profile is not policy.profile:
        yield f"this registration is for the profile {policy.profile} alone"
    for grant_type in sorted(client.grant_types - policy.grant_types):
        yield f"grant_types may not hold {grant_type}; allowed: {_listed(policy.grant_types)}"
    for scope in sorted(client.scope - policy.scopes):
        yield f"scope may not hold {scope}; allowed: {_listed(policy.scopes)}"
    if client.token_endpoint_auth_method not in policy.authentication_methods:
        allowed = policy.authentication_methods & rules_of(policy.profile).authentication_methods
        method = client.token_endpoint_auth_method
        yield f"token_endpoint_auth_method, stated or by default, is {method}; allowed: {_listed(allowed)}"
    if policy.is_pkce_required and not client.is_pkce_required:
        yield "PKCE is required"
    if client.introspects:
        yield "tokens of others are not introspected by a client that registered itself"
    for name, uri in _other_addresses(client):
        if policy.hosts and host_of(uri) not in policy.hosts:
            yield f"{name} must be at {_listed(policy.hosts)}"
    if client.client_uri is not None and host_of(client.client_uri) not in _own_hosts(client, policy):
        yield "client_uri must be at a host of the redirect URIs: people know the client by it"


def _strange_redirect_uris(client: Client, policy: RegistrationPolicy) -> Iterator[str]:
    for position, uri in enumerate(client.redirect_uris, start=1):
        if policy.hosts and host_of(uri) not in policy.hosts:
            yield f"redirect_uris number {position} must be at {_listed(policy.hosts)}"


def _other_addresses(client: Client) -> Iterator[tuple[str, str]]:
    """Return the addresses to which people, or what is said of them, are sent beside the redirect URIs."""
    yield from (("post_logout_redirect_uris", uri) for uri in client.post_logout_redirect_uris)
    for name in ("initiate_login_uri", "backchannel_logout_uri", "backchannel_client_notification_endpoint"):
        uri: str | None = getattr(client, name)
        if uri is not None:
            yield name, uri


def _own_hosts(client: Client, policy: RegistrationPolicy) -> frozenset[str | None]:
    """Return the hosts that are the client's own, and those that whoever gave it the token vouches for."""
    shown = {host_of(uri) for uri in client.redirect_uris} - {None}
    if not shown and client.jwks_uri is not None:
        shown = {host_of(client.jwks_uri)}
    return frozenset(policy.hosts | shown)


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(values)) or "none"


def check_change(before: Client, after: Client) -> None:
    """Hold an approved client to what was approved: RFC 7592 §2.2. Raises RefusedClientMetadataError.

    Whoever looked at the client saw these addresses and this name; another one needs another look.
    """
    if before.is_sandbox:
        return
    changed = [
        name
        for name in sorted(Client.__dataclass_fields__)
        if name not in MAY_CHANGE_ONCE_APPROVED | {"secrets", "status"}
        and getattr(before, name) != getattr(after, name)
    ]
    if changed:
        raise RefusedClientMetadataError(
            f"this client was approved as it is; ask the operator to change {', '.join(changed)}"
        )


def dump_policy(policy: RegistrationPolicy) -> str:
    """Return the policy as JSON with sorted members."""
    members = {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name in RegistrationPolicy.__dataclass_fields__
        for value in [getattr(policy, name)]
    }
    return orjson.dumps(members, option=orjson.OPT_SORT_KEYS).decode()


def load_policy(document: str) -> RegistrationPolicy:
    """Return the policy that `dump_policy` wrote. Members that are missing take their defaults."""
    members: dict[str, Any] = orjson.loads(document)
    named: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value for name, value in members.items()
    }
    named["profile"] = Profile(members.get("profile", Profile.OIDC))
    return RegistrationPolicy(**named)
