"""Certificates as authorities, platforms and attackers make them."""

import base64
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.clock import BEGINNING
from tests.support.protocol_builders import public_jwk


@dataclass(frozen=True)
class MadeCertificate:
    """A certificate with its private key."""

    certificate: x509.Certificate
    private_key: Any

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def jwk(self) -> dict[str, Any]:
        """As a client registers it for self_signed_tls_client_auth."""
        return public_jwk(self.private_key) | {"x5c": [base64.b64encode(self.der).decode()]}

    @property
    def as_rfc_9440(self) -> str:
        return f":{base64.b64encode(self.der).decode()}:"

    @property
    def as_nginx_sends_it(self) -> str:
        return urllib.parse.quote(self.pem, safe="")

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write certificate and key; return both paths."""
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_text(self.pem)
        key.write_bytes(self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, key


def make_certificate(
    subject: str = "CN=network,O=Quan Coc,C=VN",
    *,
    issuer: MadeCertificate | None = None,
    san: Sequence[x509.GeneralName] = (),
    is_authority: bool = False,
    private_key: Any = None,
    valid_from: datetime = BEGINNING - timedelta(days=2),
    valid_until: datetime = BEGINNING + timedelta(days=3650),
) -> MadeCertificate:
    """Make a certificate; self-signed without an issuer."""
    key = ec.generate_private_key(ec.SECP256R1()) if private_key is None else private_key
    name = x509.Name.from_rfc4514_string(subject)
    signing_key = key if issuer is None else issuer.private_key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from)
        .not_valid_after(valid_until)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if san:
        builder = builder.add_extension(x509.SubjectAlternativeName(san), critical=False)
    algorithm = None if isinstance(signing_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return MadeCertificate(builder.sign(signing_key, algorithm), key)
