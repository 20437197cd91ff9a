"""Abuse class 14: a client that registers itself gets what its token allows, and only about itself."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from anyio import to_thread
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from idp.identity.register import Mode
from idp.protocol.client_metadata import CLIENT_MEMBERS
from idp.protocol.model import ClientStatus
from idp.protocol.profiles import GRANT_TYPES, Profile
from tests.support.key_set_server import key_set_server
from tests.support.protocol_builders import ES256, JWKS, OTHER, public_jwk, sign
from tests.support.provider import ISSUER, Provider, running_provider
from tests.support.registrations_online import (
    METADATA,
    Registered,
    bearer,
    initial_token,
    post,
    refusal,
    register,
)
from tests.support.shared_provider import change_client, new_platform

pytestmark = pytest.mark.anyio

CIBA = "urn:openid:params:grant-type:ciba"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
FAPI2 = {
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": JWKS,
    "dpop_bound_access_tokens": True,
}

ESCALATIONS = [
    pytest.param({"grant_types": ["authorization_code", "refresh_token"]}, id="grant type"),
    pytest.param(
        {
            "grant_types": ["client_credentials"],
            "scope": "account_links.manage",
            "redirect_uris": ["https://self.example/callback"],
        },
        id="acting for itself",
    ),
    pytest.param({"scope": "openid phone"}, id="scope"),
    pytest.param({"token_endpoint_auth_method": "none"}, id="method"),
    pytest.param({"redirect_uris": ["https://evil.example/callback"]}, id="host of a redirect URI"),
    pytest.param({"redirect_uris": ["com.evil.app:/callback"]}, id="an app's address"),
    pytest.param({"redirect_uris": ["http://127.0.0.1/callback"]}, id="a loopback address"),
    pytest.param({"post_logout_redirect_uris": ["https://evil.example/"]}, id="where sign-out leads"),
    pytest.param({"initiate_login_uri": "https://evil.example/"}, id="where sign-in begins"),
    pytest.param({"backchannel_logout_uri": "https://evil.example/"}, id="where logout tokens go"),
    pytest.param({"client_uri": "https://bank.example/"}, id="whose name it bears"),
]
NARROW: dict[str, Any] = {
    "grant_types": frozenset({"authorization_code"}),
    "scopes": frozenset({"openid", "profile"}),
    "authentication_methods": frozenset({"client_secret_basic", "private_key_jwt"}),
    "hosts": frozenset({"self.example"}),
}


@pytest.mark.parametrize("changes", ESCALATIONS)
async def test_a_token_lets_nobody_register_more_than_it_says(
    provider: Provider, changes: dict[str, Any]
) -> None:
    """KC CVE-2026-16102, CVE-2026-9705."""
    async with provider.http() as http:
        token = await initial_token(provider, **NARROW)
        answer = await post(http, token, METADATA | changes)
        assert answer.status_code == 400, answer.text
        assert (await post(http, token, METADATA)).status_code == 201


@pytest.mark.parametrize("changes", ESCALATIONS)
async def test_an_update_lets_nobody_become_more(provider: Provider, changes: dict[str, Any]) -> None:
    """KC CVE-2026-18570, Spring CVE-2026-22752: the policy that let a client in judges what becomes of it."""
    async with provider.http() as http:
        registered = await register(http, provider, **NARROW)
        answer = await http.put(
            registered.uri, json=registered.metadata(**changes), headers=bearer(registered.token)
        )
        assert answer.status_code == 400, answer.text
        shown = await http.get(registered.uri, headers=bearer(registered.token))
        assert shown.json()["redirect_uris"] == METADATA["redirect_uris"], "nothing changed, the token too"


@pytest.mark.parametrize(
    ("policy", "metadata"),
    [
        pytest.param({"authentication_methods": frozenset({"private_key_jwt"})}, {}, id="method by default"),
        pytest.param(
            {"grant_types": frozenset({"client_credentials"})},
            {"scope": "account_links.read"},
            id="grant by default",
        ),
        pytest.param({"profile": Profile.FAPI2}, {}, id="profile without a word"),
        pytest.param(
            {"profile": Profile.FAPI2}, FAPI2 | {"dpop_bound_access_tokens": False}, id="unbound under FAPI"
        ),
        pytest.param(
            {"profile": Profile.FAPI2},
            FAPI2 | {"id_token_signed_response_alg": "RS256"},
            id="RS256 under FAPI",
        ),
    ],
)
async def test_a_policy_is_not_met_by_leaving_something_out(
    provider: Provider, policy: dict[str, Any], metadata: dict[str, Any]
) -> None:
    """KC CVE-2026-15572: what results is judged, defaults and all."""
    async with provider.http() as http:
        answer = await post(http, await initial_token(provider, **policy), METADATA | metadata)
        assert refusal(answer) == (400, "invalid_client_metadata")


async def test_a_registered_fapi_client_stays_one(provider: Provider) -> None:
    async with provider.http() as http:
        registered = await register(http, provider, FAPI2, profile=Profile.FAPI2)
        assert registered.document["require_pushed_authorization_requests"] is True
        assert registered.document["id_token_signed_response_alg"] == "ES256"
        weaker = registered.metadata(token_endpoint_auth_method="client_secret_basic")
        answer = await http.put(registered.uri, json=weaker, headers=bearer(registered.token))
        assert refusal(answer) == (400, "invalid_client_metadata")


async def test_a_token_for_one_client_is_nothing_for_another(provider: Provider) -> None:
    """canaille: the RFC 7592 token is bound to its client, and a foreign one looks like a made-up one."""
    async with provider.http() as http:
        mine, victim = await register(http, provider), await register(http, provider)
        by_operator = await new_platform(provider)
        addresses = (
            victim.uri,
            f"{ISSUER}/register/{by_operator.client.client_id}",
            f"{ISSUER}/register/{'0' * 32}",
            f"{ISSUER}/register/{'x' * 3000}",
        )
        for token in (mine.token, await initial_token(provider), "made-up"):
            said = set()
            for address in addresses:
                for method in ("GET", "DELETE", "PUT"):
                    body = victim.metadata(redirect_uris=["https://evil.example/"])
                    answer = await http.request(method, address, json=body, headers=bearer(token))
                    said.add((answer.status_code, answer.text))
            assert len(said) == 1
            assert said.pop()[0] == 401
        assert (await http.get(victim.uri, headers=bearer(victim.token))).status_code == 200


async def test_neither_kind_of_token_does_for_the_other_nor_stands_in_the_address(provider: Provider) -> None:
    """Abuse class 6."""
    async with provider.http() as http:
        registered = await register(http, provider)
        assert refusal(await post(http, registered.token, METADATA)) == (401, "invalid_token")
        for attempt in (
            await http.get(registered.uri, params={"access_token": registered.token}),
            await http.get(registered.uri, headers={"Authorization": f"Basic {registered.token}"}),
            await http.get(registered.uri),
        ):
            assert refusal(attempt) == (401, "invalid_token")


async def test_a_suspended_client_does_not_change_itself_back(provider: Provider) -> None:
    """Abuse class 17."""
    async with provider.http() as http:
        registered = await register(http, provider)
        await change_client(provider, registered.client_id, status=ClientStatus.SUSPENDED)
        for method in ("GET", "PUT", "DELETE"):
            answer = await http.request(
                method, registered.uri, json=registered.metadata(), headers=bearer(registered.token)
            )
            assert refusal(answer) == (403, "access_denied")


class TestApproval:
    """A human looked at these addresses and this name; another one needs another look."""

    async def approved(self, provider: Provider, metadata: dict[str, Any] | None = None) -> Registered:
        async with provider.http() as http:
            registered = await register(http, provider, metadata)
        await change_client(provider, registered.client_id, is_sandbox=False)
        return registered

    @pytest.mark.parametrize(
        "changes",
        [
            {"redirect_uris": ["https://self.example/callback", "https://self.example/other"]},
            {"client_name": "Ngân hàng"},
            {"logo_uri": "https://self.example/logo.png"},
            {"policy_uri": "https://self.example/privacy"},
            {"scope": "openid"},
            {"token_endpoint_auth_method": "none"},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    async def test_what_was_approved_is_not_changed_alone(
        self, provider: Provider, changes: dict[str, Any]
    ) -> None:
        registered = await self.approved(provider)
        async with provider.http() as http:
            answer = await http.put(
                registered.uri, json=registered.metadata(**changes), headers=bearer(registered.token)
            )
        assert refusal(answer) == (400, "invalid_client_metadata")
        assert next(iter(changes)) in answer.json()["error_description"]

    async def test_keys_and_contacts_are(self, provider: Provider) -> None:
        by_key = {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}
        registered = await self.approved(provider, by_key)
        new_keys = {"keys": [public_jwk(OTHER, "new")]}
        changed = registered.metadata(**by_key | {"jwks": new_keys, "contacts": ["new@self.example"]})
        async with provider.http() as http:
            answer = await http.put(registered.uri, json=changed, headers=bearer(registered.token))
        assert (answer.status_code, answer.json()["jwks"]) == (200, new_keys)
        client = await provider.unit_of_work().clients.find(registered.client_id)
        assert client is not None
        assert not client.client.is_sandbox


class TestSubjectsOfOthers:
    """Abuse case P7: nobody registers into the sector of a network and collects its pairwise subjects."""

    async def sector(self, provider: Provider, **metadata: Any) -> str:
        described = {name: value for name, value in metadata.items() if value is not None}
        async with provider.http() as http:
            token = await initial_token(provider, grant_types=GRANT_TYPES)
            answer = await post(http, token, {"client_name": "X"} | described)
            assert answer.status_code == 201, answer.text
            client = await provider.context.clients.find(answer.json()["client_id"])
        assert client is not None
        return client.sector

    @pytest.mark.parametrize(
        "metadata",
        [
            pytest.param(
                {"redirect_uris": ["https://victim.example/cb", "com.evil.app:/cb"]},
                id="an app gets the rest",
            ),
            pytest.param(
                {"redirect_uris": ["https://victim.example/cb", "http://localhost/cb"]},
                id="a loopback gets the rest",
            ),
            pytest.param({"redirect_uris": ["http://localhost/cb"]}, id="a loopback is everybody's"),
            pytest.param(
                {
                    "redirect_uris": ["https://victim.example/cb"],
                    "grant_types": ["authorization_code", DEVICE],
                },
                id="a device polls",
            ),
            pytest.param(
                {
                    "redirect_uris": ["https://victim.example/cb"],
                    "grant_types": ["authorization_code", CIBA],
                    "backchannel_token_delivery_mode": "poll",
                    "token_endpoint_auth_method": "private_key_jwt",
                    "jwks": JWKS,
                },
                id="a client polls with keys of its own",
            ),
            pytest.param(
                {
                    "redirect_uris": [],
                    "response_types": [],
                    "grant_types": [CIBA],
                    "backchannel_token_delivery_mode": "poll",
                    "token_endpoint_auth_method": "client_secret_basic",
                    "jwks_uri": "https://victim.example/jwks",
                },
                id="keys that prove nothing",
            ),
        ],
    )
    async def test_who_gets_answers_elsewhere_is_a_sector_of_its_own(
        self, provider: Provider, metadata: dict[str, Any]
    ) -> None:
        assert (await self.sector(provider, **metadata)).endswith(".invalid")

    async def test_who_answers_only_to_its_own_host_has_its_sector(self, provider: Provider) -> None:
        assert await self.sector(provider, redirect_uris=["https://own.example/cb"]) == "own.example"
        by_keys = {
            "redirect_uris": [],
            "response_types": [],
            "grant_types": [CIBA],
            "backchannel_token_delivery_mode": "poll",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": "https://own.example/jwks",
        }
        assert await self.sector(provider, **by_keys) == "own.example", "CIBA Core §4"

    async def test_naming_the_list_of_somebody_else_is_not_enough_to_poll(self, provider: Provider) -> None:
        async with provider.http() as http, key_set_server() as served:
            served.body = json.dumps(["https://victim.example/cb"]).encode()
            described = {
                "redirect_uris": ["https://victim.example/cb"],
                "sector_identifier_uri": served.uri,
                "grant_types": ["authorization_code", DEVICE],
            }
            token = await initial_token(provider, grant_types=GRANT_TYPES)
            for method in (
                {},
                {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://e.example/j"},
            ):
                answer = await post(http, token, described | method)
                assert refusal(answer) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    "uri",
    [
        "https://10.0.0.1/sector",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/sector",
        "http://sector.example/list",
        "https://user@sector.example/",
        "file:///etc/passwd",
        "https://localhost:1/",
    ],
)
async def test_abuse_13_no_inner_address_is_read_for_a_sector(provider: Provider, uri: str) -> None:
    """Hydra aa1ee2987; the refusal does not tell what answered inside."""
    async with provider.http() as http:
        described = METADATA | {"sector_identifier_uri": uri}
        answer = await post(http, await initial_token(provider), described)
    assert refusal(answer) == (400, "invalid_client_metadata")
    said = answer.json()["error_description"]
    assert said.startswith("sector_identifier_uri"), said
    assert "refused" not in said.lower()
    assert "timed out" not in said.lower()


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": "302 Found", "headers": {"Location": "http://127.0.0.1:1/"}},
        {"body": b"x" * 300_000},
        {"content_type": "text/html"},
        {"status": "500 Internal Server Error"},
    ],
    ids=["redirect", "10 MiB body", "another media type", "an error"],
)
async def test_abuse_13_a_strange_list_is_none(provider: Provider, trouble: dict[str, Any]) -> None:
    async with provider.http() as http, key_set_server() as served:
        for name, value in trouble.items():
            setattr(served, name, value)
        described = METADATA | {"sector_identifier_uri": served.uri}
        answer = await post(http, await initial_token(provider), described)
    assert refusal(answer) == (400, "invalid_client_metadata")


AUTHORITY = "https://authority.example"


@pytest.fixture(scope="module")
async def trusting(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Provider]:
    """The same database, served by a process that trusts an authority's statements."""
    folder = tmp_path_factory.mktemp("trusting")
    issuers = folder / "issuers.json"
    issuers.write_text(json.dumps({AUTHORITY: {"keys": [public_jwk(ES256, "ec")]}}))
    database = provider.settings.database_url
    async with running_provider(
        database,
        folder,
        keys_dir=provider.settings.keys_dir,
        software_statement_issuers=issuers,
    ) as running:
        running.clock.now = provider.clock.now
        yield running


