"""`sector_identifier_uri`: who may share the pairwise subjects of a sector. OpenID Connect Registration §5.

The host names a sector only for addresses that it lists itself; otherwise anybody could ask for the subjects
of somebody else's sector (abuse case P7).
"""

from collections.abc import Collection

from idp.protocol.errors import RefusedClientMetadataError
from idp.protocol.model import Client
from idp.protocol.profiles import CIBA_GRANT, DEVICE_GRANT, PRIVATE_KEY_JWT
from idp.protocol.strict_json import StrictJSONError, read_json


def read_sector_document(document: bytes) -> frozenset[str]:
    """Return the addresses that the document lists. Raises RefusedClientMetadataError."""
    try:
        listed = read_json(document.decode())
    except (UnicodeDecodeError, StrictJSONError) as error:
        raise RefusedClientMetadataError("sector_identifier_uri does not answer with JSON") from error
    if not isinstance(listed, list) or not all(isinstance(uri, str) for uri in listed):
        raise RefusedClientMetadataError("sector_identifier_uri does not answer with a JSON array of strings")
    return frozenset(listed)


def answers_go_straight_back(grant_types: object) -> bool:
    """Tell whether a client may get tokens for a person that pass through none of its redirect URIs."""
    return isinstance(grant_types, Collection) and bool({CIBA_GRANT, DEVICE_GRANT} & {*map(str, grant_types)})


def check_sector_document(client: Client, listed: frozenset[str]) -> None:
    """Check that the sector lists whoever gets answers about people. Raises RefusedClientMetadataError.

    These are the redirect URIs, and where answers pass by them, or there are none, the client's `jwks_uri`,
    with whose keys it must prove itself (CIBA Core §4). Without that, anybody could name the sector and the
    redirect URIs of a network and collect its subjects by polling.
    """
    own = set(client.redirect_uris)
    if not own or answers_go_straight_back(client.grant_types):
        if client.jwks_uri is None or client.token_endpoint_auth_method != PRIVATE_KEY_JWT:
            raise RefusedClientMetadataError(
                "for these grant_types, sector_identifier_uri needs private_key_jwt and a jwks_uri it lists"
            )
        own.add(client.jwks_uri)
    missing = sorted(own - listed)
    if missing:
        raise RefusedClientMetadataError(f"sector_identifier_uri does not list {missing[0]}")
