"""Attempts at credentials, counted on every path alike. Abuse classes 18, 19, P5."""

import asyncio
from datetime import timedelta

import pytest
from starlette.requests import Request

from idp.authenticators.throttling import (
    PATH_LIMITS,
    UNDER_ATTACK_FROM,
    CredentialPath,
    ThrottledError,
)
from idp.web.throttle import CredentialAttempt, attempt_keys, count_credential_attempt
from tests.support.provider import Provider
from tests.support.shared_provider import anyio_backend, provider

__all__ = ["anyio_backend", "provider"]
pytestmark = pytest.mark.anyio

HOME, ELSEWHERE = "192.0.2.1", "192.0.2.2"
BY_STRANGERS = [path for path, limits in PATH_LIMITS.items() if limits.pair is not None]
BY_HOLDER = [path for path, limits in PATH_LIMITS.items() if limits.holder is not None]
UNGUESSABLE = [path for path, limits in PATH_LIMITS.items() if limits.pair is limits.holder is None]
WITH_BROWSERS = [path for path in [*BY_STRANGERS, *BY_HOLDER] if PATH_LIMITS[path].browser is not None]


def sent_from(address: str, browser: str | None = None) -> Request:
    headers = [] if browser is None else [(b"cookie", f"lienket-browser={browser}".encode())]
    return Request({"type": "http", "client": (address, 40000), "headers": headers})


async def attempt(
    provider: Provider,
    path: CredentialPath,
    identifier: str | None,
    address: str = HOME,
    browser: str | None = None,
    *,
    is_right: bool = False,
) -> CredentialAttempt:
    now = provider.clock.now
    http = sent_from(address, browser)
    counted = await count_credential_attempt(
        provider.context, provider.unit_of_work(), path, identifier, http, now
    )
    if is_right:
        uow = provider.unit_of_work()
        counted.succeeded(uow, now)
        await uow.commit()
    return counted


def free_on(path: CredentialPath) -> int:
    limits = PATH_LIMITS[path]
    brake = limits.pair or limits.holder or limits.source
    return brake.free


async def use_up(provider: Provider, path: CredentialPath, identifier: str, address: str = HOME) -> None:
    free = free_on(path)
    left = [(await attempt(provider, path, identifier, address)).attempts_left for _ in range(free)]
    assert left == list(reversed(range(free)))
    for _ in range(2):
        with pytest.raises(ThrottledError) as refused:
            await attempt(provider, path, identifier, address)
        wait = refused.value.retry_at - provider.clock.now
        assert wait == timedelta(seconds=30), "what is refused is not counted"


@pytest.mark.parametrize("path", BY_STRANGERS)
async def test_p5_where_strangers_can_try_only_their_own_source_is_refused(
    provider: Provider, path: CredentialPath
) -> None:
    identifier = f"person of {path}"
    await use_up(provider, path, identifier)
    assert (await attempt(provider, path, identifier, ELSEWHERE)).attempts_left == 4
    assert (await attempt(provider, path, f"another {path}", HOME)).attempts_left == 4


@pytest.mark.parametrize("path", BY_HOLDER)
async def test_zit_cve_2025_64102_who_proved_something_is_counted_wherever_they_are(
    provider: Provider, path: CredentialPath
) -> None:
    await use_up(provider, path, f"holder of {path}")
    with pytest.raises(ThrottledError):
        await attempt(provider, path, f"holder of {path}", ELSEWHERE)


@pytest.mark.parametrize("path", WITH_BROWSERS)
async def test_p5_the_holders_browser_is_stopped_by_nobody_else(
    provider: Provider, path: CredentialPath
) -> None:
    """Neither by a neighbour behind the same address, nor by who knows the password."""
    identifier, browser = f"browser at {path}", f"cookie-{path}"
    await attempt(provider, path, identifier, HOME, browser, is_right=True)
    await use_up(provider, path, identifier)
    assert (await attempt(provider, path, identifier, HOME, browser)).attempts_left == 4
    for _ in range(free_on(path) - 1):
        await attempt(provider, path, identifier, ELSEWHERE, browser)
    with pytest.raises(ThrottledError):
        await attempt(provider, path, identifier, HOME, browser)


@pytest.mark.parametrize("path", WITH_BROWSERS)
async def test_no_cookie_but_the_holders_own_makes_a_browser_known(
    provider: Provider, path: CredentialPath
) -> None:
    """KC CVE-2026-9798: a cookie that was made up, and one that is known for somebody else."""
    identifier = f"victim at {path}"
    await attempt(provider, path, f"attacker at {path}", HOME, "attackers-cookie", is_right=True)
    await use_up(provider, path, identifier)
    for browser in ("attackers-cookie", "made-up"):
        with pytest.raises(ThrottledError):
            await attempt(provider, path, identifier, HOME, browser)


