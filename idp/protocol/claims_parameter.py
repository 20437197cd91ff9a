"""The `claims` request parameter. OpenID Connect Core §5.5."""

from idp.protocol.errors import InvalidRequestError
from idp.protocol.model import ClaimsRequest, VerifiedClaimsRequest
from idp.protocol.requested_claim import read_object, read_requested_claims
from idp.protocol.strict_json import StrictJSONError, read_json
from idp.protocol.verified_claims_request import read_verified_claims

VERIFIED_CLAIMS = "verified_claims"


def read_claims(claims: str) -> ClaimsRequest:
    """Read the parameter's JSON document. Raises InvalidRequestError for any wrong type in it.

    Core §5.5: members that are not understood are ignored; claims that we do not know are kept, because
    asking for them is no error and leaving them out is the answer.
    """
    try:
        document = read_object(read_json(claims), "claims")
    except StrictJSONError as error:
        raise InvalidRequestError(f"claims {error}") from None
    id_token = read_object(document.get("id_token", {}), "claims.id_token")
    userinfo = read_object(document.get("userinfo", {}), "claims.userinfo")
    verified_in_id_token = _take_verified_claims(id_token)
    verified_in_userinfo = _take_verified_claims(userinfo)
    return ClaimsRequest(
        id_token=read_requested_claims(id_token),
        userinfo=read_requested_claims(userinfo),
        verified_in_id_token=verified_in_id_token,
        verified_in_userinfo=verified_in_userinfo,
    )


def _take_verified_claims(members: dict[str, object]) -> tuple[VerifiedClaimsRequest, ...]:
    """Take the one member out that is no plain claim."""
    return read_verified_claims(members.pop(VERIFIED_CLAIMS)) if VERIFIED_CLAIMS in members else ()
