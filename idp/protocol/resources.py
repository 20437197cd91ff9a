"""The protected resources of this provider, and what a client may ask a token for. RFC 8707. Pure."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from idp.protocol.errors import InvalidScopeError, InvalidTargetError
from idp.protocol.model import Client, Policy

USERINFO = "/userinfo"
ACCOUNT_LINKS = "/account-links"
SSF = "/ssf"

RESOURCES = (USERINFO, ACCOUNT_LINKS, SSF)
"""Paths below the issuer; each is published under its own RFC 9728 metadata."""

READ_ACCOUNT_LINKS = "account_links.read"
MANAGE_ACCOUNT_LINKS = "account_links.manage"
ACCOUNT_LINK_SCOPES = frozenset({READ_ACCOUNT_LINKS, MANAGE_ACCOUNT_LINKS})
"""What a client may ask for in its own name. To read is also a thing that a person can agree to."""

READ_STREAMS = "ssf.read"
MANAGE_STREAMS = "ssf.manage"
SSF_SCOPES = frozenset({READ_STREAMS, MANAGE_STREAMS})
"""What a receiver of security events may ask for (CAEP Interoperability Profile 1.0 §2.7.2)."""

OWN_SCOPES: Mapping[str, frozenset[str]] = {ACCOUNT_LINKS: ACCOUNT_LINK_SCOPES, SSF: SSF_SCOPES}
"""What a client may do in its own name, by the resource that it does it at."""

METADATA_PATH = "/.well-known/oauth-protected-resource"


def resource_at(path: str) -> str | None:
    """Return the resource that an address belongs to, if it is one."""
    return next((each for each in RESOURCES if path == each or path.startswith(f"{each}/")), None)


def resource_metadata_uri(issuer: str, resource: str) -> str:
    """Return where a resource describes itself: RFC 9728 §3, inserted between host and path."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}{METADATA_PATH}{parts.path}{resource}"


def resource_uris(policy: Policy) -> tuple[str, ...]:
    """Return the resource identifiers of our own resources (RFC 8707 §2, RFC 9728 §1.2)."""
    return tuple(policy.issuer + path for path in RESOURCES)


def check_resource(resource: str | None, policy: Policy) -> str | None:
    """Return the resource that was asked for, if it is one of ours. Raises InvalidTargetError.

    RFC 8707 §2: "an absolute URI … without a fragment". One at a time: a token for two resources could be
    carried from the one to the other.
    """
    if resource is None or resource in resource_uris(policy):
        return resource
    raise InvalidTargetError("resource is not one of this provider's resources")


def choose_own_access(
    client: Client, scope: str | None, resource: str | None, policy: Policy
) -> tuple[frozenset[str], str]:
    """Return scope and audience of a token that a client asks for in its own name: RFC 6749 §4.4.2, §3.3.

    A token is for one resource. Without a wish for a scope it is all that is registered for the resource that
    is asked for, or for the first that anything is registered for. Raises InvalidScopeError,
    InvalidTargetError.
    """
    check_resource(resource, policy)
    asked = frozenset(scope.split(" ")) - {""} if scope else None
    for path, scopes in OWN_SCOPES.items():
        audience, allowed = policy.issuer + path, client.scope & scopes
        chosen = asked
        if asked is None:
            chosen = allowed if resource in {None, audience} else None
        if chosen and chosen <= allowed:
            return chosen, _check_one(resource, audience)
    if resource is not None and resource.removeprefix(policy.issuer) not in OWN_SCOPES:
        raise InvalidTargetError("resource is one that only a person can grant")
    raise InvalidScopeError(
        "scope holds what is not registered for this client, what only a person can grant, or what is for"
        " another resource"
    )


def _check_one(resource: str | None, audience: str) -> str:
    if resource not in {None, audience}:
        raise InvalidTargetError("resource is not the one that scope is for")
    return audience


def choose_audience(asked: str | None, granted: str | None, policy: Policy) -> str:
    """Return the audience of an access token: RFC 8707 §2.2, never wider than what was granted.

    Without any wish it is the provider itself, whose UserInfo endpoint takes it. Raises InvalidTargetError.
    """
    asked = check_resource(asked, policy)
    if granted is not None and asked not in {None, granted}:
        raise InvalidTargetError("resource is not the one of the authorization request")
    return asked or granted or policy.issuer
