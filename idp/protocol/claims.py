"""From scope and the claims parameter to claims, by way of what the person agreed to.

OpenID Connect Core §5.4, §5.5; OpenID Connect for Identity Assurance §5.7; domain rules R4, R5, R7, R11.

    request ── requested_items ──▶ consent page ── agreed names ── granted_claims ──▶ Grant.claims ──▶ claims

`Grant.claims` is the whole of what was agreed to: what a scope value asked for stands in it as entries for
UserInfo, so that a later answer reads the grant alone and never the scope. By default it is empty, and
nothing about the person leaves but the levels.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from idp.identity.citizens import Citizen
from idp.identity.evidence import evidence_members
from idp.protocol.claim_values import AGE_CLAIMS, claim_value, released
from idp.protocol.model import (
    AuthorizationRequest,
    ClaimsRequest,
    Grant,
    RequestedClaim,
    VerifiedClaimsRequest,
)
from idp.protocol.requested_acr import granted_acr_claim
from idp.protocol.resources import READ_ACCOUNT_LINKS
from idp.protocol.verified_claims import VERIFIABLE_CLAIMS, released_evidence, verified_claims

ASSURANCE_LEVEL = "assurance_level"
VERIFICATION_TIME = "verification_time"
VERIFICATION_EVIDENCE = "verification_evidence"
VERIFICATION_ITEMS = (ASSURANCE_LEVEL, VERIFICATION_TIME, VERIFICATION_EVIDENCE)
"""The items of the consent page that tell of the proofing: members of `verification`, not of `claims`."""

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

    What is ATTESTED is always essential where it is asked for. To read the person's account links is an item
    as well, though no claim: a scope value that they agree to, or not (RFC 6749 §3.3).
    Claims that we do not know are no items: they are left out of the answer (Core §5.5).
    """
    items: dict[str, RequestedItem] = {}
    for where, name, wanted in _wanted_claims(_with_scope_claims(request.claims, request.scope)):
        known = items.get(name, RequestedItem(name, essential=False))
        items[name] = RequestedItem(
            name,
            essential=known.essential or wanted.essential or name in ATTESTED,
            purpose=_both(known.purpose, wanted.purpose),
            where=known.where | {where},
        )
    if READ_ACCOUNT_LINKS in request.scope:
        # Where nothing else is asked for it is the question itself.
        is_all = request.scope <= {READ_ACCOUNT_LINKS, "offline_access"}
        items[READ_ACCOUNT_LINKS] = RequestedItem(READ_ACCOUNT_LINKS, essential=is_all)
    order = (*dict.fromkeys(ITEM_OF_CLAIM.values()), *VERIFICATION_ITEMS, READ_ACCOUNT_LINKS)
    return tuple(items[name] for name in order if name in items)


def _both(known: str | None, stated: str | None) -> str | None:
    """Put purposes together: one item is asked about once, however often it is asked for (rule R7)."""
    if known is None or stated is None or stated in known:
        return known or stated
    return f"{known}; {stated}"


def _wanted_claims(claims: ClaimsRequest) -> list[tuple[str, str, RequestedClaim]]:
    wanted: list[tuple[str, str, RequestedClaim]] = []
    for where, plain, verified in (
        ("id_token", claims.id_token, claims.verified_in_id_token),
        ("userinfo", claims.userinfo, claims.verified_in_userinfo),
    ):
        named = [(name, claim) for name, claim in plain.items() if name in ITEM_OF_CLAIM]
        for entry in verified:
            named += [(name, claim) for name, claim in entry.claims.items() if name in VERIFIABLE_CLAIMS]
            wanted += [(where, name, element) for name, element in _verification_elements(entry)]
        wanted += [(where, ITEM_OF_CLAIM[name], claim) for name, claim in named]
    return wanted


def _verification_elements(entry: VerifiedClaimsRequest) -> Iterable[tuple[str, RequestedClaim]]:
    """Return the elements of a verification that tell of the person, by the item that each belongs to.

    Each entry of evidence is a filter, and so always a constraint (Identity Assurance §5.4).
    """
    if entry.assurance_level is not None:
        yield ASSURANCE_LEVEL, entry.assurance_level
    if entry.time is not None:
        yield VERIFICATION_TIME, entry.time
    for each in entry.evidence:
        yield VERIFICATION_EVIDENCE, each.type


def _with_scope_claims(claims: ClaimsRequest, scope: Collection[str]) -> ClaimsRequest:
    """Core §5.4: scope values ask for claims at UserInfo; what the claims parameter says of one prevails."""
    of_scope = {name: RequestedClaim() for value in scope for name in CLAIMS_OF_SCOPE.get(value, ())}
    return replace(claims, userinfo={**of_scope, **claims.userinfo})


def agreed_items(items: Collection[RequestedItem], ticked: Collection[str]) -> frozenset[str]:
    """Return the names agreed to by pressing "allow": the essential ones, and the ticked ones on the list."""
    return frozenset(item.name for item in items if item.essential or item.name in ticked)


