"""The certificate that a client presented: in the TLS handshake, or to a proxy that passes it on. RFC 8705.

A header says whatever its sender likes. It counts only when the connection itself comes from a proxy that is
known to write it, whatever the caller's address is said to be by other headers.
"""

import ssl
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

from cryptography import x509
from starlette.requests import Request
from starlette.types import Scope

from idp.protocol.client_certificate import (
    ClientCertificate,
    ClientCertificateError,
    read_certificate,
    read_certificate_header,
)
from idp.web.failures import note

PEER = "lienket.peer"
"""ASGI scope extension: the `address` at the other end of the connection, before any header was believed."""
TLS = "tls"
"""ASGI TLS extension 0.2: `client_cert_chain` holds the client's certificate first, as PEM."""


@dataclass(frozen=True, slots=True)
class CertificateSource:
    """Where client certificates come from, and whose word makes a name in one count."""

    header: str | None = None
    """The header in which a proxy passes the certificate on."""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Where such a proxy connects from."""
    authorities: tuple[x509.Certificate, ...] = ()


def read_client_certificate(
    source: CertificateSource, http: Request, now: datetime
) -> ClientCertificate | None:
    """Return the certificate of the sender, if it presented one that is in its time and can be read."""
    try:
        der = _from_connection(http.scope) or _from_proxy(source, http)
        if der is None:
            return None
        certificate = read_certificate(der, source.authorities)
    except ClientCertificateError as error:
        note(http, client_certificate=str(error))
        return None
    if not certificate.is_valid_at(now):
        note(http, client_certificate="the certificate is not valid now")
        return None
    return certificate


def _from_connection(scope: Scope) -> bytes | None:
    chain = scope.get("extensions", {}).get(TLS, {}).get("client_cert_chain") or ()
    return next((_der(pem) for pem in chain), None)


@lru_cache(maxsize=512)
def _der(pem: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem)


def _from_proxy(source: CertificateSource, http: Request) -> bytes | None:
    if source.header is None:
        return None
    values = http.headers.getlist(source.header)
    if not any(values):
        return None
    if not _is_known_proxy(source, http):
        note(http, client_certificate="a header that is believed from proxies only was ignored")
        return None
    if len(values) > 1:
        raise ClientCertificateError("the header is repeated")
    return read_certificate_header(values[0])


def _is_known_proxy(source: CertificateSource, http: Request) -> bool:
    known = http.scope.get("extensions", {}).get(PEER)
    client = http.client.host if http.client is not None else ""
    try:
        address = ip_address(client if known is None else known["address"])
    except ValueError:
        return False
    return any(address in network for network in source.proxies)
