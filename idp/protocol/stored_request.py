"""Authorization requests and requested claims as JSON text, there and back without loss.

What is dumped here was checked before; what is loaded here was dumped here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from idp.identity.account_links import AccountLinkRequest
from idp.identity.assurance import read_acr_value
from idp.protocol.model import (
    AuthorizationRequest,
    ClaimsRequest,
    RequestedCheck,
    RequestedClaim,
    RequestedEvidence,
    VerifiedClaimsRequest,
)


def dump_request(request: AuthorizationRequest) -> str:
    """Return the request as JSON text. The field names of the model are the names in the text."""
    return orjson.dumps(request, default=_plain).decode()


def load_request(text: str) -> AuthorizationRequest:
    """Return the request that was dumped."""
    stored = orjson.loads(text)
    stored["scope"] = frozenset(stored["scope"])
    stored["prompt"] = frozenset(stored["prompt"])
    stored["acr_values"] = tuple(map(read_acr_value, stored["acr_values"]))
    stored["ui_locales"] = tuple(stored["ui_locales"])
    stored["claims"] = _claims(stored["claims"])
    if stored["account_link"] is not None:
        stored["account_link"] = AccountLinkRequest(**stored["account_link"])
    stored["essential_acrs"] = tuple(map(read_acr_value, stored.get("essential_acrs", ())))
    return AuthorizationRequest(**stored)


def dump_claims(claims: ClaimsRequest) -> str:
    """Return the requested claims as JSON text."""
    return orjson.dumps(claims, default=_plain).decode()


def load_claims(text: str) -> ClaimsRequest:
    """Return the requested claims that were dumped."""
    return _claims(orjson.loads(text))


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in a stored request")


def _claims(stored: Mapping[str, Any]) -> ClaimsRequest:
    return ClaimsRequest(
        id_token=_requested_claims(stored["id_token"]),
        userinfo=_requested_claims(stored["userinfo"]),
        verified_in_id_token=_verified(stored["verified_in_id_token"]),
        verified_in_userinfo=_verified(stored["verified_in_userinfo"]),
    )


def _requested_claims(stored: Mapping[str, Any]) -> dict[str, RequestedClaim]:
    return {name: _requested_claim(entry) for name, entry in stored.items()}


def _requested_claim(stored: Mapping[str, Any]) -> RequestedClaim:
    values = stored["values"]
    return RequestedClaim(**{**stored, "values": None if values is None else tuple(values)})


def _element(stored: Mapping[str, Any] | None) -> RequestedClaim | None:
    return None if stored is None else _requested_claim(stored)


def _verified(stored: Sequence[Any] | Mapping[str, Any] | None) -> tuple[VerifiedClaimsRequest, ...]:
    """Grants outlive upgrades: until 2026-11 there was one entry or None, without evidence."""
    if stored is None or isinstance(stored, Mapping):
        return () if stored is None else (_entry(stored),)
    return tuple(map(_entry, stored))


def _entry(stored: Mapping[str, Any]) -> VerifiedClaimsRequest:
    return VerifiedClaimsRequest(
        claims=_requested_claims(stored["claims"]),
        trust_framework=_requested_claim(stored["trust_framework"]),
        assurance_level=_element(stored["assurance_level"]),
        time=_element(stored.get("time")),
        evidence=tuple(map(_evidence, stored.get("evidence", ()))),
        is_unmeetable=stored.get("is_unmeetable", False),
    )


def _evidence(stored: Mapping[str, Any]) -> RequestedEvidence:
    return RequestedEvidence(
        type=_requested_claim(stored["type"]),
        kind=_element(stored["kind"]),
        checks=tuple(map(_check, stored["checks"])),
        is_unmeetable=stored["is_unmeetable"],
    )


def _check(stored: Mapping[str, Any]) -> RequestedCheck:
    return RequestedCheck(
        check_method=_requested_claim(stored["check_method"]),
        time=_element(stored["time"]),
        is_unmeetable=stored["is_unmeetable"],
    )
