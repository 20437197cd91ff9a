"""Abuse class 25: whatever arrives, the answer is never a fault of ours."""

import re
from typing import Any
from urllib.parse import quote

import anyio.from_thread
import httpx
import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from idp import app as program
from idp import endpoints
from tests.support.platform import Platform
from tests.support.provider import Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

PATHS = (
    "/",
    "/authorize",
    "/authorize/{}",
    "/authorize/{}/cancel",
    "/par",
    "/register",
    "/register/{}",
    "/token",
    "/userinfo",
    "/jwks",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/enrolment/{}",
    "/sign-in/{}",
    "/sign-in/{}/upstream/standard",
    "/sign-in/my/upstream/{}",
    "/sign-in/my/upstream/{}/cancelled/U01-7F3K91QD",
    "/upstreams/{}/callback",
    "/second-factor/{}",
    "/second-factor/{}/password",
    "/sign-in/{}/upstream/{}",
    "/sign-in/{}/upstream/{}/{}/{}",
    "/design",
    "/sign-in/{}/passkey",
    "/second-factor/{}/passkey",
    "/my/passkeys",
    "/my/passkeys/new",
    "/my/passkeys/{}",
    "/my/passkeys/{}/name",
    "/my/passkeys/{}/remove",
    "/sign-in/{}/phone",
    "/sign-in/{}/phone/state",
    "/sign-in/{}/phone/finish",
    "/second-factor/{}/phone",
    "/second-factor/{}/phone/state",
    "/second-factor/{}/phone/finish",
    "/app",
    "/app/challenge",
    "/app/enter",
    "/app/enrol",
    "/app/here/{}",
    "/app/offline",
    "/app/requests",
    "/app/requests/state",
    "/app/requests/{}",
    "/app/requests/{}/open",
    "/app/worker.js",
    "/my/phones",
    "/my/phones/add",
    "/my/phones/confirm",
    "/my/phones/remove",
    "/consent/{}",
    "/account-choice/{}",
    "/refused/{}",
    "/my",
    "/my/consents",
    "/my/correction",
    "/my/export",
    "/my/notice-ways",
    "/my/accounts",
    "/my/accounts/{}",
    "/my/accounts/{}/end",
    "/my/sign-out",
    "/my/networks/{}/end",
    "/my/sessions",
    "/my/sessions/end",
    "/my/sessions/end-others",
    "/end_session",
    "/end_session/{}",
    "/sign-out/{}",
    "/signed-out",
    "/acr/{}",
    "/static/{}",
    "/open/{}",
    "/logos/{}",
    "/verify",
    "/verify/{}",
    "/verify/{}/badge.svg",
    "/my/accounts/{}/mark",
    "/my/accounts/{}/not-me",
    "/my/accounts/{}/own-consent",
    "/my/activity",
    "/my/activity/export.html",
    "/my/activity/export.json",
    "/my/activity/{}",
    "/my/activity/{}/proof",
    "/my/cases",
    "/my/cases/{}",
    "/my/children",
    "/my/children/{}",
    "/my/children/{}/links/{}/end",
    "/my/children/requests/{}",
    "/my/freeze",
    "/my/notices",
    "/my/security",
    "/my/authenticator-app",
    "/my/authenticator-app/confirm",
    "/my/authenticator-app/remove",
    "/my/recovery-codes",
    "/my/recovery-codes/remove",
    "/my/password",
    "/my/browsers",
    "/my/browsers/forget",
    "/my/browsers/forget-all",
    "/my/upstreams",
    "/my/upstreams/end",
    "/not-me/{}",
    "/activate",
    "/activate/{}",
    "/activate/{}/{}",
    "/activate/{}/{}/passkey",
    "/recovery",
    "/recovery/at/{}",
    "/recovery/code",
    "/recovery/stop/{}",
    "/my/recovery",
    "/my/recovery/{}/stop",
    "/dispute/{}",
    "/guardian/{}",
    "/status-lists/{}",
    "/jwks/historical",
    "/transparency/checkpoint",
    "/transparency/checkpoints",
    "/transparency/consistency",
    "/transparency/inclusion",
    "/transparency/tiles/{}/{}",
    "/sandbox",
    "/sandbox/keys/rotate",
    "/sandbox/links/{}/{}",
    "/sandbox/people",
    "/sandbox/simulation",
    "/sandbox/token",
    "/introspect",
    "/revoke",
    "/device-authorization",
    "/backchannel-authentication",
    "/account-links",
    "/account-links/{}",
    "/account-links/changes",
    "/account-links/policy",
    "/account-links/status-lists",
    "/account-links/{}/end",
    "/account-links/{}/receipt",
    "/account-links/{}/misuse",
    "/account-links/{}/reattach",
    "/account-links/{}/reverify",
    "/problems/{}",
    "/.well-known/ssf-configuration",
    "/ssf/streams",
    "/ssf/status",
    "/ssf/subjects:add",
    "/ssf/subjects:remove",
    "/ssf/verification",
    "/ssf/poll/{}",
    "/events/{}",
    "/.well-known/oauth-protected-resource/{}",
    "/device",
    "/approvals",
    "/approvals/{}",
    "/{}",
)
NAMES = (
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "acr_values",
    "claims",
    "authorization_details",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "id_token_hint",
    "login_hint",
    "logout_hint",
    "post_logout_redirect_uri",
    "session",
    "stream_id",
    "ui_locales",
    "grant_type",
    "code",
    "refresh_token",
    "client_assertion",
    "client_assertion_type",
    "client_secret",
    "access_token",
    "identifier",
    "password",
    "decision",
    "claim",
    "choice",
    "csrf",
    "network",
    "account",
    "findable",
    "version",
    "after",
    "before",
    "limit",
    "from",
    "to",
    "leaf_index",
    "tree_size",
    "time",
    "status",
    "account_id",
    "freeze",
    "answer",
    "lang",
    "auth_req_id",
    "device_code",
    "user_code",
    "token",
    "token_type_hint",
    "binding_message",
    "login_hint_token",
    "client_notification_token",
    "requested_expiry",
    "resource",
    "id_token_hint",
    "post_logout_redirect_uri",
    "session",
)
HOSTILE = (
    "",
    "\x00",
    "%00",
    "\r\nX: y",
    "\u202e",
    "'; DROP TABLE sessions;--",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}",
    "../../etc/passwd",
    "9" * 400,
    "-1",
    "1e309",
    "NaN",
    "null",
    "[]",
    "{}",
    '{"userinfo":{"name":{"value":"\\u0000"}}}',
    '{"id_token":{"acr":{"values":[1e400,null,{}]}}}',
    '[{"type":"account_link","account_id":"\\ud800"}]',
    "[" * 2000,
    "a.b.c",
    "e30.e30.e30",
    "\U0010ffff",
    "İ" * 300,
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")
MEDIA_TYPES = (
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=x",
    "",
    "a;b",
)

