"""Which level of sign-in was asked for, and which is told. OpenID Connect Core §3.1.2.1, §5.5.1.1; RFC 9470.

`acr_values` and a voluntary `acr` in the claims parameter are wishes; an essential `acr` with values is a
condition.
"""

from idp.identity.assurance import Acr, parse_acr
from idp.protocol.errors import UnmetAuthenticationRequirementsError
from idp.protocol.model import ClaimsRequest, Client, Grant, RequestedClaim
from idp.protocol.parameters import Parameters


def wished_acrs(
    parameters: Parameters, client: Client, issuer: str, claims: ClaimsRequest
) -> tuple[Acr, ...]:
    """Return the wishes in order of preference; values that are not ours are ignored (Core §3.1.2.1).

    OpenID Registration §2: the client's default yields to acr_values and to a request for the acr claim.
    """
    if "acr_values" in parameters:
        return _known(parameters["acr_values"].split(" "), issuer)
    if "acr" in claims.id_token:
        return _known(_values(claims.id_token["acr"]), issuer)
    return client.default_acr_values


def essential_acrs(claims: ClaimsRequest, issuer: str) -> tuple[Acr, ...]:
    """Return the levels of which one must hold: Core §5.5.1.1. Empty when no level is a condition.

    Raises UnmetAuthenticationRequirementsError when none of the values is a level of ours.
    """
    asked = claims.id_token.get("acr")
    if asked is None or not asked.essential or not _values(asked):
        return ()
    known = _known(_values(asked), issuer)
    if not known:
        raise UnmetAuthenticationRequirementsError("no acr that was asked for is known here")
    return known


def granted_acr_claim(asked: tuple[Acr, ...]) -> dict[str, RequestedClaim]:
    """Return what a grant keeps of an essential acr: the levels of which every ID token tells one."""
    if not asked:
        return {}
    return {"acr": RequestedClaim(essential=True, values=tuple(acr.value for acr in asked))}


def told_acr(grant: Grant) -> Acr:
    """Return the level that an ID token names: what happened, or the strongest essential level it covers.

    Core §5.5.1.1: the server "MUST return an acr Claim Value that matches one of the requested values".
    """
    kept = grant.claims.id_token.get("acr")
    asked = () if kept is None else tuple(acr for acr in Acr if acr.value in (kept.values or ()))
    if grant.acr in asked:
        return grant.acr
    return next((acr for acr in reversed(asked) if grant.acr.satisfies(acr)), grant.acr)


def _values(asked: RequestedClaim) -> tuple[object, ...]:
    return (*(asked.values or ()), *(() if asked.value is None else (asked.value,)))


def _known(values: tuple[object, ...] | list[str], issuer: str) -> tuple[Acr, ...]:
    found = (parse_acr(value, issuer) for value in values if isinstance(value, str))
    return tuple(dict.fromkeys(acr for acr in found if acr is not None))
