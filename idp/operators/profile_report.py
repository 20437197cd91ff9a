"""Which profiles the server meets as it is set up, and what is missing for the others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from idp.operators.desk import Desk, at_desk, utc_now
from idp.operators.output import CommandFailedError
from idp.protocol.conformance import ServerFacts, server_gaps
from idp.protocol.jose import SIGNING_ALGORITHMS
from idp.protocol.profiles import Profile
from idp.settings import Settings
from keys import Custody, UnknownKeyError


@dataclass(frozen=True, slots=True)
class _Opened:
    """What keys and database say."""

    signing_algorithms: frozenset[str] = frozenset()
    newest_event_at: datetime | None = None
    trouble: str | None = None


def profile_gaps(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """Return for each profile what is missing; nothing where the server meets it."""
    facts = _facts(settings)
    return {profile.value: server_gaps(facts, profile, utc_now()) for profile in Profile}


def profile_lines(gaps: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Return the report for a person."""
    for profile, missing in gaps.items():
        yield f"profile {profile}: {'met' if not missing else 'not met'}"
        yield from (f"  missing: {gap}" for gap in missing)


def _facts(settings: Settings) -> ServerFacts:
    opened = _opened(settings)
    has_header = settings.client_certificate_header is not None
    return ServerFacts(
        issuer=settings.issuer,
        code_lifetime=timedelta(seconds=settings.code_seconds),
        signing_algorithms=opened.signing_algorithms,
        takes_client_certificates=settings.mtls_origin is not None or has_header,
        is_dpop_nonce_required=settings.dpop_nonce == "required",
        newest_event_at=opened.newest_event_at,
        trouble=opened.trouble,
    )


def _opened(settings: Settings) -> _Opened:
    """Look into keys and database. Where there are no keys yet, a check makes none."""
    if not settings.keys_dir.exists():
        return _Opened()
    try:
        return at_desk(_look)
    except CommandFailedError as failed:
        return _Opened(trouble=" ".join((failed.message, *failed.reasons)))


async def _look(desk: Desk) -> _Opened:
    newest = await desk.unit_of_work().ledger.tail(1)
    return _Opened(
        frozenset(filter(partial(_signs, desk.custody), SIGNING_ALGORITHMS)),
        datetime.fromtimestamp(newest[0].occurred_at / 1_000_000, UTC) if newest else None,
    )


def _signs(custody: Custody, algorithm: str) -> bool:
    """Tell whether a key signs with it now; one RSA key signs with two."""
    try:
        custody.signing.signer(algorithm)
    except UnknownKeyError:
        return False
    return True
