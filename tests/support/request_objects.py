"""Request objects as a client makes them, and as an attacker would. RFC 9101."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.support.protocol_builders import sign

LIFETIME = timedelta(minutes=5)


def object_claims(
    parameters: Mapping[str, Any], issuer: str, now: datetime, **changes: Any
) -> dict[str, Any]:
    """The members of a good request object: the parameters, and what it says of itself.

    A change to None leaves a member out.
    """
    present = int(now.timestamp())
    about = {
        "iss": parameters["client_id"],
        "aud": issuer,
        "iat": present,
        "nbf": present,
        "exp": present + int(LIFETIME.total_seconds()),
        "jti": f"request-{present}",
    }
    members = {**parameters, **about, **changes}
    return {name: value for name, value in members.items() if value is not None}


def request_object(
    parameters: Mapping[str, Any],
    issuer: str,
    now: datetime,
    *,
    algorithm: str = "ES256",
    headers: Mapping[str, Any] | None = None,
    **changes: Any,
) -> str:
    """Sign a request object with the key that `protocol_builders.JWKS` publishes for the algorithm."""
    typ = {"typ": "oauth-authz-req+jwt"}
    return sign(object_claims(parameters, issuer, now, **changes), algorithm, typ | dict(headers or {}))
