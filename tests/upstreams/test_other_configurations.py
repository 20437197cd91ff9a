"""The other ways to be configured, over HTTP: shared secrets, no push, signed userinfo, ECDH-ES, silence."""

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from starlette.responses import JSONResponse

from idp.outbound import upstream_calls
from idp.upstreams.exchange import Fault, UpstreamError
from idp.upstreams.front_channel import read_code
from tests.support.html_forms import Html
from tests.support.upstream_scene import UpstreamScene, trouble_of, upstream_scene

pytestmark = pytest.mark.anyio


async def arrives(scene: UpstreamScene, kind: Any) -> bool:
    person = await scene.provider.add_person()
    scene.at(kind, person.personal_number)
    async with scene.provider.http() as browser:
        await scene.come(browser, kind)
        return await scene.who_is_in(browser) == person.citizen_id


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_shared_secret_and_an_older_provider_without_push_and_iss(
    sqlite_url: str, tmp_path: Path, method: str
) -> None:
    changes = {"client_authentication": {"method": method, "secret_file": "standard.secret"}}
    async with upstream_scene(sqlite_url, tmp_path, {"standard": changes}) as scene:
        scene.standard.client_keys = None
        scene.standard.has_par = scene.standard.has_iss = False
        assert await arrives(scene, "standard")
        (token_request,) = (form for path, form in scene.standard.requests if path == "/token")
        assert ("client_secret" in token_request) is (method == "client_secret_post")
        (sent,) = (query for path, query in scene.standard.requests if path == "/authorize")
        assert sent["code_challenge_method"] == "S256"
        # Where no `iss` is announced, one that is there is compared all the same.
        scene.standard.answer_parameters = {"iss": "https://other.example"}
        assert not await arrives(scene, "standard")


async def test_signed_userinfo_is_taken_by_the_issuer_for_us_alone(sqlite_url: str, tmp_path: Path) -> None:
    async with upstream_scene(sqlite_url, tmp_path, {"standard": {"userinfo": "signed"}}) as scene:
        scene.standard.userinfo_is_signed = True
        assert await arrives(scene, "standard")
        for claims in ({"aud": "another-client"}, {"iss": "https://other.example"}, {"sub": "x"}):
            scene.standard.userinfo_claims = claims
            assert not await arrives(scene, "standard")
        scene.standard.userinfo_claims = {"aud": ["lienket", "another-client"]}
        assert await arrives(scene, "standard")
        scene.standard.userinfo_is_signed = False
        assert not await arrives(scene, "standard")


@pytest.mark.parametrize("encryption", ["A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"])
async def test_a_body_that_is_encrypted_to_our_key(sqlite_url: str, tmp_path: Path, encryption: str) -> None:
    key = ECKey.generate_key("P-256")
    chosen = {"algorithm": "ECDH-ES", "encryption": encryption}
    async with upstream_scene(sqlite_url, tmp_path, key=key, **chosen) as scene:
        assert await arrives(scene, "dialect")
        scene.dialect.key = ECKey.generate_key("P-256")
        assert not await arrives(scene, "dialect")


async def test_a_dialect_that_tells_no_time_and_knows_no_pkce(sqlite_url: str, tmp_path: Path) -> None:
    changes = {"auth_time": None, "signs_in_anew": True, "has_pkce": False}
    async with upstream_scene(sqlite_url, tmp_path, {"dialect": changes}) as scene:
        assert await arrives(scene, "dialect")
        (sent,) = (query for path, query in scene.dialect.requests if path == "/connect")
        assert not [name for name in sent if name.startswith("code_challenge")]


@pytest.mark.parametrize("signs_in_anew", [False, True])
async def test_a_standard_one_that_tells_no_time_is_believed_where_everybody_signs_in_anew(
    sqlite_url: str, tmp_path: Path, *, signs_in_anew: bool
) -> None:
    """When a token was issued says not when somebody signed in: a session left open there is not fresh."""
    changes = {"signs_in_anew": signs_in_anew}
    async with upstream_scene(sqlite_url, tmp_path, {"standard": changes}) as scene:
        scene.standard.tamper = lambda _, claims: claims.pop("auth_time")
        assert await arrives(scene, "standard") is signs_in_anew
        (pushed,) = (form for path, form in scene.standard.requests if path == "/par")
        assert json.loads(pushed["claims"]) == {"id_token": {"auth_time": {"essential": True}}}


async def test_a_dialect_whose_time_is_nonsense_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    async with upstream_scene(sqlite_url, tmp_path) as scene:
        for told in (None, "soon", 10**12):
            scene.dialect.change_claims = lambda claims, told=told: claims.update(signed_in=told)
            assert not await arrives(scene, "dialect")


async def test_a_dialects_iss_is_compared_where_one_is_configured(sqlite_url: str, tmp_path: Path) -> None:
    async with upstream_scene(sqlite_url, tmp_path, {"dialect": {"issuer": "gate-7"}}) as scene:
        assert not await arrives(scene, "dialect")
        scene.dialect.answer_parameters = {"iss": "gate-7"}
        assert await arrives(scene, "dialect")


async def test_an_upstream_that_is_silent_costs_seconds_and_leaves_the_other_ways_open(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream_calls, "SECONDS", 0.3)
    async with upstream_scene(sqlite_url, tmp_path) as scene:
        scene.standard.pauses["/par"] = 3.0
        async with scene.provider.http() as browser:
            answer = await browser.post("/sign-in/my/upstream/standard")
            assert trouble_of(answer) == "unavailable"
            page = await browser.get(answer.headers["location"])
            assert page.status_code == 503
            assert "sign-in" in Html((await browser.get("/sign-in/my")).text).forms


async def test_a_push_that_fails_is_not_replaced_by_an_open_request(sqlite_url: str, tmp_path: Path) -> None:
    async with upstream_scene(sqlite_url, tmp_path) as scene, scene.provider.http() as browser:
        for answer, trouble in (
            (JSONResponse({}, 201), "untrusted"),
            (JSONResponse({"request_uri": "two words"}, 201), "untrusted"),
            (JSONResponse({"error": "invalid_client"}, 401), "unavailable"),
        ):
            scene.standard.answers["/par"] = answer
            sent = await browser.post("/sign-in/my/upstream/standard")
            assert trouble_of(sent) == trouble


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"error": "access_denied"}, Fault.CANCELLED),
        ({"error": "server_error"}, Fault.UNAVAILABLE),
        ({"error": "temporarily_unavailable", "error_description": "Lan"}, Fault.UNAVAILABLE),
        ({"error": "invalid_scope"}, Fault.UNTRUSTED),
        ({"error": "access_denied", "code": "c"}, Fault.CANCELLED),
        ({"code": "é"}, Fault.UNTRUSTED),
        ({"code": "x" * 2049}, Fault.UNTRUSTED),
        ({}, Fault.UNTRUSTED),
    ],
)
def test_an_answer_without_a_code_is_told_in_our_words(answer: dict[str, str], fault: Fault) -> None:
    with pytest.raises(UpstreamError) as refused:
        read_code(answer, None, is_iss_required=False)
    assert refused.value.fault is fault
    assert "Lan" not in refused.value.reason
