"""Request objects as the endpoints take them: the rule verifies, this fetches the client's keys. RFC 9101."""

from datetime import datetime

from idp.protocol.errors import InvalidClientError, InvalidRequestError, InvalidRequestObjectError
from idp.protocol.jose import PublicKey
from idp.protocol.model import Client
from idp.protocol.parameters import Parameters, check_not_repeated
from idp.protocol.profiles import rules_of
from idp.protocol.request_object import UnknownRequestKeyError, verify_request_object
from idp.web.state import Context


async def read_request_object(
    context: Context, client: Client, parameters: Parameters, now: datetime
) -> Parameters:
    """Return the parameters that count: those inside the request object, where there is one (RFC 9101 §6.3).

    An unknown `kid` makes the client's jwks_uri be fetched once more before it is refused. Raises
    InvalidRequestError, InvalidRequestObjectError, RequestNotSupportedError.
    """
    token = parameters.get("request")
    if token is None:
        return parameters
    check_not_repeated(parameters)
    if "request_uri" in parameters:
        # RFC 9101 §5: "request" and "request_uri" exclude each other.
        raise InvalidRequestError("request and request_uri exclude each other")
    try:
        return _verified(context, client, token, await _keys(context, client, now), now)
    except UnknownRequestKeyError:
        if client.jwks_uri is None:
            raise
    return _verified(context, client, token, await _keys(context, client, now, again=True), now)


def _verified(
    context: Context, client: Client, token: str, keys: tuple[PublicKey, ...], now: datetime
) -> Parameters:
    rules = rules_of(client.profile)
    return verify_request_object(token, client, keys, rules=rules, issuer=context.issuer, now=now)


async def _keys(
    context: Context, client: Client, now: datetime, *, again: bool = False
) -> tuple[PublicKey, ...]:
    try:
        return await context.clients.keys_of(client, now, again=again)
    except InvalidClientError as error:
        # No client authenticates here: what failed is the verification of its request.
        raise InvalidRequestObjectError(error.description, detail=error.detail) from error
