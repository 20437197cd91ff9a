"""TLS: the wire below HTTP, the clock, the way out, the pages, and what is there for tests alone."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from idp.identity.register import Mode
from idp.outbound.addresses import OutboundRefusedError
from idp.outbound.guarded_http import GuardedHTTP
from idp.settings import Settings
from tests.support.columns import Column
from tests.support.databases import joined_test_run, sqlite_database
from tests.support.key_set_server import key_set_server
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.served_here import ServedHere
from tests.support.served_tls import TLSProvider, tls_provider

WEAK_SUITES = ["ECDHE+CHACHA20", "ECDHE+AES:!AESGCM", "DHE+AESGCM", "AES128-GCM-SHA256", "AES256-SHA"]


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TLSProvider]:
    """Give `idp serve --tls-cert …` as it is when nothing else is set."""
    folder = tmp_path_factory.mktemp("tls")
    with sqlite_database(joined_test_run(), folder) as url:
        provider = tls_provider(folder, url)
        provider.start()
        yield provider
        provider.stop()


def speaking(tls: TLSProvider, version: ssl.TLSVersion, suites: str | None = None) -> ssl.SSLContext:
    context = tls.context()
    if suites is not None:
        context.set_ciphers(f"{suites}:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.item("TLS-01")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_01_both_versions_of_today_are_spoken(
    tls: TLSProvider, column: Column, version: ssl.TLSVersion
) -> None:
    status, *_ = tls.get("/.well-known/openid-configuration", context=speaking(tls, version))
    assert status == 200


@pytest.mark.item("TLS-02")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_tls_02_older_versions_are_refused(tls: TLSProvider, column: Column, version: ssl.TLSVersion) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        tls.get("/healthz", context=speaking(tls, version, "ALL"))


@pytest.mark.item("TLS-02")
def test_tls_02_weaker_suites_are_refused(tls: TLSProvider, column: Column) -> None:
    for suites in WEAK_SUITES:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            tls.get("/healthz", context=speaking(tls, ssl.TLSVersion.TLSv1_2, suites))
    *_, cipher, _ = tls.get("/healthz", context=speaking(tls, ssl.TLSVersion.TLSv1_2))
    assert "ECDHE" in cipher[0]
    assert "GCM" in cipher[0]


@pytest.mark.item("TLS-03")
def test_tls_03_version_1_3_is_preferred(tls: TLSProvider, column: Column) -> None:
    assert tls.get("/healthz")[2] == "TLSv1.3"


@pytest.mark.item("TLS-04")
def test_tls_04_the_clock_is_that_of_the_machine(tls: TLSProvider, column: Column) -> None:
    told = parsedate_to_datetime(tls.get("/healthz")[4]["date"])
    assert abs((datetime.now(UTC) - told).total_seconds()) <= 5


@pytest.mark.item("TLS-05")
def test_tls_05_this_machine_is_reached_where_the_settings_say_so_alone(
    op: ServedHere, column: Column
) -> None:
    async def fetched(uri: str, *, allow_loopback: bool) -> bytes:
        http = GuardedHTTP(allow_loopback=allow_loopback)
        try:
            return await http.get_json(uri)
        finally:
            await http.close()

    with op.open(key_set_server()) as served:
        assert op.run(fetched(served.uri, allow_loopback=True)) == b'{"keys": []}'
        with pytest.raises(OutboundRefusedError):
            op.run(fetched(served.uri, allow_loopback=False))
        assert served.calls == 1
    assert not Settings(mode=Mode.PRODUCTION, issuer="https://idp.example").may_fetch_loopback


@pytest.mark.item("TLS-06")
def test_tls_06_pages_are_plain_forms_with_stable_ids(
    op: ServedHere, party: Party, person: Person, column: Column
) -> None:
    browser = op.browser()
    opened = browser.get("/authorize", params=party.front())
    while opened.is_redirect:
        opened = browser.get(opened.headers["location"])
    for part in ('<form id="sign-in" method="post"', 'id="identifier"', 'id="password"', 'type="submit"'):
        assert part in opened.text


@pytest.mark.item("TLS-06", columns=["basic"])
def test_tls_06_a_page_says_which_address_was_wrong(party: Party, column: Column) -> None:
    strange = party.request(redirect_uri="https://rp.example/elsewhere")
    response = party.back.get("/authorize", params=strange)
    assert response.status_code == 400
    assert "redirect_uri" in response.text


@pytest.mark.item("TLS-06", columns=["fapi2"])
def test_tls_06_a_page_says_that_a_request_is_not_known(party: Party, column: Column) -> None:
    unknown = {"client_id": party.client_id, "request_uri": "urn:ietf:params:oauth:request_uri:unknown"}
    response = party.back.get("/authorize", params=unknown)
    assert response.status_code == 400
    assert "request_uri" in response.text


@pytest.mark.item("TLS-07")
def test_tls_07_what_is_for_tests_is_off_and_stays_off_in_production(
    tls: TLSProvider, column: Column
) -> None:
    assert tls.get("/automated-approval")[0] == 404
    with pytest.raises(ValueError, match="automated_approvals"):
        Settings(mode=Mode.PRODUCTION, issuer="https://idp.example", automated_approvals=True)
