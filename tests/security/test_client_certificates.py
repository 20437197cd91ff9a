"""Abuse classes 7 and 23: who a certificate makes somebody, and whose word about certificates is believed."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from idp.web.client_certificate import PEER, CertificateSource
from tests.support.certificates import MadeCertificate, make_certificate
from tests.support.platform import Platform
from tests.support.provider import Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

PROXY, STRANGER = "192.0.2.10", "203.0.113.7"
HEADER = "Client-Cert"
AUTHORITY = make_certificate("CN=Authority", is_authority=True)
SUBJECT = "CN=network,O=Test"
ISSUED = make_certificate(SUBJECT, issuer=AUTHORITY)
RENEWED = make_certificate(SUBJECT, issuer=AUTHORITY)
OTHER = make_certificate("CN=other,O=Test", issuer=AUTHORITY)
SELF_SIGNED = make_certificate("CN=self", is_authority=True)

BY_NAME = {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": SUBJECT}
BY_KEY = {"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": {"keys": [SELF_SIGNED.jwk]}}
BOUND = {"tls_client_certificate_bound_access_tokens": True}


@pytest.fixture
def behind_proxy(provider: Provider) -> Provider:
    """The provider as it is configured where a proxy ends TLS and passes certificates on."""
    source = CertificateSource(HEADER, (ip_network("192.0.2.0/28"),), (AUTHORITY.certificate,))
    context = replace(provider.context, certificate_source=source)
    return replace(provider, state={**provider.state, "context": context})


def shown(made: MadeCertificate | None) -> Mapping[str, str]:
    return {} if made is None else {HEADER: made.as_rfc_9440}


async def refresh_or_redeem(
    http: httpx.AsyncClient, platform: Platform, made: MadeCertificate | None, **form: str
) -> httpx.Response:
    fixed = {"client_id": platform.client.client_id, "redirect_uri": platform.client.redirect_uris[0]}
    return await http.post("/token", data=fixed | form, headers=dict(shown(made)))


async def redeem(
    http: httpx.AsyncClient, platform: Platform, code: str, made: MadeCertificate | None
) -> httpx.Response:
    return await refresh_or_redeem(
        http, platform, made, grant_type="authorization_code", code=code, code_verifier=platform.verifier
    )


@pytest.mark.parametrize(
    ("metadata", "good"),
    [(BY_NAME, ISSUED), (BY_NAME, RENEWED), (BY_KEY, SELF_SIGNED)],
    ids=["by name", "by name, renewed", "by key"],
)
async def test_a_client_is_who_its_certificate_says(
    provider: Provider, behind_proxy: Provider, metadata: dict[str, object], good: MadeCertificate
) -> None:
    """RFC 8705 §2.1, §2.2; in both forms that proxies use."""
    platform, person = await new_platform(behind_proxy, metadata), await provider.add_person()
    async with behind_proxy.http(address=PROXY) as http:
        code = await platform.code_for(http, person)
        answer = await redeem(http, platform, code, good)
        assert answer.status_code == 200, answer.text
        form = {"grant_type": "refresh_token", "client_id": platform.client.client_id}
        form["refresh_token"] = answer.json()["refresh_token"]
        as_nginx = {HEADER: good.as_nginx_sends_it}
        assert (await http.post("/token", data=form, headers=as_nginx)).status_code == 200


@pytest.mark.parametrize(
    ("metadata", "bad"),
    [
        pytest.param(BY_NAME, None, id="no certificate"),
        pytest.param(BY_NAME, OTHER, id="another client's, of the same authority"),
        pytest.param(BY_NAME, make_certificate(SUBJECT), id="the name, self-signed"),
        pytest.param(
            BY_NAME, make_certificate(SUBJECT, issuer=SELF_SIGNED), id="the name, by another client"
        ),
        pytest.param(BY_KEY, None, id="no certificate for a key"),
        pytest.param(BY_KEY, ISSUED, id="a good certificate with another key"),
        pytest.param(BY_KEY, make_certificate("CN=self"), id="the right name with another key"),
    ],
)
async def test_a_certificate_that_is_not_the_clients_signs_nobody_in(
    provider: Provider, behind_proxy: Provider, metadata: dict[str, object], bad: MadeCertificate | None
) -> None:
    """CIBA-09, TOK-14."""
    platform, person = await new_platform(behind_proxy, metadata), await provider.add_person()
    async with behind_proxy.http(address=PROXY) as http:
        code = await platform.code_for(http, person)
        answer = await redeem(http, platform, code, bad)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_certificate_out_of_its_time_signs_nobody_in(
    provider: Provider, behind_proxy: Provider
) -> None:
    platform, person = await new_platform(behind_proxy, BY_NAME), await provider.add_person()
    now = behind_proxy.clock.now
    old = make_certificate(SUBJECT, issuer=AUTHORITY, valid_from=now.replace(year=2020), valid_until=now)
    async with behind_proxy.http(address=PROXY) as http:
        code = await platform.code_for(http, person)
        behind_proxy.clock.advance(seconds=1)
        assert (await redeem(http, platform, code, old)).status_code == 401
        assert (await redeem(http, platform, code, ISSUED)).status_code == 200


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"X-Forwarded-For": PROXY},
        {"X-Real-IP": PROXY},
        {"Forwarded": f"for={PROXY}"},
        {"Host": PROXY},
    ],
    ids=str,
)
async def test_a_forged_certificate_header_is_nothing(
    provider: Provider, behind_proxy: Provider, forged: dict[str, str]
) -> None:
    """Certificates are public: whoever could write the header would be every client at once."""
    platform, person = await new_platform(behind_proxy, BY_NAME), await provider.add_person()
    async with behind_proxy.http(address=STRANGER) as http:
        code = await platform.code_for(http, person)
        http.headers.update(forged)
        answer = await redeem(http, platform, code, ISSUED)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_the_address_that_a_header_claims_is_not_the_connections(
    provider: Provider, behind_proxy: Provider
) -> None:
    """The server believes X-Forwarded-For of a proxy; the peer is still the one at the end of the wire."""
    platform, person = await new_platform(behind_proxy, BY_NAME), await provider.add_person()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        peer = dict(scope["headers"]).get(b"test-peer", b"").decode()
        await behind_proxy.asgi({**scope, "extensions": {PEER: {"address": peer}}}, receive, send)

    transport = httpx.ASGITransport(app=app, client=(PROXY, 1))
    async with (
        behind_proxy.http() as browser,
        httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as http,
    ):
        code = await platform.code_for(browser, person)
        http.headers["test-peer"] = STRANGER
        assert (await redeem(http, platform, code, ISSUED)).status_code == 401
        http.headers["test-peer"] = PROXY
        assert (await redeem(http, platform, code, ISSUED)).status_code == 200


async def test_where_no_proxy_is_configured_no_header_counts(provider: Provider) -> None:
    platform, person = await new_platform(provider, BY_KEY), await provider.add_person()
    async with provider.http(address=PROXY) as http:
        code = await platform.code_for(http, person)
        assert (await redeem(http, platform, code, SELF_SIGNED)).status_code == 401


@pytest.mark.parametrize("value", ["", "(null)", "x", "::", "%", ":AAAA:", "é"])
async def test_an_unreadable_header_is_no_certificate(behind_proxy: Provider, value: str) -> None:
    platform = await new_platform(behind_proxy, BY_KEY)
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": platform.client.client_id}
    async with behind_proxy.http(address=PROXY) as http:
        headers = [(HEADER.encode(), value.encode())]
        assert (await http.post("/token", data=form, headers=headers)).status_code == 401
        twice = [(HEADER, SELF_SIGNED.as_rfc_9440), (HEADER, ISSUED.as_rfc_9440)]
        assert (await http.post("/token", data=form, headers=twice)).status_code == 401


async def test_a_stolen_token_is_worth_nothing_without_the_certificate(
    provider: Provider, behind_proxy: Provider
) -> None:
    """UI-09, CIBA-17; RFC 8705 §3: at UserInfo and at refresh."""
    platform = await new_platform(behind_proxy, BY_NAME | BOUND)
    person = await provider.add_person()
    async with behind_proxy.http(address=PROXY) as http:
        code = await platform.code_for(http, person)
        tokens: dict[str, Any] = (await redeem(http, platform, code, ISSUED)).json()
        assert tokens["token_type"] == "Bearer"
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        for made in (None, RENEWED, OTHER, SELF_SIGNED):
            answer = await http.get("/userinfo", headers=bearer | dict(shown(made)))
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
        assert (await http.get("/userinfo", headers=bearer | dict(shown(ISSUED)))).status_code == 200
        as_dpop = {"Authorization": f"DPoP {tokens['access_token']}"}
        assert (await http.get("/userinfo", headers=as_dpop | dict(shown(ISSUED)))).status_code == 401


async def test_a_client_of_bound_tokens_gets_none_without_a_certificate(
    provider: Provider, behind_proxy: Provider
) -> None:
    """TOK-15, TOK-24; signed in by a secret, bound by a certificate of its own choice."""
    platform, person = await new_platform(behind_proxy, BOUND), await provider.add_person()
    async with behind_proxy.http(address=PROXY) as http:
        code = await platform.code_for(http, person)
        refused = await platform.redeem(http, code)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
        code = await platform.code_for(http, person)
        http.headers.update(shown(SELF_SIGNED))
        assert (await platform.redeem(http, code)).status_code == 200
