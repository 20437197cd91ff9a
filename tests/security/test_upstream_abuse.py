"""Attacks on sign-in through another provider: its answers forged, replayed, mixed up, moved to other people.

Abuse classes 11, 12, 15, 16, 17, 26 and 29, each over HTTP against both kinds of upstream on both engines.
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwe, jws, jwt
from joserfc.jwk import ECKey, OctKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from idp.identity.citizens import CitizenStatus
from tests.support.databases import migrated_database
from tests.support.html_forms import Html
from tests.support.provider import ISSUER
from tests.support.upstream_openid import front_channel
from tests.support.upstream_scene import KINDS, WELCOME, Kind, UpstreamScene, trouble_of, upstream_scene

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[UpstreamScene]:
    folder = tmp_path_factory.mktemp("upstreams")
    with migrated_database(request.param, folder) as url:
        async with upstream_scene(url, folder) as scene:
            yield scene


@pytest.fixture
def scene(opened: UpstreamScene) -> UpstreamScene:
    opened.standard.forget()
    opened.dialect.forget()
    # What was published is kept for a while, and an outage is remembered: neither outlives its test.
    opened.provider.clock.advance(minutes=15)
    return opened


async def refused(scene: UpstreamScene, kind: Kind, trouble: str) -> None:
    """Come back from an upstream that is bent, and find nobody signed in and the other ways open."""
    async with scene.provider.http() as browser:
        answer = await scene.come(browser, kind)
        assert answer.status_code == 303
        assert trouble_of(answer) == trouble
        page = await browser.get(answer.headers["location"])
        assert f"{ISSUER}/sign-in/my" in Html(page.text).links
        assert await scene.who_is_in(browser) is None


Bend = Callable[[dict[str, Any], dict[str, Any]], None]

TAMPERED: dict[str, Bend] = {
    "another nonce": lambda _, claims: claims.update(nonce="of-somebody-else"),
    "no nonce": lambda _, claims: claims.pop("nonce"),
    "empty nonce": lambda _, claims: claims.update(nonce=""),
    "another issuer": lambda _, claims: claims.update(iss="https://other.example"),
    "no issuer": lambda _, claims: claims.pop("iss"),
    "another audience": lambda _, claims: claims.update(aud="another-client"),
    "two audiences": lambda _, claims: claims.update(aud=["lienket", "another-client"], azp="lienket"),
    "no audience": lambda _, claims: claims.pop("aud"),
    "for another party": lambda _, claims: claims.update(azp="another-client"),
    "expired": lambda _, claims: claims.update(exp=claims["iat"] - 120),
    "never expires": lambda _, claims: claims.pop("exp"),
    "from the future": lambda _, claims: claims.update(iat=claims["iat"] + 600),
    "of yesterday": lambda _, claims: claims.update(iat=claims["iat"] - 86400),
    "no time": lambda _, claims: claims.pop("iat"),
    "no subject": lambda _, claims: claims.pop("sub"),
    "a subject that is a list": lambda _, claims: claims.update(sub=["a"]),
    "signed in tomorrow": lambda _, claims: claims.update(auth_time=claims["iat"] + 86400),
    "another access token": lambda _, claims: claims.update(at_hash="x" * 22),
    "at_hash of no type": lambda _, claims: claims.update(at_hash=7),
    "another purpose": lambda header, _: header.update(typ="logout+jwt"),
    "an unknown key": lambda header, _: header.update(kid="k2"),
    "a number for text": lambda _, claims: claims.update(nonce=1),
}


@pytest.mark.parametrize("bend", TAMPERED.values(), ids=TAMPERED.keys())
async def test_class_12_an_id_token_that_does_not_fit_signs_nobody_in(
    scene: UpstreamScene, bend: Bend
) -> None:
    """CVE-2026-15612, CVE-2026-28498, CVE-2025-68158: what is absent does not pass for what fits."""
    person = await scene.provider.add_person()
    scene.at("standard", person.personal_number)
    scene.standard.tamper = bend
    await refused(scene, "standard", "untrusted")


def _segment(members: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


def _unsigned(token: str) -> str:
    return f"{_segment({'alg': 'none'})}.{token.split('.')[1]}."


def _hmac_with_public_key(token: str) -> str:
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("a" * 32), algorithms=["HS256"])


def _self_brought_key(token: str) -> str:
    key = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "jwk": key.as_dict(private=False)}
    payload = base64.urlsafe_b64decode(token.split(".")[1] + "==")
    return jws.serialize_compact(header, payload, key, algorithms=["ES256"])


REPLACED: dict[str, Callable[[str], str]] = {
    "alg none": _unsigned,
    "signature cut off": lambda token: token.rpartition(".")[0] + ".",
    "one byte less": lambda token: token[:-1],
    "another signature": lambda token: token[:-8] + "A" * 8,
    "HMAC": _hmac_with_public_key,
    "a key in the header": _self_brought_key,
    "no token at all": lambda _: "nonsense",
}


@pytest.mark.parametrize("replace", REPLACED.values(), ids=REPLACED.keys())
async def test_class_11_an_id_token_without_the_issuers_signature_signs_nobody_in(
    scene: UpstreamScene, replace: Callable[[str], str]
) -> None:
    """CVE-2026-28802, CVE-2026-27962, CVE-2024-37568."""
    person = await scene.provider.add_person()
    scene.at("standard", person.personal_number)
    scene.standard.replace_id_token = replace
    await refused(scene, "standard", "untrusted")


@pytest.mark.parametrize(
    "changed",
    [{"iss": "https://other.example"}, {"iss": None}, {"iss": ""}, {"code": None}, {"code": "not-mine"}],
    ids=["another iss", "no iss", "empty iss", "no code", "a code from elsewhere"],
)
async def test_class_29_an_answer_that_is_not_provably_the_upstreams_is_refused(
    scene: UpstreamScene, changed: dict[str, str | None]
) -> None:
    """RFC 9207 §2.4: with a wrong `iss` the code is not even sent on."""
    person = await scene.provider.add_person()
    scene.at("standard", person.personal_number)
    scene.standard.answer_parameters = changed
    await refused(scene, "standard", "untrusted")
    redeemed = [path for path, _ in scene.standard.requests if path == "/token"]
    assert redeemed == (["/token"] if changed.get("code") else [])


async def test_class_29_the_answer_of_one_upstream_does_not_arrive_at_another(scene: UpstreamScene) -> None:
    """Mix-up, RFC 9700 §4.4: an attacker's upstream gives out the state of the honest one, or its code."""
    person = await scene.provider.add_person()
    scene.at("standard", person.personal_number)
    scene.at("dialect", person.personal_number)
    async with scene.provider.http() as browser:
        honest = await scene.callback_of(await scene.leave(browser, "standard"))
        moved = honest.replace("/upstreams/standard/", "/upstreams/dialect/")
        assert (await browser.get(moved)).status_code == 400
        begun = front_channel(await scene.leave(browser, "dialect"))
        swapped = {"state": begun["state"], "code": front_channel(honest)["code"]}
        answer = await browser.get(f"/upstreams/dialect/callback?{urlencode(swapped)}")
        assert trouble_of(answer) == "untrusted"
        assert await scene.who_is_in(browser) is None


