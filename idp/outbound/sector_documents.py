"""Fetching a client's sector_identifier_uri. OpenID Connect Registration §5; abuse class 13."""

from idp.outbound.addresses import OutboundRefusedError
from idp.outbound.guarded_http import GuardedHTTP
from idp.protocol.errors import RefusedClientMetadataError
from idp.protocol.sector_identifier import read_sector_document


class SectorDocuments:
    """Reads lists of redirect URIs through the guarded client."""

    def __init__(self, http: GuardedHTTP) -> None:
        self._http = http

    async def fetch(self, sector_identifier_uri: str) -> frozenset[str]:
        """Return the addresses that a sector lists. Raises RefusedClientMetadataError.

        Whoever registers learns that the call failed, not how: what answers inside is none of their business.
        """
        try:
            return read_sector_document(await self._http.get_json(sector_identifier_uri))
        except OutboundRefusedError as error:
            raise RefusedClientMetadataError(
                "sector_identifier_uri cannot be read", detail=str(error)
            ) from error
