"""Certificates that a test signs itself: one for a server on localhost, and those of clients."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support.protocol_builders import base64url, public_jwk

NOT_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
LIFETIME = timedelta(days=30 * 365)


@dataclass(frozen=True)
class SelfSigned:
    """A key and the certificate that it signed for itself."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def escaped(self) -> str:
        """The certificate as nginx passes it in a header: $ssl_client_escaped_cert."""
        return quote(self.pem.decode(), safe="")

    @cached_property
    def x5t_s256(self) -> str:
        """RFC 8705 §3.1."""
        return base64url(self.certificate.fingerprint(hashes.SHA256()))

    @property
    def jwk(self) -> dict[str, object]:
        """The key as a client registers it for self_signed_tls_client_auth (RFC 8705 §2.2.2)."""
        der = self.certificate.public_bytes(Encoding.DER)
        return {**public_jwk(self.key), "kid": self.x5t_s256, "x5c": [base64.b64encode(der).decode()]}


def self_signed(name: str, *hosts: str) -> SelfSigned:
    """Make a certificate whose subject is CN=name, for the hosts."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_BEFORE + LIFETIME)
    )
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return SelfSigned(key, builder.sign(key, hashes.SHA256()))


def write_certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """Write a server's certificate and key as PEM files; return where they are."""
    made = self_signed(name, name)
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(made.pem)
    key.write_bytes(made.key_pem)
    return certificate, key