def statement(**changes: Any) -> str:
    claims = {"iss": AUTHORITY, "client_name": "Ứng dụng đã duyệt", "scope": "openid"} | changes
    headers = claims.pop("headers", None)
    return sign({name: value for name, value in claims.items() if value is not None}, headers=headers)


class TestSoftwareStatements:
    """RFC 7591 §2.3."""

    async def test_its_words_go_before_the_clients(self, trusting: Provider) -> None:
        signed = statement(redirect_uris=["https://approved.example/cb"])
        async with trusting.http() as http:
            registered = await register(http, trusting, {"software_statement": signed})
        document = registered.document
        assert document["software_statement"] == signed
        assert (document["client_name"], document["scope"]) == ("Ứng dụng đã duyệt", "openid")
        assert document["redirect_uris"] == ["https://approved.example/cb"]

    @pytest.mark.parametrize(
        ("sent", "error"),
        [
            (jwt.encode({"iss": AUTHORITY, "scope": "openid"}, None, "none"), "invalid_software_statement"),
            (statement(iss="https://evil.example"), "unapproved_software_statement"),
            (statement(iss=None), "unapproved_software_statement"),
            (
                jwt.encode({"iss": AUTHORITY}, OTHER, "ES256", {"kid": "ec", "jwk": public_jwk(OTHER)}),
                "invalid_software_statement",
            ),
            (jwt.encode({"iss": AUTHORITY}, "s" * 32, "HS256", {"kid": "ec"}), "invalid_software_statement"),
            (statement(exp=1), "invalid_software_statement"),
            (statement(nbf=4102444800), "invalid_software_statement"),
            (statement(aud="https://other.example"), "invalid_software_statement"),
            (statement(headers={"typ": "at+jwt"}), "invalid_software_statement"),
            (statement()[:-4], "invalid_software_statement"),
            ("x", "invalid_software_statement"),
            (7, "invalid_client_metadata"),
        ],
        ids=[
            "alg none", "unknown issuer", "no issuer", "a key it brings along", "HMAC", "expired", "not yet",
            "for another provider", "an access token", "truncated", "no JWT", "a number",
        ],
    )  # fmt: skip
    async def test_nobody_elses_words_count(self, trusting: Provider, sent: object, error: str) -> None:
        """canaille: `none` at the registration endpoint."""
        async with trusting.http() as http:
            answer = await post(http, await initial_token(trusting), METADATA | {"software_statement": sent})
        assert refusal(answer) == (400, error)

    async def test_a_statement_lets_nobody_past_the_policy(self, trusting: Provider) -> None:
        signed = statement(scope="openid phone")
        async with trusting.http() as http:
            token = await initial_token(trusting, scopes=frozenset({"openid"}))
            answer = await post(http, token, METADATA | {"scope": "openid", "software_statement": signed})
        assert refusal(answer) == (400, "invalid_client_metadata")

    async def test_what_a_statement_says_is_not_dropped_by_an_update(self, trusting: Provider) -> None:
        signed = statement(redirect_uris=["https://approved.example/cb"])
        async with trusting.http() as http:
            sent = {"software_statement": signed}
            registered = await register(http, trusting, sent, is_software_statement_required=True)
            bare = registered.metadata(redirect_uris=["https://evil.example/cb"])
            answer = await http.put(registered.uri, json=bare, headers=bearer(registered.token))
            assert refusal(answer) == (400, "invalid_client_metadata")
            answer = await http.put(registered.uri, json=bare | sent, headers=bearer(registered.token))
            assert answer.json()["redirect_uris"] == ["https://approved.example/cb"]


