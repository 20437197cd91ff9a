"""Registration by the client itself: RFC 7591, RFC 7592, OpenID Connect Registration; checklist REG."""

import asyncio
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from idp.protocol.profiles import GRANT_TYPES, Profile
from tests.support.key_set_server import key_set_server
from tests.support.platform import Platform
from tests.support.protocol_builders import JWKS
from tests.support.provider import ISSUER, Provider
from tests.support.registrations_online import (
    METADATA,
    bearer,
    initial_token,
    post,
    refusal,
    register,
)

pytestmark = pytest.mark.anyio


async def test_reg_01_and_reg_02_a_client_registers_and_reads_itself(provider: Provider) -> None:
    async with provider.http() as http:
        token = await initial_token(provider)
        answer = await post(http, token, METADATA)
        assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
        assert answer.headers["cache-control"] == "no-store"
        document = answer.json()
        assert document["client_secret_expires_at"] == 0
        assert document["client_id_issued_at"] == int(provider.clock.now.timestamp())
        assert document["registration_client_uri"] == f"{ISSUER}/register/{document['client_id']}"
        current = await http.get(
            document["registration_client_uri"], headers=bearer(document["registration_access_token"])
        )
        shown = {name: value for name, value in document.items() if not name.startswith("client_secret")}
        assert (current.status_code, current.json()) == (200, shown), "of a secret only a hash is kept"


async def test_reg_01_defaults_are_told(provider: Provider) -> None:
    """RFC 7591 §2, §3.2.1; OpenID Registration §2."""
    async with provider.http() as http:
        document = (await register(http, provider)).document
    assert METADATA.items() <= document.items()
    told = {
        "application_type": "web",
        "grant_types": ["authorization_code"],
        "id_token_signed_response_alg": "RS256",
        "response_types": ["code"],
        "scope": "address email openid phone profile",
        "subject_type": "pairwise",
        "token_endpoint_auth_method": "client_secret_basic",
    }
    assert told.items() <= document.items()


async def test_what_is_registered_signs_people_in(provider: Provider) -> None:
    async with provider.http() as http:
        registered = await register(http, provider)
        client = await provider.context.clients.find(registered.client_id)
        assert client is not None
        platform, person = Platform(provider, client), await provider.add_person()
        code = await platform.code_for(http, person, None)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uris[0],
            "code_verifier": platform.verifier,
        }
        auth = (registered.client_id, registered.document["client_secret"])
        answer = await http.post("/token", data=form, auth=auth)
    assert answer.status_code == 200, answer.text


async def test_reg_03_a_client_that_is_deleted_is_refused_everywhere(provider: Provider) -> None:
    """RFC 7592 §2.3."""
    async with provider.http() as http:
        registered = await register(http, provider)
        gone = await http.delete(registered.uri, headers=bearer(registered.token))
        assert (gone.status_code, gone.content) == (204, b"")
        for call in (http.get, http.delete):
            assert refusal(await call(registered.uri, headers=bearer(registered.token))) == (
                401,
                "invalid_token",
            )
        await provider.context.clients.refresh()
        auth = (registered.client_id, registered.document["client_secret"])
        pushed = await http.post("/par", data={"client_id": registered.client_id}, auth=auth)
        assert refusal(pushed) == (401, "invalid_client")
        page = await http.get("/authorize", params={"client_id": registered.client_id})
        assert page.status_code == 403


async def test_reg_04_an_initial_access_token_is_needed(provider: Provider) -> None:
    async with provider.http() as http:
        nobody = await http.post("/register", json=METADATA)
        assert refusal(nobody) == (401, "invalid_token")
        assert nobody.headers["www-authenticate"].startswith("Bearer")
        token = await initial_token(provider, uses=2)
        for wrong in ("x" * 43, token[:-1], f"{token}é"):
            headers = {b"Authorization": f"Bearer {wrong}".encode()}
            assert refusal(await http.post("/register", json=METADATA, headers=headers)) == (
                401,
                "invalid_token",
            )
        assert (await post(http, token, METADATA)).status_code == 201
        assert refusal(await post(http, token, {"redirect_uris": []}))[0] == 400
        assert (await post(http, token, METADATA)).status_code == 201, "what is refused uses nothing up"
        assert refusal(await post(http, token, METADATA)) == (401, "invalid_token")


