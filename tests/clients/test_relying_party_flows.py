"""Linking an account with the SDK against a scripted provider, and every way in which it must not work."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from clients.relying_party import (
    AuthorizationRefusedError,
    CallbackError,
    ConfigurationError,
    GrantRefusedError,
    MetadataError,
    Provider,
    ProviderUnavailableError,
    RelyingParty,
    RelyingPartyError,
    RequestRefusedError,
    Started,
    TokenError,
    verified_claims,
)
from tests.clients.scripted_provider import CLIENT_ID, ISSUER, REDIRECT_URI, ScriptedProvider, make_key

pytestmark = pytest.mark.anyio


async def start(rp: RelyingParty) -> Started:
    return await rp.start_linking(
        account_id="acc_lan",
        handle="@lan",
        profile_uri="https://quancoc.example/@lan",
        purpose="post",
        acr_values=["vn-2"],
        claims=verified_claims(["age_over_16"], purposes={"age_over_16": "adult rooms"}),
        ui_locales=["vi"],
    )


async def test_an_account_is_linked(op: ScriptedProvider, rp: RelyingParty) -> None:
    started = await start(rp)
    assert json.loads(op.pushed["authorization_details"]) == [
        {
            "type": "account_link",
            "account_id": "acc_lan",
            "handle": "@lan",
            "profile_uri": "https://quancoc.example/@lan",
            "purpose": "post",
        }
    ]
    assert op.pushed["response_type"] == "code"
    assert op.pushed["scope"] == "openid offline_access"
    assert op.pushed["code_challenge_method"] == "S256"
    assert op.pushed["redirect_uri"] == REDIRECT_URI
    assert op.pushed["acr_values"] == "vn-2"
    asked = json.loads(op.pushed["claims"])["id_token"]["verified_claims"]
    assert asked["claims"] == {"age_over_16": {"purpose": "adult rooms"}}

    kept = Started.from_json(started.to_json())
    assert kept == started
    linked = await rp.finish(op.agree(started.authorization_url), kept)
    assert (linked.account_id, linked.subject, linked.status) == ("acc_lan", "pairwise-lan", "active")
    assert linked.tokens.refresh_token == "rt-0"
    assert len(op.seen_jti) == 2, "each request has an assertion of its own"


async def test_nothing_secret_travels_with_the_browser_or_into_a_log(rp: RelyingParty) -> None:
    started = await start(rp)
    for secret in (started.code_verifier, started.nonce, started.state):
        assert secret not in started.authorization_url
        assert secret not in repr(started)


async def test_a_client_secret_works_too(op: ScriptedProvider, http: httpx.AsyncClient) -> None:
    provider = await Provider.discover(ISSUER, http, clock=op.clock)
    rp = RelyingParty(provider, CLIENT_ID, redirect_uri=REDIRECT_URI, secret="s+cret")
    started = await start(rp)
    assert (await rp.finish(op.agree(started.authorization_url), started)).link_id == "lnk_1"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"iss": None}, id="RFC 9207 §2.4 no iss"),
        pytest.param({"iss": "https://evil.example"}, id="RFC 9207 §2.4 mix-up"),
        pytest.param({"state": None}, id="RFC 6749 §10.12 no state"),
        pytest.param({"state": "another"}, id="RFC 6749 §10.12 other state"),
        pytest.param({"state": "ỳ"}, id="state not ASCII"),
        pytest.param({"code": None}, id="neither code nor error"),
        pytest.param({"error": "access_denied", "state": "forged"}, id="an error is not believed either"),
    ],
)
async def test_a_redirect_that_does_not_belong_sends_no_code(
    op: ScriptedProvider, rp: RelyingParty, changes: dict[str, str | None]
) -> None:
    started = await start(rp)
    with pytest.raises(CallbackError):
        await rp.finish(op.agree(started.authorization_url, **changes), started)
    assert op.count("/token") == 0


async def test_a_repeated_parameter_is_refused(op: ScriptedProvider, rp: RelyingParty) -> None:
    started = await start(rp)
    pairs = [*op.agree(started.authorization_url).items(), ("code", "another")]
    with pytest.raises(CallbackError, match="repeated"):
        await rp.finish(pairs, started)


async def test_a_refusal_is_kind_and_carries_its_code(op: ScriptedProvider, rp: RelyingParty) -> None:
    started = await start(rp)
    callback = op.agree(
        started.authorization_url, code=None, error="access_denied", error_description="nein\n\x1b"
    )
    with pytest.raises(AuthorizationRefusedError) as refused:
        await rp.finish(callback, started)
    assert refused.value.error == "access_denied"
    assert "chose not to" in refused.value.kind_message
    assert str(refused.value) == "access_denied: nein??"


async def test_a_linking_of_another_client_is_not_finished(op: ScriptedProvider, rp: RelyingParty) -> None:
    started = await start(rp)
    with pytest.raises(ConfigurationError):
        await rp.finish(op.agree(started.authorization_url), replace(started, client_id="other"))


async def test_a_verifier_of_another_session_is_refused_by_the_provider(
    op: ScriptedProvider, rp: RelyingParty
) -> None:
    started = await start(rp)
    with pytest.raises(GrantRefusedError) as refused:
        await rp.finish(op.agree(started.authorization_url), replace(started, code_verifier="x" * 43))
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("path", "change", "error"),
    [
        pytest.param("/token", lambda d: d.pop("id_token"), TokenError, id="no ID token"),
        pytest.param("/token", lambda d: d.pop("access_token"), TokenError, id="no access token"),
        pytest.param("/token", lambda d: d.update(access_token="at-2"), TokenError, id="at_hash of another"),
        pytest.param("/token", lambda d: d.update(token_type="mac"), TokenError, id="RFC 6749 §7.1 type"),
        pytest.param("/token", lambda d: d.pop("expires_in"), TokenError, id="no lifetime"),
        pytest.param("/token", lambda d: d.update(expires_in=True), TokenError, id="foolish lifetime"),
        pytest.param(
            "/token", lambda d: d.update(refresh_token=7), TokenError, id="refresh token is no text"
        ),
        pytest.param("/token", lambda d: d.pop("authorization_details"), TokenError, id="RFC 9396 §7 absent"),
        pytest.param(
            "/token",
            lambda d: d["authorization_details"][0].update(link_id="lnk_2"),
            TokenError,
            id="RFC 9396 §7 another link",
        ),
        pytest.param("/jwks", lambda d: d.update(keys=[]), MetadataError, id="no keys"),
        pytest.param("/jwks", lambda d: d["keys"][0].update(kid="other"), TokenError, id="unknown kid"),
    ],
)
async def test_a_wrong_answer_links_nothing(
    op: ScriptedProvider,
    rp: RelyingParty,
    path: str,
    change: Callable[[dict[str, Any]], object],
    error: type[RelyingPartyError],
) -> None:
    started = await start(rp)
    op.change_answer = lambda asked, document: change(document) if asked == path else None
    with pytest.raises(error):
        await rp.finish(op.agree(started.authorization_url), started)


async def test_a_token_for_another_account_links_nothing(op: ScriptedProvider, rp: RelyingParty) -> None:
    started = await start(rp)
    op.change_claims = lambda claims: claims["account_link"].update(account_id="acc_minh")
    with pytest.raises(TokenError, match="another account"):
        await rp.finish(op.agree(started.authorization_url), started)


async def test_rotated_keys_are_not_noticed(op: ScriptedProvider, rp: RelyingParty) -> None:
    started = await start(rp)
    await rp.finish(op.agree(started.authorization_url), started)
    op.signing_key = make_key("op-2")
    op.published.append(op.signing_key)
    op.advance(11)
    started = await start(rp)
    assert (await rp.finish(op.agree(started.authorization_url), started)).subject == "pairwise-lan"


async def test_tokens_are_refreshed_and_userinfo_is_about_the_same_person(
    op: ScriptedProvider, rp: RelyingParty
) -> None:
    tokens = await rp.refresh("rt-0", subject="pairwise-lan")
    assert tokens.refresh_token == "rt-1"
    assert await rp.userinfo(tokens.access_token, subject="pairwise-lan") == {"sub": "pairwise-lan"}
    with pytest.raises(TokenError, match="another person"):
        await rp.userinfo(tokens.access_token, subject="pairwise-minh")
    with pytest.raises(TokenError, match="another person"):
        await rp.refresh("rt-1", subject="pairwise-minh")


async def test_an_ended_link_is_recognised(op: ScriptedProvider, rp: RelyingParty) -> None:
    op.ended = True
    with pytest.raises(GrantRefusedError):
        await rp.refresh("rt-0", subject="pairwise-lan")
    with pytest.raises(GrantRefusedError) as refused:
        await rp.userinfo("at-1", subject="pairwise-lan")
    assert (refused.value.error, refused.value.status) == ("invalid_token", 401)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (httpx.Response(503, text="busy"), ProviderUnavailableError),
        (httpx.Response(200, text="<html>"), ProviderUnavailableError),
        (httpx.Response(201, json=["request_uri"]), ProviderUnavailableError),
        (httpx.Response(201, json={"request_uri": ""}), ProviderUnavailableError),
        (httpx.Response(400, json={"problem": "?"}), ProviderUnavailableError),
        (httpx.Response(400, json={"error": "invalid_request"}), RequestRefusedError),
        (httpx.Response(401, json={"error": "invalid_client"}), RequestRefusedError),
    ],
    ids=["503", "HTML", "list", "empty", "no code", "refused", "client refused"],
)
async def test_a_request_that_cannot_be_pushed(
    rp: RelyingParty,
    response: httpx.Response,
    error: type[Exception],
) -> None:
    transport = httpx.MockTransport(lambda _: response)
    async with httpx.AsyncClient(transport=transport) as http:
        rp._provider = replace(rp._provider, http=http)
        with pytest.raises(error):
            await start(rp)


async def test_an_offline_provider_is_unavailable(op: ScriptedProvider, rp: RelyingParty) -> None:
    op.offline = True
    with pytest.raises(ProviderUnavailableError) as unavailable:
        await start(rp)
    assert "later" in unavailable.value.kind_message


@pytest.mark.parametrize("account_id", ["", "x" * 256])
async def test_an_account_without_a_sensible_id_is_our_own_mistake(rp: RelyingParty, account_id: str) -> None:
    with pytest.raises(ConfigurationError):
        await rp.start_linking(account_id=account_id)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"issuer": "https://id.example/"}, id="Discovery §4.3 another issuer"),
        pytest.param({"issuer": None}, id="Discovery §4.3 no issuer"),
        pytest.param({"authorization_endpoint": "http://id.example/authorize"}, id="endpoint without TLS"),
        pytest.param({"token_endpoint": "https://user@id.example/token"}, id="endpoint with user"),
        pytest.param({"pushed_authorization_request_endpoint": None}, id="RFC 9126 no PAR"),
        pytest.param({"response_types_supported": ["id_token"]}, id="no code flow"),
        pytest.param({"code_challenge_methods_supported": ["plain"]}, id="RFC 7636 only plain"),
        pytest.param(
            {"id_token_signing_alg_values_supported": ["none", "HS256"]}, id="no algorithm we accept"
        ),
        pytest.param({"id_token_signing_alg_values_supported": "ES256"}, id="algorithms are no list"),
        pytest.param({"authorization_response_iss_parameter_supported": False}, id="RFC 9207 no iss"),
    ],
)
async def test_a_provider_that_is_not_good_enough(
    op: ScriptedProvider, http: httpx.AsyncClient, change: dict[str, Any]
) -> None:
    op.change_answer = lambda _, document: document.update(change)
    with pytest.raises(MetadataError):
        await Provider.discover(ISSUER, http)


@pytest.mark.parametrize("issuer", ["http://id.example", "id.example", "ftp://localhost"])
async def test_an_unsafe_issuer_is_our_own_mistake(http: httpx.AsyncClient, issuer: str) -> None:
    with pytest.raises(ConfigurationError):
        await Provider.discover(issuer, http)


async def test_keys_may_be_pem_or_jwk_of_any_good_kind(op: ScriptedProvider, http: httpx.AsyncClient) -> None:
    provider = await Provider.discover(ISSUER, http)
    rsa = RSAKey.generate_key(2048, private=True)
    for material in (
        op.client_key.as_pem(private=True),
        rsa.as_pem(private=True).decode(),
        json.dumps(rsa.as_dict(private=True)),
    ):
        RelyingParty(provider, CLIENT_ID, redirect_uri=REDIRECT_URI, key=material)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"key": make_key("a").as_dict(private=True), "secret": "s"},
        {"key": make_key("a").as_dict(private=False)},
        {"key": "sensitive text"},
        {"key": '{"kty": "EC", "d": "sensitive text"}'},
        {"secret": ""},
        {"secret": "s", "redirect_uri": "http://quancoc.example/callback"},
    ],
    ids=["nothing", "both", "public key", "no key", "broken key", "empty secret", "redirect without TLS"],
)
async def test_unusable_credentials_are_named_without_being_shown(
    http: httpx.AsyncClient, given: dict[str, Any]
) -> None:
    provider = await Provider.discover(ISSUER, http)
    with pytest.raises(ConfigurationError) as wrong:
        RelyingParty(provider, CLIENT_ID, **{"redirect_uri": REDIRECT_URI, **given})
    assert "sensitive" not in str(wrong.value)
    assert wrong.value.__cause__ is None or "sensitive" not in str(wrong.value.__cause__)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"state": 1}', '{"acr_values": []}'])
async def test_a_broken_session_is_our_own_mistake(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Started.from_json(text)


async def test_a_session_with_an_empty_state_is_not_read(rp: RelyingParty) -> None:
    started = await start(rp)
    with pytest.raises(ConfigurationError):
        Started.from_json(replace(started, state="").to_json())
