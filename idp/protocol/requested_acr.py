"""Which level of sign-in was asked for, and which is told. OpenID Connect Core §3.1.2.1, §5.5.1.1; RFC 9470.

`acr_values` and a voluntary `acr` in the claims parameter are wishes; an essential `acr` with values is a
condition.
"""

from idp.identity.assurance import Acr, AcrValue, AuthenticationContext, PhishingResistance, parse_acr
from idp.protocol.errors import UnmetAuthenticationRequirementsError
from idp.protocol.model import ClaimsRequest, Client, Grant, RequestedClaim
from idp.protocol.parameters import Parameters


def wished_acrs(
    parameters: Parameters, client: Client, issuer: str, claims: ClaimsRequest
) -> tuple[AcrValue, ...]:
    """Return the wishes in order of preference; values that are not ours are ignored (Core §3.1.2.1).

    OpenID Registration §2: the client's default yields to acr_values and to a request for the acr claim.
    """
    if "acr_values" in parameters:
        return _known(parameters["acr_values"].split(" "), issuer)
    if "acr" in claims.id_token:
        return _known(_values(claims.id_token["acr"]), issuer)
    return client.default_acr_values


def essential_acrs(claims: ClaimsRequest, issuer: str) -> tuple[AcrValue, ...]:
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


def granted_acr_claim(
    essential: tuple[AcrValue, ...], wished: tuple[AcrValue, ...] = ()
) -> dict[str, RequestedClaim]:
    """Return what a grant keeps of what was asked for: the values of which every ID token tells one.

    Wishes are kept where one of them is no level: whoever asks for `phr` is told `phr` and not the level.
    """
    if essential:
        return {"acr": RequestedClaim(essential=True, values=tuple(acr.value for acr in essential))}
    if any(isinstance(each, PhishingResistance) for each in wished):
        return {"acr": RequestedClaim(values=tuple(each.value for each in wished))}
    return {}


def told_acr(grant: Grant) -> AcrValue:
    """Return what an ID token names: what happened, or else the strongest essential level it covers.

    Core §5.5.1.1: the server "MUST return an acr Claim Value that matches one of the requested values". The
    first that was asked for and is exactly so is told.
    """
    kept = grant.claims.id_token.get("acr")
    asked = () if kept is None else tuple(value for value in kept.values or () if isinstance(value, str))
    context = AuthenticationContext(grant.acr, grant.amr, grant.auth_time)
    for value in asked:
        if value == grant.acr.value:
            return grant.acr
        if value in set(PhishingResistance) and context.satisfies(PhishingResistance(value)):
            return PhishingResistance(value)
    if kept is not None and kept.essential:
        covered = (acr for acr in reversed(Acr) if acr.value in asked and grant.acr.satisfies(acr))
        return next(covered, grant.acr)
    return grant.acr


def _values(asked: RequestedClaim) -> tuple[object, ...]:
    return (*(asked.values or ()), *(() if asked.value is None else (asked.value,)))


def _known(values: tuple[object, ...] | list[str], issuer: str) -> tuple[AcrValue, ...]:
    found = (parse_acr(value, issuer) for value in values if isinstance(value, str))
    return tuple(dict.fromkeys(acr for acr in found if acr is not None))
