"""A certificate for `localhost` that nobody but this machine should trust: for demonstrations over https."""

import ipaddress
import os
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from idp.operators.tls import ServerCertificate

VALIDITY = timedelta(days=365)
RENEWED_BEFORE_END = timedelta(days=30)

_NAMES = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)


def development_certificate(folder: Path, now: datetime) -> ServerCertificate:
    """Return the certificate in the folder; make it where it is missing, unreadable or about to end."""
    files = ServerCertificate(folder / "certificate.pem", folder / "key.pem")
    if not _is_good(files, now):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(files, now)
    return files


def _is_good(files: ServerCertificate, now: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(files.chain.read_bytes())
    except (OSError, ValueError):
        return False
    return files.key.is_file() and certificate.not_valid_after_utc > now + RENEWED_BEFORE_END


def _make(files: ServerCertificate, now: datetime) -> None:
    """Write the key first: a certificate without its key is made anew, a key alone is overwritten."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    public_key = private_key.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lienket development certificate")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectAlternativeName(_NAMES), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .sign(private_key, hashes.SHA256())
    )
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files.key.unlink(missing_ok=True)
    with os.fdopen(os.open(files.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as key:
        key.write(pem)
    files.chain.write_bytes(certificate.public_bytes(Encoding.PEM))
