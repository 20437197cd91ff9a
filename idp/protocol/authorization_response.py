"""The authorization response: what goes back through the browser. RFC 6749 §4.1.2; RFC 9207."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from idp.protocol.authorization_request import RESPONSE_MODES
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters

# RFC 3986 §2.2, §2.3: reserved characters and the percent sign pass, everything else is encoded.
_URI_CHARACTERS = ":/?#[]@!$&'()*+,;=%-._~"


def success_parameters(code: str, state: str | None, issuer: str) -> dict[str, str]:
    """RFC 6749 §4.1.2; RFC 9207 §2: `iss` stands in every response, so that no client mixes servers up."""
    return {"code": code} | _common(state, issuer)


def error_parameters(error: OAuthError, state: str | None, issuer: str) -> dict[str, str]:
    """RFC 6749 §4.1.2.1; RFC 9207 §2: `iss` stands in error responses too."""
    return error.as_parameters() | _common(state, issuer)


def error_response_mode(parameters: Parameters) -> str:
    """Return how an error goes back when the request was not accepted: as asked where that is possible."""
    response_mode = parameters.get("response_mode", "query")
    return response_mode if response_mode in RESPONSE_MODES else "query"


def redirect_location(redirect_uri: str, parameters: Mapping[str, str]) -> str:
    """Return the Location of a redirect. RFC 6749 §3.1.2: a registered query "MUST be retained".

    Nothing unencoded comes through, so that no value can end the header or begin a fragment.
    """
    uri = quote(redirect_uri, safe=_URI_CHARACTERS)
    separator = "?" if "?" not in uri else "" if uri.endswith(("?", "&")) else "&"
    return f"{uri}{separator}{urlencode(parameters, quote_via=quote)}"


def _common(state: str | None, issuer: str) -> dict[str, str]:
    return {"iss": issuer} if state is None else {"state": state, "iss": issuer}