@pytest.mark.parametrize("path", [path for path in BY_HOLDER if path not in WITH_BROWSERS])
async def test_who_has_stolen_a_phone_has_its_browser_and_gains_nothing_by_it(
    provider: Provider, path: CredentialPath
) -> None:
    await attempt(provider, path, f"stolen {path}", HOME, "cookie", is_right=True)
    before = (await attempt(provider, path, f"stolen {path}", HOME, "cookie")).attempts_left
    again = (await attempt(provider, path, f"stolen {path}", ELSEWHERE, None)).attempts_left
    assert before is not None
    assert again == before - 1


async def test_no_path_is_blocked_by_guesses_at_another(provider: Provider) -> None:
    """Nor does one path give what another has used up: each has a secret of its own."""
    for path in [*BY_STRANGERS, *BY_HOLDER]:
        await use_up(provider, path, "the same person", "192.0.2.9")


@pytest.mark.parametrize("path", UNGUESSABLE)
async def test_what_nobody_guesses_is_counted_by_source_and_not_in_a_browser_that_was_right(
    provider: Provider, path: CredentialPath
) -> None:
    """A neighbour behind the same address cannot stop whoever came in that way before."""
    free = PATH_LIMITS[path].source.free
    uow = provider.unit_of_work()
    for _ in range(free):
        await count_credential_attempt(
            provider.context, uow, path, None, sent_from("192.0.2.30"), provider.clock.now
        )
    with pytest.raises(ThrottledError):
        await attempt(provider, path, None, "192.0.2.30")
    assert (await attempt(provider, path, None, "192.0.2.31", "kept", is_right=True)).brake is None
    await attempt(provider, path, None, "192.0.2.30", "kept")
    with pytest.raises(ThrottledError):
        await attempt(provider, path, None, "192.0.2.30", "made up")
    provider.clock.advance(minutes=1)
    await attempt(provider, path, None, "192.0.2.30")


async def test_under_attack_a_source_that_was_right_before_keeps_its_attempts(provider: Provider) -> None:
    path, identifier = CredentialPath.PASSWORD, "under attack"
    await attempt(provider, path, identifier, HOME, is_right=True)
    identifier_key = attempt_keys(provider.context, path, identifier, HOME, None).identifier
    uow = provider.unit_of_work()
    for _ in range(UNDER_ATTACK_FROM):
        uow.attempts.note(identifier_key, provider.clock.now, timedelta(days=1))
        await uow.commit()
    await attempt(provider, path, identifier, "192.0.2.40")
    with pytest.raises(ThrottledError):
        await attempt(provider, path, identifier, "192.0.2.40")
    await use_up(provider, path, identifier, HOME)


@pytest.mark.parametrize("path", [CredentialPath.USER_CODE, CredentialPath.PHONE_CODE])
async def test_a_success_that_can_be_had_at_will_forgets_nothing(
    provider: Provider, path: CredentialPath
) -> None:
    """RFC 8628 §5.1: whoever has a device of their own has a right code whenever they like."""
    person = "one with a device"
    for _ in range(free_on(path) - 1):
        await attempt(provider, path, person)
    assert (await attempt(provider, path, person, is_right=True)).attempts_left == 0
    assert (await attempt(provider, path, person)).attempts_left == 0
    with pytest.raises(ThrottledError):
        await attempt(provider, path, person)


@pytest.mark.parametrize("path", list(CredentialPath))
async def test_of_many_attempts_at_once_no_more_are_let_through_than_one_by_one(
    provider: Provider, path: CredentialPath
) -> None:
    """KC #26106: a burst does not slip through between reading and counting."""
    identifier = None if path in UNGUESSABLE else "burst"
    tries = [attempt(provider, path, identifier, "192.0.2.50") for _ in range(30)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, ThrottledError)]
    assert len(refused) == (0 if identifier is None else 30 - free_on(path))
    assert len(outcomes) == 30


@pytest.mark.usefixtures("unrefreshed")
@pytest.mark.parametrize("path", list(CredentialPath))
async def test_a_count_costs_one_reading_and_one_commit(provider: Provider, path: CredentialPath) -> None:
    statistics = provider.context.database.statistics
    spent = []
    for number in range(3):
        before = (statistics.statements, statistics.commits)
        await attempt(provider, path, None if path in UNGUESSABLE else f"cost {number}", "192.0.2.60", "c")
        spent.append((statistics.statements - before[0], statistics.commits - before[1]))
    statements, commits = min(spent)
    assert commits == 1
    # SQLite counts what one commit holds one by one: three counters at most.
    assert statements <= (4 if provider.settings.database_url.startswith("sqlite") else 2)
