"""Verified claims asked for and answered by the rules alone, for one fictitious person."""

import json
from datetime import datetime, timedelta
from typing import Any

from idp.identity.assurance import Proofing
from idp.identity.citizens import Citizen, CitizenStatus, PersonalData
from idp.identity.evidence import Evidence
from idp.protocol.claims import (
    ITEM_OF_CLAIM,
    VERIFICATION_ITEMS,
    granted_claims,
    id_token_released_claims,
    userinfo_claims,
)
from idp.protocol.claims_parameter import read_claims
from idp.protocol.model import AuthorizationRequest
from tests.support.protocol_builders import NOW, make_grant

PROOFED_AT = NOW - timedelta(days=10)
TIME = "2026-11-10T03:00:00Z"
TRUST_FRAMEWORK = "vn_nd69_2024"
EVERYTHING = frozenset(ITEM_OF_CLAIM.values()) | frozenset(VERIFICATION_ITEMS)


def citizen(
    proofing: Proofing = Proofing.VN2,
    evidence: tuple[Evidence, ...] | None = None,
    proofed_at: datetime = PROOFED_AT,
    birthdate: str = "1999-02-28",
) -> Citizen:
    person = PersonalData("Trần Thị Lan", birthdate, gender="female", nationality="VN", evidence=evidence)
    return Citizen("citizen-1", CitizenStatus.ACTIVE, proofing, proofed_at, person)


def entry(claims: object = None, **verification: Any) -> dict[str, Any]:
    asked = {"name": None} if claims is None else claims
    return {"verification": {"trust_framework": None, **verification}, "claims": asked}


def request(**places: object) -> AuthorizationRequest:
    document = {place: {"verified_claims": requested} for place, requested in places.items()}
    return AuthorizationRequest(
        client_id="network",
        redirect_uri="https://network.example/callback",
        scope=frozenset({"openid"}),
        code_challenge="x" * 43,
        claims=read_claims(json.dumps(document)),
    )


def answers(
    requested: object, person: Citizen | None = None, agreed: frozenset[str] = EVERYTHING
) -> tuple[Any, Any]:
    """Return `verified_claims` of the ID token and of UserInfo, asked for in both; None where absent."""
    asked = request(id_token=requested, userinfo=requested)
    grant = make_grant(claims=granted_claims(asked, agreed))
    person = person or citizen()
    return (
        id_token_released_claims(grant, person, NOW).get("verified_claims"),
        userinfo_claims(grant, person, NOW).get("verified_claims"),
    )


def verification(requested: object, person: Citizen | None = None) -> Any:
    in_id_token, at_userinfo = answers(requested, person)
    assert in_id_token == at_userinfo
    return None if in_id_token is None else in_id_token["verification"]


def document(**members: Any) -> dict[str, Any]:
    return {"type": {"value": "document"}, **members}


def record(**members: Any) -> dict[str, Any]:
    return {"type": {"value": "electronic_record"}, **members}