def granted_scope(request: AuthorizationRequest, agreed: Collection[str]) -> frozenset[str]:
    """Narrow the scope that was asked for to what was agreed to; the result is `Grant.scope`."""
    refused = {READ_ACCOUNT_LINKS} - set(agreed)
    return request.scope - refused


def granted_claims(request: AuthorizationRequest, agreed: Collection[str]) -> ClaimsRequest:
    """Narrow what was asked for to what was agreed to; the result is `Grant.claims`.

    `agreed` are item names, from the page or from the remembered consent. Nothing that was not asked for can
    come in by being agreed to, and nothing that we do not know is kept. An essential acr is kept, too: it
    says which levels the ID token may name.
    """
    asked = _with_scope_claims(request.claims, request.scope)
    return ClaimsRequest(
        id_token=_narrowed(asked.id_token, ITEM_OF_CLAIM, agreed)
        | granted_acr_claim(request.essential_acrs, request.acr_values),
        userinfo=_narrowed(asked.userinfo, ITEM_OF_CLAIM, agreed),
        verified_in_id_token=_narrowed_verified(asked.verified_in_id_token, agreed),
        verified_in_userinfo=_narrowed_verified(asked.verified_in_userinfo, agreed),
    )


def _narrowed(
    claims: Mapping[str, RequestedClaim], known: Collection[str], agreed: Collection[str]
) -> dict[str, RequestedClaim]:
    return {name: claim for name, claim in claims.items() if name in known and ITEM_OF_CLAIM[name] in agreed}


def _narrowed_verified(
    entries: Sequence[VerifiedClaimsRequest], agreed: Collection[str]
) -> tuple[VerifiedClaimsRequest, ...]:
    narrowed = (_narrowed_entry(entry, agreed) for entry in entries)
    return tuple(entry for entry in narrowed if entry is not None)


def _narrowed_entry(entry: VerifiedClaimsRequest, agreed: Collection[str]) -> VerifiedClaimsRequest | None:
    """Narrow one entry; None when it is better not answered at all.

    It insists on something that the person does not want told: by being there it would tell just that.
    Or of all that it names, nothing was agreed to (Identity Assurance §5.7.3).
    """
    elements = list(_verification_elements(entry))
    if any(name not in agreed and element.is_constrained() for name, element in elements):
        return None
    claims = _narrowed(entry.claims, VERIFIABLE_CLAIMS, agreed)
    if entry.claims and not claims and not any(name in agreed for name, _ in elements):
        return None
    return replace(
        entry,
        claims=claims,
        assurance_level=entry.assurance_level if ASSURANCE_LEVEL in agreed else None,
        time=entry.time if VERIFICATION_TIME in agreed else None,
    )


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


def userinfo_claims(grant: Grant, citizen: Citizen, now: datetime) -> dict[str, Any]:
    """Return the UserInfo response: Core §5.3.2, with `sub` always and agreed claims only.

    Identity Assurance §5.7.4: an entry of verified_claims whose claims cannot be delivered stays, empty.
    """
    claims = {"sub": grant.subject, **released(grant.claims.userinfo, citizen.personal_data, now)}
    entries = [verified_claims(asked, citizen, now) for asked in grant.claims.verified_in_userinfo]
    return claims | _verified_member([entry for entry in entries if entry is not None])


def id_token_released_claims(grant: Grant, citizen: Citizen, now: datetime) -> dict[str, Any]:
    """Return what the ID token says of the person: Core §5.5.

    An entry of verified_claims that named claims and can deliver none of them is left out (IDA-04).
    """
    claims = released(grant.claims.id_token, citizen.personal_data, now)
    answered = [(asked, verified_claims(asked, citizen, now)) for asked in grant.claims.verified_in_id_token]
    return claims | _verified_member(
        [entry for asked, entry in answered if entry is not None and (entry["claims"] or not asked.claims)]
    )


def _verified_member(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Identity Assurance §5.6, Schema Definition §5.2: one entry as an object, several as an array."""
    if not entries:
        return {}
    return {"verified_claims": entries[0] if len(entries) == 1 else list(entries)}


def item_value(name: str, request: AuthorizationRequest, citizen: Citizen, now: datetime) -> object:
    """Return what the consent page shows for an item; None when there is nothing to send.

    Evidence is shown whole once any of it would be told: the consent is remembered, and the next request may
    filter it otherwise (rule R7).
    """
    if name == READ_ACCOUNT_LINKS:
        return True
    if name == ASSURANCE_LEVEL:
        return citizen.proofing.value
    if name == VERIFICATION_TIME:
        return citizen.proofed_at
    if name == VERIFICATION_EVIDENCE:
        claims = request.claims
        entries = (*claims.verified_in_id_token, *claims.verified_in_userinfo)
        asked = [each for entry in entries for each in entry.evidence]
        return evidence_members(citizen.evidence()) if released_evidence(asked, citizen, now) else None
    return claim_value(name, citizen.personal_data, now)
