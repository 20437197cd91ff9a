"""The protected resources of this provider, and what a client may ask a token for. RFC 8707. Pure."""

from idp.protocol.errors import InvalidTargetError
from idp.protocol.model import Policy

USERINFO = "/userinfo"
ACCOUNT_LINKS = "/account-links"

RESOURCES = (USERINFO, ACCOUNT_LINKS)
"""Paths below the issuer; each is published under its own RFC 9728 metadata."""

ACCOUNT_LINK_SCOPES = frozenset({"account_links.read", "account_links.manage"})


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


def choose_audience(asked: str | None, granted: str | None, policy: Policy) -> str:
    """Return the audience of an access token: RFC 8707 §2.2, never wider than what was granted.

    Without any wish it is the provider itself, whose UserInfo endpoint takes it. Raises InvalidTargetError.
    """
    asked = check_resource(asked, policy)
    if granted is not None and asked not in {None, granted}:
        raise InvalidTargetError("resource is not the one of the authorization request")
    return asked or granted or policy.issuer