async def test_in_production_a_client_is_nobody_until_it_is_approved(sqlite_url: str, tmp_path: Path) -> None:
    """One rule at every endpoint: page, push and token; the client itself is told why."""
    async with (
        running_provider(sqlite_url, tmp_path, mode=Mode.PRODUCTION, issuer=ISSUER) as provider,
        provider.http() as http,
    ):
        registered = await register(http, provider)
        request = {"client_id": registered.client_id, "redirect_uri": METADATA["redirect_uris"][0]}
        auth = (registered.client_id, registered.document["client_secret"])
        page = await http.get("/authorize", params=request)
        assert (page.status_code, "location" in page.headers) == (403, False)
        assert "chưa được duyệt" in page.text
        for path, form in (
            ("/par", request),
            ("/token", {"grant_type": "authorization_code", "code": "x"}),
            ("/token", {"grant_type": "refresh_token", "refresh_token": "x"}),
            ("/backchannel-authentication", {"login_hint": "x", "scope": "openid"}),
            ("/device-authorization", {"scope": "openid"}),
        ):
            answer = await http.post(path, data=form, auth=auth)
            assert refusal(answer) == (400, "unauthorized_client")
            assert "not yet approved" in answer.json()["error_description"]
            stranger = await http.post(path, data=form, auth=(registered.client_id, "wrong"))
            assert refusal(stranger) == (401, "invalid_client"), "nobody else is told"
        assert (await http.get(registered.uri, headers=bearer(registered.token))).status_code == 200
        await change_client(provider, registered.client_id, is_sandbox=False)
        pushed = await http.post("/par", data=request, auth=auth)
        assert pushed.json()["error"] != "unauthorized_client"