@pytest.mark.parametrize("kind", KINDS)
async def test_a_state_works_once_even_for_many_at_once(scene: UpstreamScene, kind: Kind) -> None:
    """Abuse classes 5 and 6: the answer is replayed while it is being taken, and afterwards."""
    person = await scene.provider.add_person()
    scene.at(kind, person.personal_number)
    async with scene.provider.http() as browser:
        callback = await scene.callback_of(await scene.leave(browser, kind))
        # Each request carries the cookies of the browser that left, as a copy of it would.
        cookies = {"Cookie": f"lienket-browser={browser.cookies['lienket-browser']}"}
    async with scene.provider.http() as many:
        answers = await asyncio.gather(*(many.get(callback, headers=cookies) for _ in range(6)))
        later = await many.get(callback, headers=cookies)
    assert sorted(answer.status_code for answer in answers) == [303, 400, 400, 400, 400, 400]
    assert later.status_code == 400
    assert len([path for path, _ in scene.upstream(kind).requests if path in {"/token", "/exchange"}]) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_class_15_another_browser_cannot_finish_what_one_began(
    scene: UpstreamScene, kind: Kind
) -> None:
    """Login CSRF: the attacker's answer, sent to the victim as a link, signs the victim in as nobody."""
    attacker = await scene.provider.add_person()
    scene.at(kind, attacker.personal_number)
    async with scene.provider.http() as evil, scene.provider.http() as victim:
        callback = await scene.callback_of(await scene.leave(evil, kind))
        await victim.get("/sign-in/my")
        for _ in range(2):
            assert (await victim.get(callback)).status_code == 403
            assert await scene.who_is_in(victim) is None
        await scene.leave(victim, kind)
        assert (await victim.get(callback)).status_code == 403
        # Nor is the state used up by whoever holds only the link.
        assert (await evil.get(callback)).status_code == 303


