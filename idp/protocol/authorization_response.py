"""The authorization response: what goes back through the browser. RFC 6749 §4.1.2; RFC 9207; JARM.

JARM is JWT Secured Authorization Response Mode for OAuth 2.0: the parameters become claims of a JWT, and
`response` is the only parameter.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from idp.protocol.errors import OAuthError
from idp.protocol.model import Client

SIGNED_RESPONSE_LIFETIME = timedelta(seconds=60)
"""JARM §2.1 (`exp`): as long as a code. The conformance suite wants 10 seconds to 10 minutes."""

SIGNED_RESPONSE_TYPE = "JWT"

# RFC 3986 §2.2, §2.3: reserved characters and the percent sign pass, everything else is encoded.
_URI_CHARACTERS = ":/?#[]@!$&'()*+,;=%-._~"


def success_parameters(code: str, state: str | None, issuer: str) -> dict[str, str]:
    """RFC 6749 §4.1.2; RFC 9207 §2: `iss` stands in every response, so that no client mixes servers up."""
    return {"code": code} | _common(state, issuer)


def error_parameters(error: OAuthError, state: str | None, issuer: str) -> dict[str, str]:
    """RFC 6749 §4.1.2.1; RFC 9207 §2: `iss` stands in error responses too."""
    return error.as_parameters() | _common(state, issuer)


def signed_response_algorithm(client: Client) -> str:
    """Return what its responses are signed with: JARM §3; without a registration, as its ID tokens are."""
    return client.authorization_signed_response_alg or client.id_token_signed_response_alg


def signed_response_claims(
    parameters: Mapping[str, str], client: Client, issuer: str, now: datetime
) -> dict[str, object]:
    """Return the claims of a signed response: JARM §2.1. Its own claims cannot be replaced by a parameter."""
    expires_at = int((now + SIGNED_RESPONSE_LIFETIME).timestamp())
    return {**parameters, "iss": issuer, "aud": client.client_id, "exp": expires_at}


def redirect_location(redirect_uri: str, parameters: Mapping[str, str]) -> str:
    """Return the Location of a redirect. RFC 6749 §3.1.2: a registered query "MUST be retained".

    Nothing unencoded comes through, so that no value can end the header or begin a fragment.
    """
    uri = quote(redirect_uri, safe=_URI_CHARACTERS)
    separator = "?" if "?" not in uri else "" if uri.endswith(("?", "&")) else "&"
    return f"{uri}{separator}{urlencode(parameters, quote_via=quote)}"


def _common(state: str | None, issuer: str) -> dict[str, str]:
    return {"iss": issuer} if state is None else {"state": state, "iss": issuer}
