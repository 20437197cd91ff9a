"""`idp serve` with TLS of its own: what it speaks, whom it asks for a certificate, and whose it takes."""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.operators.conftest import Installation, use_settings
from tests.support.registrations import register
from tests.support.served_tls import TLSProvider, tls_provider, valid_now

AUTHORITY = valid_now("CN=Authority", is_authority=True)
ISSUED = valid_now("CN=network", issuer=AUTHORITY)
SELF_SIGNED = valid_now("CN=self", is_authority=True)
STRANGE = valid_now("CN=strange")

REFRESH = {"grant_type": "refresh_token", "refresh_token": "unknown"}


def described(client_id: str, **metadata: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    fixed = {
        "client_id": client_id,
        "client_name": "Quán Cóc",
        "redirect_uris": [f"https://{client_id}.example/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid",
    }
    return fixed | metadata, {}


BY_NAME = described(
    "by-name", token_endpoint_auth_method="tls_client_auth", tls_client_auth_subject_dn="CN=network"
)
BY_KEY = described(
    "by-key", token_endpoint_auth_method="self_signed_tls_client_auth", jwks={"keys": [SELF_SIGNED.jwk]}
)


@pytest.fixture
def provider(tmp_path: Path, sqlite_url: str) -> Iterator[TLSProvider]:
    running = tls_provider(tmp_path, sqlite_url)
    running.start()
    yield running
    assert running.stop() == 0


def speaking(provider: TLSProvider, **changes: Any) -> ssl.SSLContext:
    context = provider.context()
    for name, value in changes.items():
        setattr(context, name, value)
    return context


def is_refused(provider: TLSProvider, context: ssl.SSLContext) -> bool:
    """Whether the server, and not our own side, ends the handshake."""
    with pytest.raises((ssl.SSLError, ConnectionError)) as ended:
        provider.get("/healthz", context=context)
    return "AVAILABLE" not in str(ended.value)


def test_tls_03_version_1_3_is_what_a_client_of_today_gets(provider: TLSProvider) -> None:
    status, body, version, _, headers = provider.get("/healthz")
    assert (status, json.loads(body), version) == (200, {"status": "ok"}, "TLSv1.3")
    assert headers["date"]
    issuer = json.loads(provider.get("/.well-known/openid-configuration")[1])["issuer"]
    assert issuer == provider.url


def test_tls_02_of_version_1_2_only_ecdhe_with_aes_gcm(provider: TLSProvider) -> None:
    context = speaking(provider, maximum_version=ssl.TLSVersion.TLSv1_2)
    _, _, version, cipher, _ = provider.get("/healthz", context=context)
    assert version == "TLSv1.2"
    assert cipher[0] in {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"}
    for refused in ("ECDHE+CHACHA20", "ECDHE+AES:!AESGCM", "DHE+AESGCM", "AES128-GCM-SHA256", "AES256-SHA"):
        context.set_ciphers(f"{refused}:@SECLEVEL=0")
        assert is_refused(provider, context)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_tls_02_older_versions_are_refused(provider: TLSProvider, version: ssl.TLSVersion) -> None:
    context = provider.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    assert is_refused(provider, context)


def test_plain_http_on_a_tls_port_harms_nobody(provider: TLSProvider) -> None:
    with socket.create_connection(("127.0.0.1", provider.port), timeout=5) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" not in plain.recv(1000)
    assert provider.get("/healthz")[0] == 200


@pytest.fixture
def mutual(tmp_path: Path, sqlite_url: str) -> Iterator[TLSProvider]:
    authorities, _ = AUTHORITY.write(tmp_path, "authorities")
    running = tls_provider(
        tmp_path, sqlite_url, mtls=True, workers=2, settings={"IDP_TLS_CLIENT_CA": str(authorities)}
    )
    register(running, tmp_path, BY_NAME)
    running.start()
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()


def outcome(
    provider: TLSProvider, made: Any, client_id: str, *, mtls: bool = True
) -> tuple[int, str] | type[OSError]:
    """What a client gets that authenticates by its certificate: an answer, or no connection at all."""
    files = None if made is None else made.write(provider.folder, "client")
    form = urlencode(REFRESH | {"client_id": client_id})
    try:
        status, body = provider.post("/token", form, context=provider.context(files), mtls=mtls)
    except OSError:
        return OSError
    return status, json.loads(body)["error"]


def wait_for(expected: object, attempt: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while (found := attempt()) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


SIGNED_IN = (400, "invalid_grant")
NOT_SIGNED_IN = (401, "invalid_client")


def test_clients_prove_themselves_with_certificates(mutual: TLSProvider) -> None:
    """RFC 8705 §2.1, §2.2, §5: in every worker; a client that registers later needs no restart."""
    metadata = json.loads(mutual.get("/.well-known/openid-configuration")[1])
    assert metadata["mtls_endpoint_aliases"]["token_endpoint"] == f"{mutual.mtls_url}/token"
    for _ in range(6):
        assert outcome(mutual, ISSUED, "by-name") == SIGNED_IN
        assert outcome(mutual, None, "by-name") == NOT_SIGNED_IN
    assert outcome(mutual, ISSUED, "by-name", mtls=False) == NOT_SIGNED_IN
    assert outcome(mutual, STRANGE, "by-name") is OSError
    assert outcome(mutual, SELF_SIGNED, "by-key") is OSError

    register(mutual, mutual.folder, BY_KEY)
    wait_for(SIGNED_IN, lambda: outcome(mutual, SELF_SIGNED, "by-key"))
    time.sleep(2.5)
    for _ in range(6):
        assert outcome(mutual, SELF_SIGNED, "by-key") == SIGNED_IN
    assert outcome(mutual, ISSUED, "by-key") == NOT_SIGNED_IN


def test_a_certificate_issued_by_a_client_names_nobody(mutual: TLSProvider) -> None:
    """A registered certificate that could issue others is trusted in the handshake, and for no name."""
    register(mutual, mutual.folder, BY_KEY)
    forged = valid_now("CN=network", issuer=SELF_SIGNED)
    wait_for(SIGNED_IN, lambda: outcome(mutual, SELF_SIGNED, "by-key"))
    time.sleep(2.5)
    assert outcome(mutual, forged, "by-name") == NOT_SIGNED_IN
    assert outcome(mutual, forged, "by-key") == NOT_SIGNED_IN


def refused(installation: Installation, *words: object) -> str:
    return installation.refused("serve", "--port", 0, *words)


def test_what_cannot_be_served_is_told_in_a_sentence(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small_installation.folder
    chain, key = valid_now("CN=localhost").write(folder, "server")
    other_key = valid_now("CN=localhost").write(folder, "other")[1]
    here = ("--tls-cert", chain, "--tls-key", key)
    assert refused(small_installation, *here) == "With --tls-cert, IDP_ISSUER must begin with https://."
    assert refused(small_installation, "--mtls-port", 0) == "--mtls-port needs --tls-cert and --tls-key."
    settings = {
        "IDP_DATABASE_URL": small_installation.database_url,
        "IDP_KEYS_DIR": str(folder / "keys"),
        "IDP_ISSUER": "https://localhost:8000",
    }
    use_settings(monkeypatch, settings)
    assert refused(small_installation, "--tls-cert", chain) == "--tls-cert and --tls-key belong together."
    missing = refused(small_installation, "--tls-cert", folder / "none.pem", "--tls-key", key)
    assert missing == f"There is no file {folder / 'none.pem'}."
    for files in ((chain, other_key), (key, chain), (chain, chain)):
        said = refused(small_installation, "--tls-cert", files[0], "--tls-key", files[1])
        assert said.startswith(f"{files[0]} and {files[1]} are not a certificate and its key in PEM")
    said = refused(small_installation, *here, "--mtls-port", 0)
    assert said == "--mtls-port needs IDP_MTLS_ORIGIN: the address that clients are told."