@pytest.mark.parametrize("kind", KINDS)
async def test_a_code_of_another_browser_is_worth_nothing_in_this_one(
    scene: UpstreamScene, kind: Kind
) -> None:
    """Code injection, RFC 9700 §4.5: PKCE and nonce are of the browser that left."""
    victim = await scene.provider.add_person()
    scene.at(kind, victim.personal_number)
    async with scene.provider.http() as theirs, scene.provider.http() as evil:
        stolen = front_channel(await scene.callback_of(await scene.leave(theirs, kind)))["code"]
        own = front_channel(await scene.callback_of(await scene.leave(evil, kind)))
        answer = await evil.get(f"/upstreams/{kind}/callback?{urlencode({**own, 'code': stolen})}")
        assert trouble_of(answer) == "untrusted"
        assert await scene.who_is_in(evil) is None


async def test_without_pkce_at_the_upstream_the_nonce_alone_stops_a_stolen_code(scene: UpstreamScene) -> None:
    victim = await scene.provider.add_person()
    scene.at("standard", victim.personal_number)
    async with scene.provider.http() as theirs, scene.provider.http() as evil:
        stolen = front_channel(await scene.callback_of(await scene.leave(theirs, "standard")))["code"]
        del scene.standard.codes[stolen].parameters["code_challenge"]
        own = front_channel(await scene.callback_of(await scene.leave(evil, "standard")))
        answer = await evil.get(f"/upstreams/standard/callback?{urlencode({**own, 'code': stolen})}")
        assert trouble_of(answer) == "untrusted"


@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_that_comes_too_late_is_refused(scene: UpstreamScene, kind: Kind) -> None:
    person = await scene.provider.add_person()
    scene.at(kind, person.personal_number)
    async with scene.provider.http() as browser:
        callback = await scene.callback_of(await scene.leave(browser, kind))
        scene.provider.clock.advance(minutes=10)
        assert (await browser.get(callback)).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=",
        "state=x",
        "state=" + "x" * 5000,
        "state=%00",
        "state=a&state=b",
        "code=x",
        "%FF=%FE",
        "state=%ff",
    ],
)
async def test_an_answer_that_nobody_asked_for_is_refused(scene: UpstreamScene, query: str) -> None:
    async with scene.provider.http() as browser:
        for kind in KINDS:
            assert (await browser.get(f"/upstreams/{kind}/callback?{query}")).status_code == 400


@pytest.mark.parametrize("kind", KINDS)
async def test_a_parameter_that_is_there_twice_is_nobodys_choice(scene: UpstreamScene, kind: Kind) -> None:
    person = await scene.provider.add_person()
    scene.at(kind, person.personal_number)
    async with scene.provider.http() as browser:
        callback = await scene.callback_of(await scene.leave(browser, kind))
        answer = await browser.get(f"{callback}&code=another")
        assert trouble_of(answer) == "untrusted"


async def test_a_foreign_page_cannot_send_somebody_to_an_upstream(scene: UpstreamScene) -> None:
    async with scene.provider.http() as browser:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await browser.post("/sign-in/my/upstream/standard", headers=headers)
            assert answer.status_code == 403
    assert scene.standard.requests == []


