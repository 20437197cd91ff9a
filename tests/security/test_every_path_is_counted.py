"""Abuse class 18: whatever takes a secret counts before it looks. No address is missing, and no path.

KC CVE-2026-9798, CVE-2026-16093, CVE-2026-88770, CVE-2026-19607, GHSA-cq42-vhv7-xr7p, ZIT CVE-2025-64102: in
each of these one more way to try a secret had been forgotten.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.requests import Request

import idp
from idp import app as program
from idp import endpoints
from idp.authenticators import throttling
from idp.authenticators.throttling import PATH_LIMITS, CredentialPath, ThrottledError
from idp.web.throttle import attempt_keys, count_credential_attempt
from tests.support.before_doors import Standing
from tests.support.provider import Provider
from tests.support.upstream_scene import upstream_scene
from tests.support.ways_in import SESSION, WAYS, Way

pytestmark = pytest.mark.anyio

ADDRESS = "198.51.100.90"
CALLBACK = "/upstreams/standard/callback"
NO_SECRET_IS_TRIED: tuple[tuple[str, str], ...] = (
    ("/my/", "somebody who is signed in, with the token of their session"),
    ("/approvals/", "the same; the name leads to requests of their own alone"),
    ("/consent/", "the same, in the browser to which the journey is bound"),
    ("/account-choice/", "the same"),
    ("/guardian/", "the same"),
    ("/dispute/", "the same"),
    ("/authorize", "a request, and the browser to which it is bound"),
    ("/end_session", "a sealed request, or nothing that matters"),
    ("/sign-out/", "a sealed request, confirmed by whoever is signed in"),
    ("/not-me/", "a token of 128 bits that was sent to one person"),
    ("/verify", "public marks, counted as look-ups"),
    ("/sandbox", "developers of a test client, with its token; not in production"),
    ("/account-links", "a platform's bound token"),
    ("/ssf/", "a receiver's token"),
    ("/userinfo", "an access token"),
    ("/introspect", "a client's secret of full entropy, or its signature"),
    ("/revoke", "the same"),
    ("/token", "the same, and codes of 256 bits that are spent by one try"),
    ("/par", "the same"),
    ("/register", "an initial access token of 256 bits"),
    ("/recovery/stop/", "a token of 128 bits that was sent to one person"),
    ("/sign-in/{visit_id}/phone", "asks a phone, not known yet; counted by source"),
    ("/second-factor/{visit_id}/phone", "asks a person's phones; counted by source and person"),
    ("/sign-in/{visit_id}/upstream/", "leaves for another provider; counted by source"),
    ("/app/requests/{name}/open", "the phone on which the app is open, with its token"),
    ("/device-authorization", "asks for a code; public clients are counted by source"),
    ("/backchannel-authentication", "asks a person; counted by client and person"),
)
"""What takes no secret that could be guessed, by the first part of its address, with the reason."""
VERIFIERS = {
    "verify_password": CredentialPath.PASSWORD,
    "verify_totp": CredentialPath.ONE_TIME_PASSWORD,
}
"""The rules that look at a secret, and the path on which whoever calls them counts before."""
NOT_COUNTED_THERE = {
    "operators/second_person.py": "a command line has no source: counted by operator",
    "operators/operator_people.py": "an operator proves their own app at enrolment, at the machine",
    "pages/my_authenticator_app.py": "the secret stands on the page: whoever sees it has no need to guess",
    "web/phones.py": "counts on PHONE_PIN: the PIN of a phone is hashed as passwords are",
    "operators/register_batches.py": "compares what the register says with what is known; nobody tries",
}


def registered() -> Iterator[str]:
    for module in [*vars(endpoints).values(), *vars(program).values()]:
        for route in getattr(getattr(module, "router", None), "routes", ()):
            if isinstance(route, APIRoute):
                yield from (f"{method} {route.path}" for method in route.methods - {"GET", "HEAD"})


DOORS = {way.door for way in WAYS} | {"POST /activate/{visit_id}"}
COUNTED = [way for way in WAYS if way.path is not None]
ADDRESSES = sorted(set(registered()))


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_takes_a_secret_that_is_counted_or_says_why_it_takes_none(address: str) -> None:
    path = address.partition(" ")[2]
    assert address in DOORS or any(path.startswith(start) for start, _ in NO_SECRET_IS_TRIED)


def test_every_door_is_one_and_every_reason_holds_for_something() -> None:
    assert set(ADDRESSES) >= DOORS
    paths = [address.partition(" ")[2] for address in ADDRESSES]
    assert [
        start for start, _ in NO_SECRET_IS_TRIED if not any(path.startswith(start) for path in paths)
    ] == []


def test_every_path_leads_through_a_door() -> None:
    """The answers of other providers come by GET and have a test of their own below."""
    assert {way.path for way in COUNTED} == set(CredentialPath) - {CredentialPath.UPSTREAM}


def test_whoever_looks_at_a_secret_counts_on_its_path() -> None:
    """Read from the source: no module calls a rule that verifies without naming the path that counts it."""
    package = Path(idp.__path__[0])
    for file in sorted(package.rglob("*.py")):
        name = file.relative_to(package).as_posix()
        if name.startswith(("authenticators/", "store/")) or name in NOT_COUNTED_THERE:
            continue
        tree = ast.parse(file.read_text())
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        counted = set(re.findall(r"CredentialPath\.([A-Z_]+)", file.read_text()))
        missing = {rule for rule in used & VERIFIERS.keys() if VERIFIERS[rule].name not in counted}
        assert not missing, name


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let fewer be free where a thousand would be: no test should try that often."""
    few = {
        path: replace(limits, source=replace(limits.source, free=20)) if limits.source.free > 100 else limits
        for path, limits in PATH_LIMITS.items()
    }
    monkeypatch.setattr(throttling, "PATH_LIMITS", few)


