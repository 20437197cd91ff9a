"""The protected resources of this provider, and what a client may ask a token for. RFC 8707. Pure."""

from urllib.parse import urlsplit

from idp.protocol.errors import InvalidScopeError, InvalidTargetError
from idp.protocol.model import Client, Policy

USERINFO = "/userinfo"
ACCOUNT_LINKS = "/account-links"

RESOURCES = (USERINFO, ACCOUNT_LINKS)
"""Paths below the issuer; each is published under its own RFC 9728 metadata."""

READ_ACCOUNT_LINKS = "account_links.read"
MANAGE_ACCOUNT_LINKS = "account_links.manage"
ACCOUNT_LINK_SCOPES = frozenset({READ_ACCOUNT_LINKS, MANAGE_ACCOUNT_LINKS})
"""What a client may ask for in its own name. To read is also a thing that a person can agree to."""

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


def choose_own_scope(client: Client, scope: str | None) -> frozenset[str]:
    """Return the scope of a token that a client asks for in its own name: RFC 6749 §4.4.2, §3.3.

    Without a wish it is all that is registered and needs no person. Raises InvalidScopeError.
    """
    allowed = client.scope & ACCOUNT_LINK_SCOPES
    asked = frozenset(scope.split(" ")) - {""} if scope else allowed
    if not asked or not asked <= allowed:
        raise InvalidScopeError(
            "scope holds what is not registered for this client, or what only a person can grant"
        )
    return asked


def choose_audience(asked: str | None, granted: str | None, policy: Policy) -> str:
    """Return the audience of an access token: RFC 8707 §2.2, never wider than what was granted.

    Without any wish it is the provider itself, whose UserInfo endpoint takes it. Raises InvalidTargetError.
    """
    asked = check_resource(asked, policy)
    if granted is not None and asked not in {None, granted}:
        raise InvalidTargetError("resource is not the one of the authorization request")
    return asked or granted or policy.issuer