@pytest.mark.parametrize("kind", KINDS)
async def test_class_16_a_sub_that_comes_with_another_number_is_refused(
    scene: UpstreamScene, kind: Kind
) -> None:
    """The swapped subject: KC CVE-2026-9087, ZIT CVE-2026-105207. Everybody concerned can read of it."""
    owner, other = await scene.provider.add_person(), await scene.provider.add_person()
    subject = scene.at(kind, owner.personal_number).subject
    async with scene.provider.http() as browser:
        await scene.come(browser, kind)
    scene.at(kind, other.personal_number, subject=subject)
    await refused(scene, kind, "pair-changed")
    scene.at(kind, scene.newcomer(), subject=subject)
    await refused(scene, kind, "pair-changed")
    for person in (owner, other):
        assert "citizen:sign_in_refused" in await events_of(scene, person.citizen_id)


async def events_of(scene: UpstreamScene, citizen_id: str) -> list[str]:
    latest = await scene.provider.unit_of_work().ledger.latest(50)
    return [event.type for event in latest if event.citizen_id == citizen_id]


@pytest.mark.parametrize("kind", KINDS)
async def test_class_16_the_number_of_somebody_else_under_another_sub_is_refused(
    scene: UpstreamScene, kind: Kind
) -> None:
    owner = await scene.provider.add_person()
    scene.at(kind, owner.personal_number)
    async with scene.provider.http() as browser:
        await scene.come(browser, kind)
    scene.at(kind, owner.personal_number, subject="sub-of-a-thief")
    await refused(scene, kind, "pair-changed")
    uow = scene.provider.unit_of_work()
    uow.upstream_accounts.disconnect(kind, owner.citizen_id, scene.provider.clock.now)
    await uow.commit()
    # An operator let go of the old account: the number may be taken up under a new one, and by one alone.
    async with scene.provider.http() as browser:
        await scene.come(browser, kind)
        assert await scene.who_is_in(browser) == owner.citizen_id


async def test_class_16_userinfo_about_somebody_else_is_refused(scene: UpstreamScene) -> None:
    """OpenID Connect Core §5.3.2: the `sub` of userinfo must be that of the ID token."""
    person = await scene.provider.add_person()
    scene.at("standard", person.personal_number)
    scene.standard.userinfo_claims = {"sub": "somebody-else"}
    await refused(scene, "standard", "untrusted")


async def test_userinfo_cannot_raise_what_the_id_token_says(scene: UpstreamScene) -> None:
    person = await scene.provider.add_person()
    scene.at("standard", person.personal_number, acr=None)
    scene.standard.userinfo_claims = {"acr": "loa2", "amr": ["face"]}
    await refused(scene, "standard", "incomplete")


async def test_class_16_the_dialects_body_about_another_account_is_refused(scene: UpstreamScene) -> None:
    person = await scene.provider.add_person()
    scene.at("dialect", person.personal_number)
    scene.dialect.change_claims = lambda claims: claims.update(account={"id": "somebody-else"})
    await refused(scene, "dialect", "untrusted")


def _flipped(part: int) -> Callable[[str], str]:
    def flip(body: str) -> str:
        parts = body.split(".")
        parts[part] = ("B" if parts[part][:1] == "A" else "A") + parts[part][1:]
        return ".".join(parts)

    return flip


def _encrypted_by_a_stranger(body: str) -> str:
    header = {"alg": "dir", "enc": "A256GCM"}
    return jwe.encrypt_compact(header, "{}", OctKey.generate_key(256), algorithms=["dir", "A256GCM"])


def _with_another_header(body: str) -> str:
    return ".".join((_segment({"alg": "dir", "enc": "A128GCM"}), *body.split(".")[1:]))


BODIES: dict[str, Callable[[str], str]] = {
    "header": _flipped(0),
    "initialization vector": _flipped(2),
    "ciphertext": _flipped(3),
    "tag": _flipped(4),
    "another key": _encrypted_by_a_stranger,
    "another algorithm": _with_another_header,
    "a part too few": lambda body: body.rpartition(".")[0],
    "shorter": lambda body: body[:-2],
    "plain": lambda _: _segment({"soDinhDanh": "000190000001"}),
    "nothing": lambda _: "",
    "zip": lambda body: ".".join(
        (_segment({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}), *body.split(".")[1:])
    ),
}


