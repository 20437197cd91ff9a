"""The `claims` request parameter. OpenID Connect Core §5.5; OpenID Connect for Identity Assurance §6."""

from collections.abc import Mapping

from idp.identity.display_text import is_displayable
from idp.protocol.errors import InvalidRequestError
from idp.protocol.model import ClaimsRequest, RequestedClaim, VerifiedClaimsRequest
from idp.protocol.parameters import printable
from idp.protocol.strict_json import StrictJSONError, read_json

MAX_CLAIMS = 100
MIN_PURPOSE = 3
MAX_PURPOSE = 300

VERIFIED_CLAIMS = "verified_claims"


def read_claims(claims: str) -> ClaimsRequest:
    """Read the parameter's JSON document. Raises InvalidRequestError for any wrong type in it.

    Core §5.5: members that are not understood are ignored; claims that we do not know are kept, because
    asking for them is no error and leaving them out is the answer.
    """
    try:
        document = _object(read_json(claims), "claims")
    except StrictJSONError as error:
        raise InvalidRequestError(f"claims {error}") from None
    id_token = _object(document.get("id_token", {}), "claims.id_token")
    userinfo = _object(document.get("userinfo", {}), "claims.userinfo")
    return ClaimsRequest(
        id_token=_requested_claims(id_token),
        userinfo=_requested_claims(userinfo),
        verified_in_id_token=_verified_claims(id_token),
        verified_in_userinfo=_verified_claims(userinfo),
    )


def _object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidRequestError(f"{where} must be a JSON object")
    if len(value) > MAX_CLAIMS:
        raise InvalidRequestError(f"{where} has more than {MAX_CLAIMS} members")
    return value


def _requested_claims(members: Mapping[str, object]) -> dict[str, RequestedClaim]:
    return {name: _requested_claim(name, entry) for name, entry in members.items() if name != VERIFIED_CLAIMS}


def _requested_claim(name: str, entry: object) -> RequestedClaim:
    """Core §5.5.1: null asks for the claim, an object says how; its unknown members are ignored."""
    if entry is None:
        return RequestedClaim()
    where = f"the request for claim {printable(name)}"
    members = _object(entry, where)
    essential = members.get("essential", False)
    if not isinstance(essential, bool):
        raise InvalidRequestError(f"{where}: essential must be true or false")
    return RequestedClaim(
        essential=essential,
        value=members.get("value"),
        values=_values(members, where),
        purpose=_purpose(members, where),
    )


def _values(members: Mapping[str, object], where: str) -> tuple[object, ...] | None:
    if "values" not in members:
        return None
    values = members["values"]
    if not isinstance(values, list) or not values:
        raise InvalidRequestError(f"{where}: values must be an array that is not empty")
    return tuple(values)


def _purpose(members: Mapping[str, object], where: str) -> str | None:
    """OpenID Connect for Identity Assurance §6: 3 to 300 characters, shown to the person as they are."""
    if "purpose" not in members:
        return None
    purpose = members["purpose"]
    if not isinstance(purpose, str):
        raise InvalidRequestError(f"{where}: purpose must be a string")
    if not MIN_PURPOSE <= len(purpose) <= MAX_PURPOSE or not is_displayable(purpose):
        raise InvalidRequestError(f"{where}: purpose must be 3 to 300 characters, all visible")
    return purpose


def _verified_claims(members: Mapping[str, object]) -> VerifiedClaimsRequest | None:
    """OpenID Connect for Identity Assurance §6: one object, or an array of alternatives.

    We attest under one trust framework, so a second alternative could never be the answer.
    """
    if VERIFIED_CLAIMS not in members:
        return None
    requested = members[VERIFIED_CLAIMS]
    if isinstance(requested, list):
        if len(requested) != 1:
            raise InvalidRequestError(f"{VERIFIED_CLAIMS} must be one object, or an array of one")
        requested = requested[0]
    requested = _object(requested, VERIFIED_CLAIMS)
    verification = _object(requested.get("verification"), f"{VERIFIED_CLAIMS}.verification")
    claims = _object(requested.get("claims"), f"{VERIFIED_CLAIMS}.claims")
    if not claims:
        raise InvalidRequestError(f"{VERIFIED_CLAIMS}.claims must name a claim")
    assurance_level = verification.get("assurance_level")
    return VerifiedClaimsRequest(
        claims={name: _requested_claim(name, entry) for name, entry in claims.items()},
        trust_framework=_requested_claim("trust_framework", verification.get("trust_framework")),
        assurance_level=_requested_claim("assurance_level", assurance_level)
        if "assurance_level" in verification
        else None,
    )