values = st.sampled_from(HOSTILE) | st.text(max_size=40)
pairs = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=8), values), max_size=12)
header_values = st.binary(max_size=60).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b"").strip())
headers = st.lists(
    st.tuples(
        st.sampled_from(
            (b"authorization", b"cookie", b"accept-language", b"if-none-match", b"origin", b"content-length")
        ),
        header_values
        | st.sampled_from((b"Basic Og==", b"Bearer a.b.c", b"Basic \xff", b"-1", b"99999999999999")),
    ),
    max_size=3,
)


def test_every_address_there_is_gets_something() -> None:
    """Whoever adds a page or an endpoint adds its address here, or the draw below never comes there."""
    modules = [*vars(endpoints).values(), *vars(program).values()]
    routes = {
        re.sub(r"\{[^}]*\}", "{}", route.path)
        for module in modules
        for route in getattr(getattr(module, "router", None), "routes", ())
        if isinstance(route, APIRoute)
    }
    assert len(routes) > 80, "they are found"
    drawn = re.compile("|".join(re.escape(path).replace(re.escape("{}"), "[^/]+") for path in PATHS[:-1]))
    assert sorted(path for path in routes if not drawn.fullmatch(path.replace("{}", "x"))) == []


def encoded(parameters: list[tuple[str, str]]) -> str:
    # Surrogates cannot be sent as UTF-8; what they become is what a broken client would send.
    return "&".join(f"{quote(n, errors='replace')}={quote(v, errors='replace')}" for n, v in parameters)


def quiet(examples: int) -> Any:
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
async def platform(provider: Provider) -> Platform:
    return await new_platform(provider)


