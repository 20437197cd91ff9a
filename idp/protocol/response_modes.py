"""How an answer comes back: `response_mode`. OAuth 2.0 Multiple Response Types §2.1; Form Post; JARM §2.3.

A code never goes into a fragment (RFC 9700 §4.3), so neither `fragment` nor `fragment.jwt` is here.
"""

from idp.protocol.errors import InvalidRequestError
from idp.protocol.model import Client
from idp.protocol.parameters import Parameters
from idp.protocol.profiles import Profile

RESPONSE_MODES = ("query", "form_post", "jwt", "query.jwt", "form_post.jwt")


def check_response_mode(parameters: Parameters, client: Client) -> None:
    """Multiple Response Types §2.1; FAPI 2.0 Message Signing §5.4.1 for those who take signed ones alone."""
    mode = _asked(parameters)
    if mode not in RESPONSE_MODES:
        raise InvalidRequestError(f"response_mode must be one of {', '.join(RESPONSE_MODES)}")
    if is_signed_response_required(client) and not is_signed(mode):
        raise InvalidRequestError("this client takes signed responses: response_mode must be jwt")


def error_response_mode(parameters: Parameters, client: Client) -> str:
    """Return how an error goes back when the request was not accepted: as asked where that is possible."""
    mode = _asked(parameters)
    if mode not in RESPONSE_MODES:
        mode = "query"
    return f"{mode}.jwt" if is_signed_response_required(client) and not is_signed(mode) else mode


def _asked(parameters: Parameters) -> str:
    return parameters.get("response_mode", "query")


def is_signed_response_required(client: Client) -> bool:
    """Tell whether every response to the client is signed: FAPI 2.0 Message Signing §5.4.1, as registered."""
    return client.authorization_signed_response_alg is not None and (
        client.profile is Profile.FAPI2_MESSAGE_SIGNING
    )


def is_signed(response_mode: str) -> bool:
    """Tell whether the response is a JWT: JARM §2.3; `jwt` alone is `query.jwt`, the default of a code."""
    return response_mode.endswith("jwt")


def is_form_post(response_mode: str) -> bool:
    """Tell whether the browser posts the response: Form Post Response Mode §2, JARM §2.3.3."""
    return response_mode.startswith("form_post")
