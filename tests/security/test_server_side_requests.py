"""Abuse class 13: we call what a client registered, never what a request names, and no inner address."""

from dataclasses import replace
from pathlib import Path

import pytest

from idp.identity.register import Mode
from idp.outbound.addresses import OutboundRefusedError
from idp.outbound.guarded_http import GuardedHTTP
from idp.protocol.client_metadata import InvalidClientMetadataError
from tests.support.decoupled import answer_newest, ciba_platform, known_person
from tests.support.deliveries import work_off, world_of
from tests.support.key_set_server import key_set_server
from tests.support.platform import query_of
from tests.support.protocol_builders import ES256, public_jwk, sign
from tests.support.provider import Provider, running_provider
from tests.support.receiver import receiver
from tests.support.shared_provider import change_client, new_platform

pytestmark = pytest.mark.anyio

INNER = (
    "https://127.0.0.1/jwks",
    "https://[::1]/jwks",
    "https://localhost/jwks",
    "https://10.0.0.1/jwks",
    "https://192.168.1.1/jwks",
    "https://172.16.0.1/jwks",
    "https://169.254.169.254/latest/meta-data",
    "https://[fe80::1]/jwks",
    "https://[fd00::1]/jwks",
    "https://[::ffff:127.0.0.1]/jwks",
    "https://[::ffff:10.0.0.1]/jwks",
    "https://0.0.0.0/jwks",
    "https://100.64.0.1/jwks",
    "http://93.184.216.34/jwks",
    "https://2130706433/jwks",
    "https://0x7f000001/jwks",
    "ftp://93.184.216.34/jwks",
)


@pytest.mark.parametrize("uri", INNER)
async def test_no_inner_address_is_called(uri: str) -> None:
    """CVE-2026-4366, CVE-2026-55671: checked when the connection is made, however it is spelt."""
    http = GuardedHTTP(allow_loopback=False)
    with pytest.raises(OutboundRefusedError):
        await http.get_json(uri)
    await http.close()


async def test_a_platform_on_the_loopback_is_not_called_in_production(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with (
        running_provider(sqlite_url, tmp_path, mode=Mode.PRODUCTION, issuer="https://id.example") as provider,
        key_set_server(public_jwk(ES256, "ec")) as served,
    ):
        metadata = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": served.uri}
        platform = await new_platform(provider, metadata)
        client_id, now = platform.client.client_id, int(provider.clock.now.timestamp())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": "https://id.example",
            "jti": "1",
            "exp": now + 60,
        }
        proof = {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": sign(claims),
        }
        async with provider.http() as http:
            answer = await http.post("/par", data=platform.request() | proof)
    assert (answer.status_code, answer.json()["error"], served.calls) == (401, "invalid_client", 0)


async def test_nothing_that_a_request_names_is_called(provider: Provider) -> None:
    """CVE-2026-27945: request_uri, logo, sector; keys in a header are covered by the token attacks."""
    async with key_set_server() as served:
        platform = await new_platform(provider)
        async with provider.http() as http:
            for name in ("request_uri", "logo_uri", "sector_identifier_uri", "jwks_uri", "policy_uri"):
                answer = await http.get("/authorize", params=platform.request(**{name: served.uri}))
                assert answer.status_code == 303
            named = await http.get("/authorize", params=platform.request(request_uri=served.uri))
        assert query_of(named.headers["location"])["error"] == "request_uri_not_supported"
        assert served.calls == 0


@pytest.mark.parametrize("uri", INNER[6::3])
async def test_no_inner_address_is_pinged(provider: Provider, uri: str) -> None:
    """CIBA, KC CVE-2026-4874: whatever stands in a registration, it is looked at when it is called."""
    async with receiver() as listening, provider.http() as http, provider.http() as phone:
        ciba = await ciba_platform(
            provider,
            {
                "backchannel_token_delivery_mode": "ping",
                "backchannel_client_notification_endpoint": listening.uri,
            },
        )
        person = await known_person(ciba, has_totp=False)
        await ciba.asked(http, person)
        await change_client(provider, ciba.client_id, backchannel_client_notification_endpoint=uri)
        await answer_newest(provider, phone, person, "deny")
        guarded = GuardedHTTP(allow_loopback=False)
        async with world_of(provider) as world:
            await work_off(replace(world, http=guarded))
        await guarded.close()
        (delivery,) = await provider.unit_of_work().outbox_overview.page(client_id=ciba.client_id)
    assert (delivery.delivered_at, delivery.attempts, listening.received) == (None, 1, [])
    assert delivery.last_failure is not None


async def test_a_receiver_that_redirects_leads_us_nowhere(provider: Provider) -> None:
    """KC CVE-2026-4366: the ping goes where it was registered to go, and not where that points."""
    async with (
        receiver() as listening,
        receiver() as inner,
        provider.http() as http,
        provider.http() as phone,
    ):
        listening.status, listening.headers = "302 Found", {"Location": inner.uri}
        ciba = await ciba_platform(
            provider,
            {
                "backchannel_token_delivery_mode": "ping",
                "backchannel_client_notification_endpoint": listening.uri,
            },
        )
        person = await known_person(ciba, has_totp=False)
        await ciba.asked(http, person)
        await answer_newest(provider, phone, person)
        async with world_of(provider) as world:
            await work_off(world)
    assert (len(listening.received), inner.received) == (1, [])


@pytest.mark.parametrize(
    "member", ["jwks_uri", "backchannel_client_notification_endpoint", "sector_identifier_uri"]
)
@pytest.mark.parametrize(
    "uri", ["http://10.0.0.1/x", "ftp://net.example/x", "https://u:p@net.example/x", "file:///etc/passwd"]
)
async def test_no_address_of_another_kind_is_registered(provider: Provider, member: str, uri: str) -> None:
    """ZIT CVE-2026-27945: what cannot be called is told when it is registered."""
    with pytest.raises(InvalidClientMetadataError):
        await new_platform(provider, {member: uri, "token_endpoint_auth_method": "private_key_jwt"})