async def check_no_fault(http: httpx.AsyncClient, request: httpx.Request) -> None:
    answer = await http.send(request)
    assert answer.status_code < 500, (request.method, request.url, answer.text[-500:])
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_no_request_is_a_fault_of_ours(provider: Provider, platform: Platform) -> None:
    async with provider.http() as http, provider.http() as signed_in:
        person = await provider.add_person(has_totp=False)
        await platform.tokens_for(signed_in, person)
        begun = await signed_in.get("/authorize", params=platform.request(prompt="consent login"))
        visit = begun.headers["location"].rpartition("/")[2]
        names = st.sampled_from((visit, "my", "%00", "%ff", "..%2f..", "a" * 300, "é")) | values.map(
            lambda value: quote(value, safe="", errors="replace")
        )
        drawn: list[tuple[bool, httpx.Request]] = []

        @quiet(300)
        @given(st.data())
        def draw(data: st.DataObject) -> None:
            path = data.draw(st.sampled_from(PATHS)).replace("{}", data.draw(names))
            method = data.draw(st.sampled_from(METHODS))
            query, body = encoded(data.draw(pairs)), encoded(data.draw(pairs))
            sent = [(b"content-type", data.draw(st.sampled_from(MEDIA_TYPES)).encode()), *data.draw(headers)]
            url = httpx.URL(f"http://localhost:8000{path}?{query}")
            known = data.draw(st.booleans())
            if known:
                kept = "; ".join(f"{name}={value}" for name, value in signed_in.cookies.items())
                sent.append((b"cookie", kept.encode()))
            drawn.append((known, httpx.Request(method, url, content=body.encode(), headers=sent)))

        await anyio.to_thread.run_sync(draw)
        for known, request in drawn:
            await check_no_fault(signed_in if known else http, request)


async def test_no_change_to_a_good_request_is_a_fault_of_ours(provider: Provider, platform: Platform) -> None:
    """One parameter of a good request is replaced: the deeper checks are reached."""
    async with provider.http() as http:
        for name in NAMES[: NAMES.index("grant_type")]:
            for value in HOSTILE:
                request = platform.request() | {name: value}
                await check_no_fault(http, http.build_request("GET", "/authorize", params=request))
                if name != "client_id":
                    pushed = await http.post("/par", data=request, auth=platform.auth)
                    assert pushed.status_code < 500, (name, value)


async def test_a_nul_in_an_address_is_nobodys_name(provider: Provider) -> None:
    """PostgreSQL takes no NUL in a text, so none goes there."""
    async with provider.http() as http:
        for path in PATHS:
            address, sent = path.replace("{}", "a%00b"), {"Authorization": "Bearer x"}
            request = http.build_request("GET", address, headers=sent)
            await check_no_fault(http, request)


async def test_no_grant_is_a_fault_of_ours(provider: Provider, platform: Platform) -> None:
    async with provider.http() as http:
        for grant_type in ("authorization_code", "refresh_token"):
            for name in ("code", "refresh_token", "code_verifier", "redirect_uri", "scope", "client_id"):
                for value in HOSTILE:
                    form = {"grant_type": grant_type, "code": "x", "refresh_token": "y"} | {name: value}
                    answer = await http.post("/token", data=form, auth=platform.auth)
                    assert 400 <= answer.status_code < 500, (name, value)


async def test_an_overfull_body_is_refused_before_it_is_read(provider: Provider, platform: Platform) -> None:
    """Abuse class 25: too long, too many, announced wrongly, never ending."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 10_000_000:
            sent += 10_000
            yield b"a" * 10_000

    async with provider.http() as http:
        begun = (await http.get("/authorize", params=platform.request())).headers["location"]
        targets = ("/token", "/par", "/authorize", "/userinfo", begun, "/my/sign-out")
        targets += ("/introspect", "/revoke", "/device-authorization", "/backchannel-authentication")
        targets += ("/end_session", "/my/sessions/end", "/device")
        for target in targets:
            for body in (b"a=" + b"x" * 70_000, b"&".join(b"a%d=1" % n for n in range(300)), b"a=%00"):
                answer = await http.post(target, content=body, headers=form)
                assert answer.status_code == 400, target
            sent = 0
            answer = await http.post(target, content=endless(), headers=form)
            assert (answer.status_code, sent < 200_000) == (400, True), target
        long = await http.get("/authorize", params=platform.request(nonce="n" * 9_000))
        assert (long.status_code, long.headers.get("location")) == (400, None)


async def test_an_overfull_consent_form_is_refused(provider: Provider, platform: Platform) -> None:
    person = await provider.add_person()
    async with provider.http() as http:
        begun = (await http.get("/authorize", params=platform.request("acc_x"))).headers["location"]
        await http.post(begun, data={"identifier": person.personal_number, "password": person.password})
        address = begun.replace("/sign-in/", "/consent/")
        body = "decision=allow" + "&claim=name" * 500
        answer = await http.post(
            address, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert answer.status_code == 400
        assert (await http.get(address)).status_code == 200, "nothing was decided"
