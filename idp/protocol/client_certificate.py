"""Certificates that clients present: who they are by one, and what a token is bound to. RFC 8705, RFC 9440.

The TLS handshake proved that the sender holds the private key. Here it is decided whose certificate it is.
"""

import base64
import binascii
import hashlib
import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from idp.protocol.jose import PublicKey
from idp.protocol.model import Client

MAX_LENGTH = 16 * 1024
"""Bytes of a certificate; those of clients have one or two thousand."""

_NAMES = {
    "BUSINESSCATEGORY": NameOID.BUSINESS_CATEGORY,
    "C": NameOID.COUNTRY_NAME,
    "CN": NameOID.COMMON_NAME,
    "DC": NameOID.DOMAIN_COMPONENT,
    "EMAILADDRESS": NameOID.EMAIL_ADDRESS,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "STREET": NameOID.STREET_ADDRESS,
    "UID": NameOID.USER_ID,
}
"""RFC 4514 §3, and what certificates of organizations hold besides; every other type is a dotted number."""
_TYPE = re.compile(r"(?<!\\)(^|[,+]) *([A-Za-z]+)=")
_BYTE_SEQUENCE = re.compile(r":([A-Za-z0-9+/]+={0,2}):")
_PEM = re.compile(rb"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*")

_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises, each for another oddity; TypeError is for a name whose value is a bit string."""

DistinguishedName = tuple[frozenset[tuple[str, str]], ...]
"""Relative names in the order of the certificate; each a set of (type, value without case)."""


class ClientCertificateError(ValueError):
    """A certificate that is malformed or not this client's. The text is for the log and quotes no name."""


class UnknownCertificateKeyError(ClientCertificateError):
    """The key is not among those that are known of the client: its `jwks_uri` may be worth another look."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate whose holder sent the request; made by `read_certificate` alone."""

    x5t_s256: str
    """RFC 8705 §3.1: SHA-256 of the DER, as base64url; the value of `cnf.x5t#S256`."""
    subject_dn: DistinguishedName
    san_dns: frozenset[str]
    san_uri: frozenset[str]
    san_ip: frozenset[str]
    san_email: frozenset[str]
    public_key: bytes
    """SubjectPublicKeyInfo, DER."""
    valid_from: datetime
    valid_until: datetime
    vouched_until: datetime | None
    """How long an authority of ours stands behind it; None when none of them issued it."""

    def is_valid_at(self, now: datetime) -> bool:
        """Tell whether the certificate is in its time (RFC 5280 §4.1.2.5)."""
        return self.valid_from <= now <= self.valid_until


