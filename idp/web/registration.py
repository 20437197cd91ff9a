"""On which terms clients register themselves: set once, when the application opens. RFC 7591."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from idp.protocol.software_statement import StatementIssuers

FetchSector = Callable[[str], Awaitable[frozenset[str]]]
"""Fetches a sector_identifier_uri; handed in by the application, because only `idp.outbound` dials out."""


@dataclass(frozen=True, slots=True)
class RegistrationTerms:
    """Who may register, and whose words are believed."""

    is_open: bool
    """Whether nobody needs an initial access token; never where real people are."""
    statement_issuers: StatementIssuers
    fetch_sector: FetchSector
    """Raises RefusedClientMetadataError."""