async def counted(provider: Provider, way: Way, standing: Standing) -> int:
    """Return what stands in the counters that could hold this back, added up."""
    assert way.path is not None
    keys = attempt_keys(provider.context, way.path, standing.identifier or "", ADDRESS, None)
    limits = PATH_LIMITS[way.path]
    brakes = [keys.source]
    if standing.identifier is not None:
        brakes.append(keys.identifier if limits.holder else keys.pair)
    found = await provider.unit_of_work().attempts.find(brakes, provider.clock.now)
    return sum(attempts.failures for attempts in found.values())


async def use_up(provider: Provider, way: Way, standing: Standing) -> None:
    """Try in vain on the same path, from the same place and another browser, until it refuses."""
    assert way.path is not None
    http = Request({"type": "http", "client": (ADDRESS, 40000), "headers": []})
    for _ in range(101):
        uow, now = provider.unit_of_work(), provider.clock.now
        try:
            await count_credential_attempt(provider.context, uow, way.path, standing.identifier, http, now)
        except ThrottledError:
            return
    raise AssertionError("this path never refuses")


@pytest.mark.parametrize("way", COUNTED, ids=lambda way: way.name)
async def test_a_wrong_secret_is_counted_and_a_right_one_is_not(provider: Provider, way: Way) -> None:
    async with provider.http(address=ADDRESS) as http:
        standing = await way.stand(provider, http)
        before = await counted(provider, way, standing)
        wrong = await standing.send(is_right=False)
        assert wrong.status_code == way.refusal, wrong.text
        after = await counted(provider, way, standing)
        assert after > before
        right = await standing.send(is_right=True)
        assert right.status_code < 400, right.text
        assert await counted(provider, way, standing) <= after


@pytest.mark.parametrize("way", COUNTED, ids=lambda way: way.name)
async def test_a_path_that_is_used_up_looks_at_nothing_more(provider: Provider, way: Way) -> None:
    """The right secret is told apart by nothing: the same status, the same wait, no session."""
    async with provider.http(address=ADDRESS) as http:
        standing = await way.stand(provider, http)
        await use_up(provider, way, standing)
        answers = [await standing.send(is_right=is_right) for is_right in (False, True)]
        for answer in answers:
            assert answer.status_code == 429, answer.text
            assert int(answer.headers["retry-after"]) > 0
            assert f"{SESSION}=" not in answer.headers.get("set-cookie", "")
        assert answers[0].headers["retry-after"] == answers[1].headers["retry-after"]
        # The address is another test's, too.
        provider.clock.advance(minutes=16)


async def test_answers_from_other_providers_are_counted_by_source(database_url: str, tmp_path: Path) -> None:
    """Nobody guesses a state; whoever sends a thousand makes us look a thousand times."""
    async with upstream_scene(database_url, tmp_path) as scene:
        answer = {"state": "a" * 43, "code": "b"}
        async with scene.provider.http(address=ADDRESS) as http, scene.provider.http() as other:
            tried = [(await http.get(CALLBACK, params=answer)).status_code for _ in range(21)]
            assert set(tried[:20]) == {400}
            assert tried[20] == 503
            assert (await other.get(CALLBACK, params=answer)).status_code == 400
            scene.provider.clock.advance(minutes=1)
            assert (await http.get(CALLBACK, params=answer)).status_code == 400
