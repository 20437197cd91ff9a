"""The real server with TLS of its own, and clients that speak TLS as they like."""

import http.client
import ssl
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509

from tests.support.certificates import MadeCertificate, make_certificate
from tests.support.postgresql import free_port
from tests.support.served import ServedProvider

PROGRAM = (sys.executable, "-c", "from idp.operators.cli import main; main()", "serve")
LOCALHOST = (x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")))


def valid_now(subject: str, **options: Any) -> MadeCertificate:
    """A certificate for a real clock."""
    now = datetime.now(UTC)
    span = {"valid_from": now - timedelta(days=1), "valid_until": now + timedelta(days=30)}
    return make_certificate(subject, **(span | options))


@dataclass(slots=True)
class TLSProvider(ServedProvider):
    """A provider at https://localhost:port, and perhaps at an address for mutual TLS."""

    mtls_port: int | None = None
    ca_file: Path = field(init=False)

    def __post_init__(self) -> None:
        made = valid_now("CN=localhost", san=LOCALHOST)
        self.ca_file, key = made.write(self.folder, "server")
        self.program = (*PROGRAM, "--tls-cert", self.ca_file, "--tls-key", key)
        if self.mtls_port is not None:
            self.program = (*self.program, "--mtls-port", str(self.mtls_port))
            self.settings = {"IDP_MTLS_ORIGIN": self.mtls_url, **self.settings}

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def mtls_url(self) -> str:
        return f"https://localhost:{self.mtls_port}"

    def is_ready(self) -> bool:
        try:
            return self.get(self.ready_path)[0] == 200
        except OSError:
            return False

    def context(self, client: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """What a careful client uses; `client` is its certificate and key."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        if client is not None:
            context.load_cert_chain(*client)
        return context

    def get(self, path: str, *, port: int | None = None, context: ssl.SSLContext | None = None) -> Any:
        """Return status, body and connection details of one request."""
        connection = http.client.HTTPSConnection(
            "localhost", port or self.port, context=context or self.context(), timeout=10
        )
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            tls = connection.sock
            assert isinstance(tls, ssl.SSLSocket)
            return answer.status, answer.read(), tls.version(), tls.cipher(), dict(answer.getheaders())
        finally:
            connection.close()

    def post(
        self, path: str, form: str, *, context: ssl.SSLContext | None = None, mtls: bool = True
    ) -> tuple[int, bytes]:
        """Send a form to the listener for mutual TLS, or to the other."""
        port = self.mtls_port if mtls else self.port
        connection = http.client.HTTPSConnection(
            "localhost", port, context=context or self.context(), timeout=10
        )
        try:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, form, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def tls_provider(folder: Path, database_url: str, *, mtls: bool = False, **options: Any) -> TLSProvider:
    return TLSProvider(folder, database_url, mtls_port=free_port() if mtls else None, **options)
