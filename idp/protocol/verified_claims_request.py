"""How verified claims are asked for. OpenID Connect for Identity Assurance 1.0 §5.3 to §5.6.

What the standard's schema calls malformed is refused. What it allows and we do not hold is read all the
same: asked for plainly, it is left out of the answer (§5.7.2); asked for with a constraint, that constraint
cannot be met, and it must not be ignored (§5.5.1).
"""

from collections.abc import Collection, Mapping

from idp.identity.evidence import DETAILS_MEMBER
from idp.protocol.errors import InvalidRequestError
from idp.protocol.model import RequestedCheck, RequestedClaim, RequestedEvidence, VerifiedClaimsRequest
from idp.protocol.requested_claim import (
    is_constraint_within,
    read_array,
    read_constrainable,
    read_object,
    read_requested_claim,
    read_requested_claims,
)

MAX_ENTRIES = 10
MAX_FILTERS = 20

_HERE = "verified_claims"
_VERIFICATION = f"{_HERE}.verification"
_EVIDENCE = f"{_VERIFICATION}.evidence"


def read_verified_claims(requested: object) -> tuple[VerifiedClaimsRequest, ...]:
    """Read one object, or an array whose entries are each answered on their own (§5.6).

    Raises InvalidRequestError for what the schema does not allow.
    """
    if not isinstance(requested, list):
        return (_entry(requested),)
    return tuple(_entry(each) for each in read_array(requested, _HERE, MAX_ENTRIES))


def _entry(requested: object) -> VerifiedClaimsRequest:
    members = read_object(requested, _HERE)
    verification = read_object(members.get("verification"), _VERIFICATION)
    if "trust_framework" not in verification:
        raise InvalidRequestError(f"{_VERIFICATION} must name trust_framework")
    return VerifiedClaimsRequest(
        claims=_claims(members),
        trust_framework=_constrainable(verification["trust_framework"], "trust_framework"),
        assurance_level=_constrainable(verification["assurance_level"], "assurance_level")
        if "assurance_level" in verification
        else None,
        time=_moment(verification, _VERIFICATION),
        evidence=_evidence(verification["evidence"]) if "evidence" in verification else (),
        is_unmeetable=_constrains_others(
            verification, known={"trust_framework", "assurance_level", "time", "evidence"}
        ),
    )


def _constrainable(entry: object, name: str) -> RequestedClaim:
    return read_constrainable(entry, f"{_VERIFICATION}.{name}")


def _claims(members: Mapping[str, object]) -> dict[str, RequestedClaim]:
    """Schema Definition §5.3: null asks for no claim, where the verification alone is wanted."""
    if "claims" in members and members["claims"] is None:
        return {}
    claims = read_object(members.get("claims"), f"{_HERE}.claims")
    if not claims:
        raise InvalidRequestError(f"{_HERE}.claims must name a claim, or be null")
    return read_requested_claims(claims)


def _moment(members: Mapping[str, object], where: str) -> RequestedClaim | None:
    return read_requested_claim(members["time"], f"{where}.time") if "time" in members else None


def _evidence(requested: object) -> tuple[RequestedEvidence, ...]:
    return tuple(_filter(each) for each in read_array(requested, _EVIDENCE, MAX_FILTERS))


def _filter(requested: object) -> RequestedEvidence:
    """§5.4: a single entry is a filter over evidence of one type, which it must name by `value`."""
    members = read_object(requested, _EVIDENCE)
    type_ = read_constrainable(members.get("type"), f"{_EVIDENCE}.type")
    if type_.value is None or type_.values is not None:
        raise InvalidRequestError(f"{_EVIDENCE}.type must have a value, and no values")
    details = next((name for known, name in DETAILS_MEMBER.items() if known == type_.value), None)
    described = read_object(members[details], f"{_EVIDENCE}.{details}") if details in members else {}
    return RequestedEvidence(
        type=type_,
        kind=read_constrainable(described["type"], f"{_EVIDENCE}.{details}.type")
        if "type" in described
        else None,
        checks=_checks(members["check_details"]) if "check_details" in members else (),
        is_unmeetable=_constrains_others(members, known={"type", "check_details", details})
        or _constrains_others(described, known={"type"}),
    )


def _checks(requested: object) -> tuple[RequestedCheck, ...]:
    return tuple(_check(each) for each in read_array(requested, f"{_EVIDENCE}.check_details", MAX_FILTERS))


def _check(requested: object) -> RequestedCheck:
    where = f"{_EVIDENCE}.check_details"
    members = read_object(requested, where)
    if "check_method" not in members:
        raise InvalidRequestError(f"{where} must name check_method")
    return RequestedCheck(
        check_method=read_constrainable(members["check_method"], f"{where}.check_method"),
        time=_moment(members, where),
        is_unmeetable=_constrains_others(members, known={"check_method", "time"}),
    )


def _constrains_others(members: Mapping[str, object], *, known: Collection[str | None]) -> bool:
    return any(is_constraint_within(entry) for name, entry in members.items() if name not in known)
