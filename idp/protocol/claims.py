"""From scope and the claims parameter to claims, by way of what the person agreed to.

OpenID Connect Core §5.4, §5.5; OpenID Connect for Identity Assurance §5, §6; domain rules R4, R5, R7, R11.

    request ── requested_items ──▶ consent page ── agreed names ── granted_claims ──▶ Grant.claims ──▶ claims

`Grant.claims` is the whole of what was agreed to: what a scope value asked for stands in it as entries for
UserInfo, so that a later answer reads the grant alone and never the scope. By default it is empty, and
nothing about the person leaves but the levels.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from idp.identity.assurance import TRUST_FRAMEWORK, Proofing
from idp.identity.citizens import PersonalData, age_claims
from idp.protocol.model import (
    AuthorizationRequest,
    ClaimsRequest,
    Grant,
    RequestedClaim,
    VerifiedClaimsRequest,
)
from idp.protocol.requested_acr import granted_acr_claim

ASSURANCE_LEVEL = "assurance_level"

AGE_CLAIMS = ("age_over_14", "age_over_16", "age_over_18")

ATTESTED = frozenset({ASSURANCE_LEVEL, *AGE_CLAIMS})
"""What an account link is about: that a verified person of some level and age stands behind an account.

Asked for, these belong to the question itself: whoever does not want them told refuses the whole. All else
is a choice of its own (rules R4, R7)."""

ITEM_OF_CLAIM: Mapping[str, str] = {
    "name": "name",
    "birthdate": "birthdate",
    "gender": "gender",
    "nationalities": "nationalities",
    "phone_number": "phone_number",
    "phone_number_verified": "phone_number",
    "email": "email",
    "email_verified": "email",
    "address": "address",
    **{name: name for name in AGE_CLAIMS},
}
"""Every claim about a person that can leave, and the item of the consent page that it belongs to."""

CLAIMS_OF_SCOPE: Mapping[str, tuple[str, ...]] = {
    "profile": ("name", "birthdate"),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "address": ("address",),
}
"""OpenID Connect Core §5.4, less than it allows: gender is in no scope and must be asked for by name."""

VERIFIABLE_CLAIMS = ("name", "birthdate", "gender", "nationalities", *AGE_CLAIMS)
"""What the proofing established, and so may stand in verified_claims; the rest is told, not proofed."""


@dataclass(frozen=True, slots=True)
class RequestedItem:
    """One line of the consent page."""

    name: str
    essential: bool
    """The platform cannot go on without it; otherwise the person ticks it, or not (rule R7)."""
    purpose: str | None = None
    where: frozenset[str] = frozenset()
    """`id_token`, `userinfo`, or both."""


def requested_items(request: AuthorizationRequest) -> tuple[RequestedItem, ...]:
    """Return what the consent page lists, in its fixed order: Core §5.4 (voluntary), §5.5 (as stated).

    What is ATTESTED is always essential where it is asked for.
    Claims that we do not know are no items: they are left out of the answer (Core §5.5).
    """
    items: dict[str, RequestedItem] = {}
    for where, name, wanted in _wanted_claims(_with_scope_claims(request.claims, request.scope)):
        known = items.get(name, RequestedItem(name, essential=False))
        items[name] = RequestedItem(
            name,
            essential=known.essential or wanted.essential or name in ATTESTED,
            purpose=known.purpose or wanted.purpose,
            where=known.where | {where},
        )
    order = (*dict.fromkeys(ITEM_OF_CLAIM.values()), ASSURANCE_LEVEL)
    return tuple(items[name] for name in order if name in items)


def _wanted_claims(claims: ClaimsRequest) -> list[tuple[str, str, RequestedClaim]]:
    wanted: list[tuple[str, str, RequestedClaim]] = []
    for where, plain, verified in (
        ("id_token", claims.id_token, claims.verified_in_id_token),
        ("userinfo", claims.userinfo, claims.verified_in_userinfo),
    ):
        wanted += [
            (where, ITEM_OF_CLAIM[name], claim) for name, claim in plain.items() if name in ITEM_OF_CLAIM
        ]
        if verified is not None:
            wanted += [
                (where, ITEM_OF_CLAIM[name], claim)
                for name, claim in verified.claims.items()
                if name in VERIFIABLE_CLAIMS
            ]
            if verified.assurance_level is not None:
                wanted.append((where, ASSURANCE_LEVEL, verified.assurance_level))
    return wanted


def _with_scope_claims(claims: ClaimsRequest, scope: Collection[str]) -> ClaimsRequest:
    """Core §5.4: scope values ask for claims at UserInfo; what the claims parameter says of one prevails."""
    of_scope = {name: RequestedClaim() for value in scope for name in CLAIMS_OF_SCOPE.get(value, ())}
    return ClaimsRequest(
        id_token=claims.id_token,
        userinfo={**of_scope, **claims.userinfo},
        verified_in_id_token=claims.verified_in_id_token,
        verified_in_userinfo=claims.verified_in_userinfo,
    )


def agreed_items(items: Collection[RequestedItem], ticked: Collection[str]) -> frozenset[str]:
    """Return the names agreed to by pressing "allow": the essential ones, and the ticked ones on the list."""
    return frozenset(item.name for item in items if item.essential or item.name in ticked)


def granted_claims(request: AuthorizationRequest, agreed: Collection[str]) -> ClaimsRequest:
    """Narrow what was asked for to what was agreed to; the result is `Grant.claims`.

    `agreed` are item names, from the page or from the remembered consent. Nothing that was not asked for can
    come in by being agreed to, and nothing that we do not know is kept. An essential acr is kept, too: it
    says which levels the ID token may name.
    """
    asked = _with_scope_claims(request.claims, request.scope)
    return ClaimsRequest(
        id_token=_narrowed(asked.id_token, ITEM_OF_CLAIM, agreed) | granted_acr_claim(request.essential_acrs),
        userinfo=_narrowed(asked.userinfo, ITEM_OF_CLAIM, agreed),
        verified_in_id_token=_narrowed_verified(asked.verified_in_id_token, agreed),
        verified_in_userinfo=_narrowed_verified(asked.verified_in_userinfo, agreed),
    )


def _narrowed(
    claims: Mapping[str, RequestedClaim], known: Collection[str], agreed: Collection[str]
) -> dict[str, RequestedClaim]:
    return {name: claim for name, claim in claims.items() if name in known and ITEM_OF_CLAIM[name] in agreed}


def _narrowed_verified(
    verified: VerifiedClaimsRequest | None, agreed: Collection[str]
) -> VerifiedClaimsRequest | None:
    """Without the level that it insists on, the element would tell the level by being there at all."""
    if verified is None:
        return None
    claims = _narrowed(verified.claims, VERIFIABLE_CLAIMS, agreed)
    level = verified.assurance_level
    if level is not None and ASSURANCE_LEVEL not in agreed:
        if level.value is not None or level.values is not None:
            return None
        level = None
    if not claims and level is None:
        return None
    return VerifiedClaimsRequest(claims, verified.trust_framework, level)


def within_scope(grant: Grant, scope: Collection[str]) -> Grant:
    """Return the grant as a token of narrower scope may use it: RFC 6749 §6.

    What a scope value would have told is left out with it, also where `claims` asked for the same: whoever
    narrows a token means it to tell less.
    """
    lost = {name for value in grant.scope - set(scope) for name in CLAIMS_OF_SCOPE.get(value, ())}
    if not lost:
        return grant
    userinfo = {name: claim for name, claim in grant.claims.userinfo.items() if name not in lost}
    return replace(grant, claims=replace(grant.claims, userinfo=userinfo))


def userinfo_claims(grant: Grant, person: PersonalData, proofing: Proofing, now: datetime) -> dict[str, Any]:
    """Return the UserInfo response: Core §5.3.2, with `sub` always and agreed claims only.

    Identity Assurance §6: verified_claims whose claims cannot be delivered stays, with no claims in it.
    """
    claims = {"sub": grant.subject, **_released(grant.claims.userinfo, person, now)}
    asked = grant.claims.verified_in_userinfo
    verified = None if asked is None else verified_claims(asked, person, proofing, now)
    return claims if verified is None else {**claims, "verified_claims": verified}


def id_token_released_claims(
    grant: Grant, person: PersonalData, proofing: Proofing, now: datetime
) -> dict[str, Any]:
    """Return what the ID token says of the person: Core §5.5; verified_claims only with a claim in it."""
    claims = _released(grant.claims.id_token, person, now)
    asked = grant.claims.verified_in_id_token
    verified = None if asked is None else verified_claims(asked, person, proofing, now)
    return {**claims, "verified_claims": verified} if verified and verified["claims"] else claims


def verified_claims(
    asked: VerifiedClaimsRequest, person: PersonalData, proofing: Proofing, now: datetime
) -> dict[str, Any] | None:
    """Return a `verified_claims` element: Identity Assurance §5, §6.

    None when the trust framework or the level is not what was asked for: the verification as a whole is not
    the one wanted then. A claim that cannot have the value asked for is left out alone.
    """
    if not is_requested_value(asked.trust_framework, TRUST_FRAMEWORK):
        return None
    verification = {"trust_framework": TRUST_FRAMEWORK}
    if asked.assurance_level is not None:
        if not is_requested_value(asked.assurance_level, proofing.value):
            return None
        verification["assurance_level"] = proofing.value
    verifiable = {name: claim for name, claim in asked.claims.items() if name in VERIFIABLE_CLAIMS}
    return {"verification": verification, "claims": _released(verifiable, person, now)}


def _released(asked: Mapping[str, RequestedClaim], person: PersonalData, now: datetime) -> dict[str, Any]:
    values = {name: claim_value(name, person, now) for name in asked}
    return {
        name: value
        for name, value in values.items()
        if value is not None and is_requested_value(asked[name], value)
    }


def is_requested_value(asked: RequestedClaim, value: object) -> bool:
    """Core §5.5.1: `value` and `values` say what a claim must be to be of use; JSON true is not 1."""
    candidates = asked.values if asked.values is not None else ()
    if asked.value is not None:
        candidates = (*candidates, asked.value)
    if asked.value is None and asked.values is None:
        return True
    return any(type(candidate) is type(value) and candidate == value for candidate in candidates)


_VALUES: Mapping[str, Callable[[PersonalData], Any]] = {
    "name": lambda person: person.name,
    "birthdate": lambda person: person.birthdate,
    "gender": lambda person: person.gender,
    "nationalities": lambda person: [person.nationality] if person.nationality else None,
    "phone_number": lambda person: person.phone_number,
    # The register holds the number that received the e-ID's one-time codes; an e-mail address it only notes.
    "phone_number_verified": lambda person: True if person.phone_number else None,
    "email": lambda person: person.email,
    "email_verified": lambda person: False if person.email else None,
    "address": lambda person: {"formatted": person.address} if person.address else None,
}


def claim_value(name: str, person: PersonalData, now: datetime) -> object:
    """Return the value of a claim for this person; None when the register holds none (Core §5.3.2)."""
    if name in AGE_CLAIMS:
        return age_claims(person.birthdate, now)[name]
    value = _VALUES[name](person) if name in _VALUES else None
    return None if value == "" else value


def item_value(name: str, person: PersonalData, proofing: Proofing, now: datetime) -> object:
    """Return what the consent page shows for an item; None when there is nothing to send."""
    return proofing.value if name == ASSURANCE_LEVEL else claim_value(name, person, now)