def read_authorities(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Return the certificates of an authority file. Raises ClientCertificateError."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise ClientCertificateError("the file holds no certificates in PEM") from error


@lru_cache(maxsize=512)
def read_certificate(der: bytes, authorities: tuple[x509.Certificate, ...] = ()) -> ClientCertificate:
    """Read a certificate; `authorities` are those whose word counts for tls_client_auth.

    Read once for each certificate: a client sends the same with every request. Raises ClientCertificateError.
    """
    if len(der) > MAX_LENGTH:
        raise ClientCertificateError("the certificate is too long")
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = _alternative_names(certificate)
        return ClientCertificate(
            x5t_s256=_thumbprint(der),
            subject_dn=_distinguished_name(certificate.subject),
            san_dns=frozenset(name.lower() for name in names.get_values_for_type(x509.DNSName)),
            san_uri=frozenset(names.get_values_for_type(x509.UniformResourceIdentifier)),
            san_ip=frozenset(map(str, names.get_values_for_type(x509.IPAddress))),
            san_email=frozenset(map(_email, names.get_values_for_type(x509.RFC822Name))),
            public_key=_subject_public_key(certificate.public_key()),
            valid_from=certificate.not_valid_before_utc,
            valid_until=certificate.not_valid_after_utc,
            vouched_until=_vouched_until(certificate, authorities),
        )
    except _UNREADABLE as error:
        raise ClientCertificateError("the certificate cannot be read") from error


def _thumbprint(der: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def _subject_public_key(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


def _vouched_until(
    certificate: x509.Certificate, authorities: tuple[x509.Certificate, ...]
) -> datetime | None:
    """Ask every authority for its signature: intermediates have to be among them.

    What a TLS handshake found trustworthy does not count here: it also takes certificates that a client
    registered for itself, and such a certificate could have issued others in anybody's name.
    """
    times = [each.not_valid_after_utc for each in authorities if _has_issued(each, certificate)]
    return max(times, default=None)


def _has_issued(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    return constraints.ca


def _distinguished_name(name: x509.Name) -> DistinguishedName:
    """RFC 4517 §4.2.15 with caseIgnoreMatch (§4.2.11): without case, white space taken together."""
    return tuple(
        frozenset(
            (attribute.oid.dotted_string, " ".join(str(attribute.value).split()).casefold())
            for attribute in part
        )
        for part in name.rdns
    )


def read_distinguished_name(text: str) -> DistinguishedName:
    """Read a name as it is registered: RFC 4514. Raises ClientCertificateError."""
    spelled = _TYPE.sub(lambda found: f"{found[1]}{found[2].upper()}=", text)
    try:
        name = x509.Name.from_rfc4514_string(spelled, _NAMES)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ClientCertificateError("it is no distinguished name as RFC 4514 writes it") from error
    if not name.rdns:
        raise ClientCertificateError("the distinguished name is empty")
    return _distinguished_name(name)


def _email(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def read_ip_address(text: str) -> str:
    """Read an address as it is registered, in its one spelling. Raises ClientCertificateError."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise ClientCertificateError("it is no IP address") from error


def check_tls_client_auth(certificate: ClientCertificate, client: Client, now: datetime) -> None:
    """Check that a certificate is the one a client registered by name: RFC 8705 §2.1.

    An authority of ours must have issued it, and exactly one expectation be registered (§2.1.2).
    Raises ClientCertificateError.
    """
    if not certificate.is_valid_at(now):
        raise ClientCertificateError("the certificate is not valid now")
    if certificate.vouched_until is None or certificate.vouched_until < now:
        raise ClientCertificateError("no authority that we trust issued the certificate")
    names = {
        "subject_dn": client.tls_client_auth_subject_dn,
        "san_dns": client.tls_client_auth_san_dns,
        "san_uri": client.tls_client_auth_san_uri,
        "san_ip": client.tls_client_auth_san_ip,
        "san_email": client.tls_client_auth_san_email,
    }
    registered = [(kind, name) for kind, name in names.items() if name is not None]
    if len(registered) != 1:
        raise ClientCertificateError("the client has not registered exactly one name of its certificate")
    if not _holds(certificate, *registered[0]):
        raise ClientCertificateError("the certificate does not hold the registered name")


def _holds(certificate: ClientCertificate, kind: str, name: str) -> bool:
    match kind:
        case "subject_dn":
            return certificate.subject_dn == read_distinguished_name(name)
        case "san_dns":
            return name.lower() in certificate.san_dns
        case "san_uri":
            return name in certificate.san_uri
        case "san_ip":
            return read_ip_address(name) in certificate.san_ip
    return _email(name) in certificate.san_email


def check_self_signed(certificate: ClientCertificate, keys: Collection[PublicKey], now: datetime) -> None:
    """Check that a certificate holds a key the client registered: RFC 8705 §2.2.

    Who signed it does not matter, nor what it says. Raises ClientCertificateError; UnknownCertificateKeyError
    when fetching the client's keys again may help.
    """
    if not certificate.is_valid_at(now):
        raise ClientCertificateError("the certificate is not valid now")
    if not any(_subject_public_key(key.key) == certificate.public_key for key in keys):
        raise UnknownCertificateKeyError("the certificate's key is not among the client's registered keys")


def registered_certificates(jwks: Mapping[str, Any] | None) -> tuple[bytes, ...]:
    """Return the certificates that a client's key set brings (RFC 7517 §4.7 `x5c`), the first of each key.

    For a TLS server that takes only certificates it knows. One that cannot be read is passed over: whoever
    registered it could not use it.
    """
    found = []
    for key in (jwks or {}).get("keys", ()):
        chain = key.get("x5c")
        if isinstance(chain, list) and chain and isinstance(chain[0], str):
            try:
                der = base64.b64decode(chain[0], validate=True)
                read_certificate(der)
            except ValueError:
                continue
            found.append(der)
    return tuple(found)


def read_certificate_header(value: str) -> bytes:
    """Return the DER of a certificate that a proxy passes on. Raises ClientCertificateError.

    Either as RFC 9440 §2.1 writes it (`:base64:`), or as PEM, URL-encoded, as nginx does.
    """
    sequence = _BYTE_SEQUENCE.fullmatch(value.strip())
    encoded: bytes | None = None if sequence is None else sequence[1].encode()
    if encoded is None:
        pem = _PEM.fullmatch(unquote_to_bytes(value))
        if pem is None:
            raise ClientCertificateError("the header holds no certificate of a known form")
        encoded = b"".join(pem[1].split())
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except binascii.Error as error:
        raise ClientCertificateError("the certificate in the header is not base64") from error