async def test_reg_04_a_token_is_over_when_it_says_so(provider: Provider) -> None:
    async with provider.http() as http:
        token = await initial_token(provider, lifetime=timedelta(minutes=5))
        provider.clock.advance(minutes=5)
        assert refusal(await post(http, token, METADATA)) == (401, "invalid_token")


async def test_one_use_lets_one_in_however_many_come_at_once(provider: Provider) -> None:
    """Abuse class 5: uses are counted by an atomic gate."""
    token = await initial_token(provider, uses=3)
    async with provider.http() as http:
        answers = await asyncio.gather(*(post(http, token, METADATA) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [401] * 9


async def test_reg_05_to_reg_06_addresses(provider: Provider) -> None:
    async with provider.http() as http:
        token = await initial_token(provider)
        fragment = await post(http, token, METADATA | {"redirect_uris": ["https://self.example/#x"]})
        assert refusal(fragment) == (400, "invalid_redirect_uri")
        started = await register(http, provider, {"initiate_login_uri": "https://self.example/start"})
        shown = await http.get(started.uri, headers=bearer(started.token))
        for document in (started.document, shown.json()):
            assert document["initiate_login_uri"] == "https://self.example/start"
        plain = await post(http, token, METADATA | {"initiate_login_uri": "http://self.example/start"})
        assert refusal(plain) == (400, "invalid_client_metadata")


ECHOED: dict[str, Any] = {
    "contacts": ["ops@self.example"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "jwks": JWKS,
    "id_token_signed_response_alg": "ES256",
    "userinfo_signed_response_alg": "RS256",
    "post_logout_redirect_uris": ["https://self.example/bye"],
    "backchannel_logout_uri": "https://self.example/logout",
    "backchannel_logout_session_required": True,
    "policy_uri": "https://self.example/privacy",
    "tos_uri": "https://self.example/terms",
    "logo_uri": "https://self.example/logo.png",
    "client_uri": "https://self.example/",
    "software_id": "4NRB1-0XZABZI9E6-5SM3R",
    "default_max_age": 0,
    "default_acr_values": ["vn-2"],
}


DEFAULTED = {
    "grant_types",
    "response_types",
    "id_token_signed_response_alg",
    "backchannel_logout_session_required",
}
"""Of these, what a client has that says nothing of them."""


async def test_reg_07_reg_10_reg_11_what_is_understood_comes_back_as_it_was_sent(provider: Provider) -> None:
    async with provider.http() as http:
        document = (await register(http, provider, ECHOED)).document
        assert ECHOED.items() <= document.items()
        address = {"jwks_uri": "https://self.example/jwks", "token_endpoint_auth_method": "private_key_jwt"}
        by_address = (await register(http, provider, address)).document
        assert (by_address["jwks_uri"], "client_secret" in by_address) == ("https://self.example/jwks", False)


async def test_what_is_not_understood_is_ignored(provider: Provider) -> None:
    """RFC 7591 §2; REG-10, REG-11: request_uris and front-channel logout are not offered."""
    strange = {
        "request_uris": ["https://self.example/request"],
        "frontchannel_logout_uri": "https://self.example/front",
        "frontchannel_logout_session_required": True,
        "client_name#vi": "Quán Tự Mở",
        "client_secret": "chosen-by-the-client",
        "profile": "fapi2",
        "is_sandbox": False,
        "introspects": ["/account-links"],
        "sector": "victim.example",
        "tos_uri": None,
    }
    async with provider.http() as http:
        registered = await register(http, provider, strange)
        client = await provider.context.clients.find(registered.client_id)
    assert client is not None
    assert strange.keys() & registered.document.keys() == {"client_secret"}
    assert registered.document["client_secret"] != "chosen-by-the-client"
    assert (client.profile, client.is_sandbox, client.introspects) == (Profile.OIDC, True, frozenset())
    assert client.sector == "self.example"


async def test_a_level_may_be_named_as_the_metadata_names_it(provider: Provider) -> None:
    async with provider.http() as http:
        document = (await register(http, provider, {"default_acr_values": [f"{ISSUER}/acr/vn-2"]})).document
    assert document["default_acr_values"] == ["vn-2"]


async def test_reg_12_a_ciba_client_needs_no_redirect_uri(provider: Provider) -> None:
    ciba = {
        "redirect_uris": None,
        "response_types": [],
        "grant_types": ["urn:openid:params:grant-type:ciba"],
        "backchannel_token_delivery_mode": "ping",
        "backchannel_client_notification_endpoint": "https://self.example/approved",
        "backchannel_authentication_request_signing_alg": "ES256",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": JWKS,
        "scope": "openid",
        "dpop_bound_access_tokens": True,
    }
    async with provider.http() as http:
        policy = {"profile": Profile.CIBA, "grant_types": GRANT_TYPES}
        document = (await register(http, provider, ciba, **policy)).document
    kept = {name: value for name, value in ciba.items() if value not in (None, [])}
    assert kept.items() <= document.items()
    assert (document["redirect_uris"], document["response_types"]) == ([], [])


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b"{", "application/json", "invalid_client_metadata"),
        (b"[]", "application/json", "invalid_client_metadata"),
        (
            b'{"redirect_uris":[],"redirect_uris":["https://a.example"]}',
            "application/json",
            "invalid_client_metadata",
        ),
        (b"\xff", "application/json", "invalid_client_metadata"),
        (b"redirect_uris=x", "application/x-www-form-urlencoded", "invalid_client_metadata"),
        (b'"' + b"x" * 70_000, "application/json", "invalid_request"),
    ],
    ids=["broken", "array", "member twice", "not UTF-8", "a form", "too large"],
)
async def test_a_body_that_is_no_json_object_is_refused(
    provider: Provider, body: bytes, content_type: str, error: str
) -> None:
    async with provider.http() as http:
        headers = bearer(await initial_token(provider)) | {"Content-Type": content_type}
        answer = await http.post("/register", content=body, headers=headers)
    assert refusal(answer) == (400, error)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"redirect_uris": None}, "redirect_uris must be"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg must be"),
        ({"grant_types": ["implicit"]}, "grant_types must hold only"),
        ({"response_types": ["code id_token"]}, "response_types must hold only"),
        ({"subject_type": "public"}, "subject_type must be pairwise"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, "jwks is refused"),
        ({"client_name": "a\nb“"}, "client_name must be 1 to 100 visible characters"),
        ({"scope": 'openid "quoted"\\'}, "scope has no value"),
        (
            {"redirect_uris": ["https://a.example/", "https://b.example/"]},
            "sector_identifier_uri is needed: redirect_uris have the hosts a.example, b.example",
        ),
        ({"client_uri": "https://bank.example/"}, "client_uri must be at a host of the redirect URIs"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_a_refusal_says_what_to_mend(provider: Provider, changes: dict[str, Any], told: str) -> None:
    """RFC 7591 §3.2.2; RFC 6749 §5.2 has the description be ASCII without quotes."""
    described = {name: value for name, value in (METADATA | changes).items() if value is not None}
    async with provider.http() as http:
        answer = await post(http, await initial_token(provider), described)
    assert answer.status_code == 400
    assert told in answer.json()["error_description"]
    assert set(answer.json()["error_description"]) <= {chr(c) for c in range(0x20, 0x7F)} - set('"\\')


SEVERAL = ["https://a.self.example/cb", "https://b.self.example/cb"]


class TestSector:
    """REG-09, OpenID Registration §5."""

    async def test_a_list_of_all_redirect_uris_makes_them_one_sector(self, provider: Provider) -> None:
        async with provider.http() as http, key_set_server() as served:
            served.body = json.dumps([*SEVERAL, "https://c.self.example/cb"]).encode()
            registered = await register(
                http, provider, {"redirect_uris": SEVERAL, "sector_identifier_uri": served.uri}
            )
            client = await provider.context.clients.find(registered.client_id)
        assert client is not None
        assert (client.sector, registered.document["sector_identifier_uri"]) == ("127.0.0.1", served.uri)

    @pytest.mark.parametrize(
        "body",
        [b'["https://a.self.example/cb"]', b"[]", b"{}", b"not json", b'["https://a.self.example/cb", 7]'],
    )
    async def test_a_list_that_lacks_one_does_not(self, provider: Provider, body: bytes) -> None:
        async with provider.http() as http, key_set_server() as served:
            served.body = body
            described = METADATA | {"redirect_uris": SEVERAL, "sector_identifier_uri": served.uri}
            answer = await post(http, await initial_token(provider), described)
        assert refusal(answer) == (400, "invalid_client_metadata")

    async def test_it_is_held_against_the_list_again_when_it_changes(self, provider: Provider) -> None:
        async with provider.http() as http, key_set_server() as served:
            served.body = json.dumps(METADATA["redirect_uris"]).encode()
            sector = {"sector_identifier_uri": served.uri}
            registered = await register(http, provider, sector)
            changed = registered.metadata(redirect_uris=["https://other.example/cb"], **sector)
            answer = await http.put(registered.uri, json=changed, headers=bearer(registered.token))
            assert refusal(answer) == (400, "invalid_client_metadata")
            same = registered.metadata(contacts=["new@self.example"], **sector)
            answer = await http.put(registered.uri, json=same, headers=bearer(registered.token))
        assert (answer.status_code, served.calls) == (200, 2), "a list is not fetched for nothing"


class TestUpdate:
    """RFC 7592 §2.2."""

    async def test_it_replaces_everything_and_the_token(self, provider: Provider) -> None:
        async with provider.http() as http:
            registered = await register(http, provider, ECHOED)
            changed = registered.metadata(client_name="Quán Khác")
            answer = await http.put(registered.uri, json=changed, headers=bearer(registered.token))
            assert answer.status_code == 200, answer.text
            document = answer.json()
            assert document["client_name"] == "Quán Khác"
            assert ECHOED.keys() & document.keys() == DEFAULTED, "what is left out is not kept"
            assert document["grant_types"] == ["authorization_code"]
            assert "client_secret" not in document, "it stays as it is"
            old = await http.get(registered.uri, headers=bearer(registered.token))
            assert refusal(old) == (401, "invalid_token")
            new = await http.get(registered.uri, headers=bearer(document["registration_access_token"]))
            assert new.json() == document
            await provider.context.clients.refresh()
            auth = (registered.client_id, registered.document["client_secret"])
            pushed = await http.post("/par", data={"client_id": registered.client_id}, auth=auth)
            assert pushed.json()["error"] != "invalid_client", "the secret still proves it"

    async def test_it_names_its_client_and_no_other_secret(self, provider: Provider) -> None:
        async with provider.http() as http:
            registered, other = [await register(http, provider) for _ in range(2)]
            for wrong in (
                {"client_id": other.client_id},
                {"client_id": None},
                {"client_secret": "made up"},
                {"client_secret": 7},
            ):
                answer = await http.put(
                    registered.uri, json=registered.metadata(**wrong), headers=bearer(registered.token)
                )
                assert refusal(answer) == (400, "invalid_client_metadata"), wrong
            right = registered.metadata(client_secret=registered.document["client_secret"])
            answer = await http.put(registered.uri, json=right, headers=bearer(registered.token))
            assert answer.status_code == 200

    async def test_a_method_that_needs_a_secret_brings_one(self, provider: Provider) -> None:
        async with provider.http() as http:
            registered = await register(http, provider, {"token_endpoint_auth_method": "none"})
            assert "client_secret" not in registered.document
            changed = registered.metadata(token_endpoint_auth_method="client_secret_jwt")
            answer = await http.put(registered.uri, json=changed, headers=bearer(registered.token))
            assert (answer.status_code, answer.json()["client_secret_expires_at"]) == (200, 0)
            stored = await provider.unit_of_work().clients.find(registered.client_id)
        assert stored is not None
        (kept,) = stored.client.secrets
        assert kept.sealed is not None
        assert kept.sha256 == hashlib.sha256(answer.json()["client_secret"].encode()).digest()

    async def test_two_at_once_change_it_once(self, provider: Provider) -> None:
        """Abuse class 5."""
        async with provider.http() as http:
            registered = await register(http, provider)
            answers = await asyncio.gather(
                *(
                    http.put(
                        registered.uri,
                        json=registered.metadata(client_name=f"Quán {n}"),
                        headers=bearer(registered.token),
                    )
                    for n in range(6)
                )
            )
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5


async def test_registering_is_told_to_the_audit_log_and_no_secret_is(provider: Provider) -> None:
    async with provider.http() as http:
        registered = await register(http, provider)
        await http.put(registered.uri, json=registered.metadata(), headers=bearer(registered.token))
    events = [
        sealed
        for sealed in await provider.unit_of_work().ledger.unsealed(10_000)
        if sealed.client_id == registered.client_id
    ]
    assert sorted(event.type for event in events) == ["client:registered", "client:updated"]
    assert {event.actor_id for event in events} == {registered.client_id}
    assert provider.settings.log_file is not None
    provider.context.log.flush()
    log = provider.settings.log_file.read_text()
    for secret in (registered.token, registered.document["client_secret"]):
        assert secret not in str(events) + log