@pytest.mark.parametrize("replace", BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_was_tampered_with_is_refused(
    scene: UpstreamScene, replace: Callable[[str], str]
) -> None:
    person = await scene.provider.add_person()
    scene.at("dialect", person.personal_number)
    scene.dialect.replace_body = replace
    await refused(scene, "dialect", "untrusted")


OUTAGES: dict[str, tuple[Response, str]] = {
    "500": (Response("Nguyễn Thị Lan 000190000001", 500), "unavailable"),
    "503": (JSONResponse({"error": "temporarily_unavailable"}, 503), "unavailable"),
    "not JSON": (Response("<h1>Nguyễn Thị Lan</h1>", 200, media_type="text/html"), "untrusted"),
    "broken JSON": (Response('{"a":', 200, media_type="application/json"), "untrusted"),
    "a member twice": (Response('{"a":1,"a":2}', 200, media_type="application/json"), "untrusted"),
    "a list": (JSONResponse(["Nguyễn Thị Lan"]), "untrusted"),
    "elsewhere": (RedirectResponse("http://169.254.169.254/", 302), "untrusted"),
    "too large": (Response(b"x" * 300_000, 200, media_type="application/json"), "unavailable"),
}
CALLED = [
    ("standard", "/.well-known/openid-configuration"),
    ("standard", "/par"),
    ("standard", "/jwks"),
    ("standard", "/token"),
    ("standard", "/userinfo"),
    ("dialect", "/exchange"),
    ("dialect", "/citizen"),
]


@pytest.mark.parametrize(("kind", "path"), CALLED, ids=[path for _, path in CALLED])
async def test_whatever_an_upstream_answers_leads_to_a_page_and_nothing_of_it_to_the_log(
    scene: UpstreamScene, kind: Kind, path: str
) -> None:
    """Abuse class 26; no answer of somebody else is ever an error of ours."""
    person = await scene.provider.add_person()
    for answer, trouble in OUTAGES.values():
        scene.at(kind, person.personal_number)
        scene.upstream(kind).answers[path] = answer
        scene.provider.clock.advance(minutes=15)
        async with scene.provider.http() as browser:
            form = Html((await browser.get(f"/sign-in/my/upstream/{kind}")).text).forms["upstream"]
            sent = await browser.post(form.action)
            if not sent.headers["location"].startswith(ISSUER):
                sent = await browser.get(await scene.callback_of(sent.headers["location"]))
            assert trouble_of(sent) == trouble
            page = await browser.get(sent.headers["location"])
            assert page.status_code in {502, 503}
            assert f"{ISSUER}/sign-in/my" in Html(page.text).links
    for secret in ("Nguyễn", "000190", person.personal_number, "169.254"):
        assert secret not in scene.logged()


async def test_an_upstream_that_is_gone_is_not_waited_for_by_everybody(scene: UpstreamScene) -> None:
    scene.standard.answers["/.well-known/openid-configuration"] = Response("", 503)
    async with scene.provider.http() as browser:
        for _ in range(5):
            answer = await browser.post("/sign-in/my/upstream/standard")
            assert trouble_of(answer) == "unavailable"
        assert len(scene.standard.requests) == 1
        scene.standard.forget()
        scene.provider.clock.advance(seconds=15)
        assert (
            (await browser.post("/sign-in/my/upstream/standard"))
            .headers["location"]
            .startswith(scene.standard.issuer)
        )


async def test_many_who_come_back_while_the_keys_are_gone_ask_for_them_once(scene: UpstreamScene) -> None:
    scene.at("standard", scene.newcomer())
    scene.standard.answers["/jwks"] = Response("", 503)
    async with contextlib.AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(scene.provider.http()) for _ in range(4)]
        callbacks = [await scene.callback_of(await scene.leave(each, "standard")) for each in browsers]
        answers = await asyncio.gather(
            *(browser.get(callback) for browser, callback in zip(browsers, callbacks, strict=True))
        )
        assert {trouble_of(answer) for answer in answers} == {"unavailable"}
    assert [path for path, _ in scene.standard.requests].count("/jwks") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": "http://169.254.169.254/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
        {"pushed_authorization_request_endpoint": "ftp://localhost/par"},
        {"response_types_supported": "code"},
    ],
    ids=["issuer", "token endpoint", "script", "no keys", "push", "types"],
)
async def test_metadata_that_lead_astray_are_refused(
    scene: UpstreamScene, changes: dict[str, object]
) -> None:
    """CVE-2026-104056: a document counts for the issuer whose it is; abuse class 13 for its addresses."""
    scene.standard.metadata_changes = changes
    async with scene.provider.http() as browser:
        answer = await browser.post("/sign-in/my/upstream/standard")
        assert trouble_of(answer) == "untrusted"


