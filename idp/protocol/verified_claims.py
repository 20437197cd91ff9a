"""The `verified_claims` element: what was proofed, beside how. Identity Assurance §5.1, §5.7; its Schema §5.

The verification tells what was asked for and nothing else; its requirements are met as a whole, or the whole
entry is left out. A claim that is not what was asked for is left out alone. None of this is ever an error.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from idp.identity.assurance import TRUST_FRAMEWORK
from idp.identity.citizens import Citizen
from idp.identity.evidence import DETAILS_MEMBER, Check, Evidence, check_members, timestamp
from idp.protocol.claim_values import AGE_CLAIMS, is_recent, is_requested_value, released
from idp.protocol.model import RequestedCheck, RequestedClaim, RequestedEvidence, VerifiedClaimsRequest

VERIFIABLE_CLAIMS = (*AGE_CLAIMS, "name", "birthdate", "gender", "nationalities")
"""What the proofing established, and so may stand in verified_claims; the rest is told, not proofed.

What says least comes first: whoever tries out the first one of the list asks for nobody's name (R4)."""


def verified_claims(
    asked: VerifiedClaimsRequest, citizen: Citizen, now: datetime
) -> dict[str, dict[str, Any]] | None:
    """Answer one entry: §5.6, §5.7.4.

    None when the verification as a whole is not the one wanted. `claims` may be empty.
    """
    verification = _verification(asked, citizen, now)
    if verification is None:
        return None
    verifiable = {name: claim for name, claim in asked.claims.items() if name in VERIFIABLE_CLAIMS}
    return {"verification": verification, "claims": released(verifiable, citizen.personal_data, now)}


def _verification(asked: VerifiedClaimsRequest, citizen: Citizen, now: datetime) -> dict[str, Any] | None:
    if asked.is_unmeetable or not is_requested_value(asked.trust_framework, TRUST_FRAMEWORK):
        return None
    verification: dict[str, Any] = {"trust_framework": TRUST_FRAMEWORK}
    if asked.assurance_level is not None:
        if not is_requested_value(asked.assurance_level, citizen.proofing.value):
            return None
        verification["assurance_level"] = citizen.proofing.value
    if asked.time is not None:
        if not _is_time_wanted(asked.time, citizen.proofed_at, now):
            return None
        verification["time"] = timestamp(citizen.proofed_at)
    if asked.evidence:
        evidence = released_evidence(asked.evidence, citizen, now)
        if not evidence:
            return None
        verification["evidence"] = evidence
    return verification


def released_evidence(
    asked: Sequence[RequestedEvidence], citizen: Citizen, now: datetime
) -> list[dict[str, Any]]:
    """Return the evidence that any of the filters wants, with the members that these ask for: §5.4."""
    elements = []
    for evidence in citizen.evidence():
        wanting = [each for each in asked if _is_evidence_wanted(each, evidence, now)]
        if wanting:
            elements.append(_element(wanting, evidence, now))
    return elements


def _is_evidence_wanted(asked: RequestedEvidence, evidence: Evidence, now: datetime) -> bool:
    if asked.is_unmeetable or not is_requested_value(asked.type, evidence.type.value):
        return False
    if asked.kind is not None and not is_requested_value(asked.kind, evidence.kind.value):
        return False
    # Several entries for the same are linked by "or": one that constrains nothing is met by any evidence.
    return (
        not asked.checks
        or not all(each.is_constrained() for each in asked.checks)
        or any(_is_check_wanted(each, check, now) for each in asked.checks for check in evidence.checks)
    )


def _is_check_wanted(asked: RequestedCheck, check: Check, now: datetime) -> bool:
    if asked.is_unmeetable or not is_requested_value(asked.check_method, check.check_method.value):
        return False
    if asked.time is None or not asked.time.is_constrained():
        return True
    return check.checked_at is not None and _is_time_wanted(asked.time, check.checked_at, now)


def _is_time_wanted(asked: RequestedClaim, moment: datetime, now: datetime) -> bool:
    return is_requested_value(asked, timestamp(moment)) and is_recent(asked, moment, now)


def _element(asked: Sequence[RequestedEvidence], evidence: Evidence, now: datetime) -> dict[str, Any]:
    element: dict[str, Any] = {"type": evidence.type.value}
    if any(each.kind is not None for each in asked):
        element[DETAILS_MEMBER[evidence.type]] = {"type": evidence.kind.value}
    templates = [template for each in asked for template in each.checks]
    checks = []
    for check in evidence.checks:
        wanting = [template for template in templates if _is_check_wanted(template, check, now)]
        if wanting:
            is_time_asked = any(template.time is not None for template in wanting)
            checks.append(check_members(check if is_time_asked else Check(check.check_method)))
    return {**element, "check_details": checks} if checks else element