async def test_outside_production_the_page_says_that_it_is_a_test(provider: Provider) -> None:
    """REG-08, too: the network's own documents are a click away, and its remote logo is not fetched."""
    documents = {
        "policy_uri": "https://self.example/privacy",
        "tos_uri": "https://self.example/terms",
        "logo_uri": "https://self.example/logo.png",
    }
    async with provider.http() as http:
        registered = await register(http, provider, documents)
        request = {
            "client_id": registered.client_id,
            "redirect_uri": METADATA["redirect_uris"][0],
            "response_type": "code",
            "scope": "openid",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        }
        begun = await http.get("/authorize", params=request)
        page = (await http.get(begun.headers["location"])).text
    assert 'id="test-client"' in page
    for uri in (documents["policy_uri"], documents["tos_uri"]):
        assert f'href="{uri}"' in page
    assert documents["logo_uri"] not in page


async def test_open_registration_is_a_setting_and_never_in_production(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with (
        running_provider(sqlite_url, tmp_path, open_registration=True) as provider,
        provider.http() as http,
    ):
        answer = await http.post("/register", json=METADATA)
        assert answer.status_code == 201
        registered = Registered(answer.json())
        assert refusal(await post(http, "made-up", METADATA)) == (401, "invalid_token")
        more = registered.metadata(grant_types=["client_credentials"], scope="account_links.read")
        put = await http.put(registered.uri, json=more, headers=bearer(registered.token))
        assert refusal(put) == (400, "invalid_client_metadata")
    with pytest.raises(ValueError, match="for tests alone"):
        async with running_provider(
            sqlite_url, tmp_path, open_registration=True, mode=Mode.PRODUCTION, issuer="https://id.example"
        ):
            pass


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
described = st.dictionaries(st.sampled_from(sorted(CLIENT_MEMBERS)), documents, max_size=4)


async def test_abuse_25_no_metadata_is_a_fault_of_ours(provider: Provider) -> None:
    """Whatever is sent, at either address, the answer is JSON with a registered code, or a registration."""
    drawn: list[dict[str, Any]] = []

    @settings(max_examples=150, derandomize=True, database=None, phases=(Phase.generate,))
    @given(described)
    def draw(metadata: dict[str, Any]) -> None:
        drawn.append(metadata)

    await to_thread.run_sync(draw)
    async with provider.http() as http:
        token = await initial_token(provider, uses=10_000)
        registered = await register(http, provider)
        management = registered.token
        for metadata in drawn:
            answer = await post(http, token, METADATA | metadata)
            assert answer.status_code in {201, 400}, (metadata, answer.text)
            sent = registered.metadata() | metadata | {"client_id": registered.client_id}
            answer = await http.put(registered.uri, json=sent, headers=bearer(management))
            assert answer.status_code in {200, 400}, (metadata, answer.text)
            if answer.status_code == 200:
                management = answer.json()["registration_access_token"]
            else:
                assert answer.json()["error"] in {"invalid_client_metadata", "invalid_redirect_uri"}


async def test_a_token_that_was_revoked_still_judges_those_it_let_in(provider: Provider) -> None:
    async with provider.http() as http:
        token = await initial_token(provider, lifetime=timedelta(hours=1), **NARROW)
        registered = Registered((await post(http, token, METADATA)).json())
        uow = provider.unit_of_work()
        found = await uow.registrations.find_token_by_secret(token)
        assert found is not None
        uow.registrations.revoke_token(found.token_id, provider.clock.now)
        await uow.commit()
        assert refusal(await post(http, token, METADATA)) == (401, "invalid_token")
        same = await http.put(registered.uri, json=registered.metadata(), headers=bearer(registered.token))
        assert same.status_code == 200
        more = registered.metadata(scope="openid phone")
        now_bearer = bearer(same.json()["registration_access_token"])
        assert (await http.put(registered.uri, json=more, headers=now_bearer)).status_code == 400