async def test_a_key_that_the_upstream_changed_is_fetched_once_a_minute_and_no_oftener(
    scene: UpstreamScene,
) -> None:
    person = await scene.provider.add_person()
    scene.at("standard", person.personal_number)
    async with scene.provider.http() as browser:
        await scene.come(browser, "standard")
    old, new = scene.standard.key, ECKey.generate_key("P-256", {"kid": "k9", "use": "sig", "alg": "ES256"})
    scene.standard.key = new
    scene.provider.clock.advance(minutes=2)
    async with scene.provider.http() as browser:
        await scene.come(browser, "standard")
        assert await scene.who_is_in(browser) == person.citizen_id
    scene.standard.tamper = lambda header, _: header.update(kid="k-unknown")
    scene.standard.requests.clear()
    for _ in range(3):
        await refused(scene, "standard", "untrusted")
    assert len([path for path, _ in scene.standard.requests if path == "/jwks"]) <= 1
    scene.standard.key = old


@pytest.mark.parametrize("kind", KINDS)
async def test_what_the_log_and_the_addresses_hold_names_nobody(scene: UpstreamScene, kind: Kind) -> None:
    """Abuse class 26: no number, name, `sub`, code, state or token; not in refusals either."""
    person = await scene.provider.add_person()
    told = scene.at(kind, person.personal_number)
    async with scene.provider.http() as browser:
        callback = await scene.callback_of(await scene.leave(browser, kind))
        await browser.get(callback)
    scene.at(kind, person.personal_number, subject="another-subject")
    await refused(scene, kind, "pair-changed")
    answered = front_channel(callback)
    tokens = list(scene.upstream(kind).tokens)
    for secret in (person.personal_number, told.subject, "another-subject", "Nguyễn", *tokens):
        assert secret not in scene.logged()
    for name in ("code", "state"):
        assert answered[name] not in scene.logged()


@pytest.mark.parametrize("kind", KINDS)
async def test_class_17_whoever_is_suspended_on_the_way_is_not_let_in(
    scene: UpstreamScene, kind: Kind
) -> None:
    person = await scene.provider.add_person()
    scene.at(kind, person.personal_number)
    async with scene.provider.http() as browser:
        callback = await scene.callback_of(await scene.leave(browser, kind))
        uow = scene.provider.unit_of_work()
        now = scene.provider.clock.now
        uow.citizens.set_status(person.citizen_id, CitizenStatus.ACTIVE, CitizenStatus.LOCKED, now)
        await uow.commit()
        answer = await browser.get(callback)
        assert trouble_of(answer) == "not-usable"
        assert await scene.who_is_in(browser) is None


async def test_two_first_arrivals_at_once_make_one_person(scene: UpstreamScene) -> None:
    number = scene.newcomer()
    scene.at("standard", number)
    async with contextlib.AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(scene.provider.http()) for _ in range(3)]
        callbacks = [await scene.callback_of(await scene.leave(each, "standard")) for each in browsers]
        answers = await asyncio.gather(
            *(browser.get(callback) for browser, callback in zip(browsers, callbacks, strict=True))
        )
        assert {answer.headers["location"] for answer in answers} == {WELCOME}
        assert len({await scene.who_is_in(browser) for browser in browsers}) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_class_15_a_session_that_was_planted_is_worth_nothing_afterwards(
    scene: UpstreamScene, kind: Kind
) -> None:
    """Session fixation: the cookie of before is not the one of after, and somebody else's session is over."""
    person, other = await scene.provider.add_person(), await scene.provider.add_person()
    async with scene.provider.http() as browser:
        scene.at(kind, other.personal_number)
        await scene.come(browser, kind)
        planted = browser.cookies["lienket-session"]
        scene.at(kind, person.personal_number)
        await scene.come(browser, kind)
        assert browser.cookies["lienket-session"] != planted
        assert await scene.who_is_in(browser) == person.citizen_id
        browser.cookies.set("lienket-session", planted)
        page = await browser.get("/my/accounts")
    assert page.status_code == 303
