"""TLS of our own: versions, ciphers and whose certificates are taken. RFC 9325 (BCP 195), FAPI 2.0 §5.2.1.

TLS 1.3 where the other side speaks it; of TLS 1.2 only ECDHE with AES-GCM.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from idp.operators.output import CommandFailedError

TLS_1_2_CIPHERS = "ECDHE+AESGCM"


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """The files of the server's certificate chain and its private key, both PEM."""

    chain: Path
    key: Path

    def check(self) -> None:
        """Check here what would otherwise fail in every worker. Raises CommandFailedError."""
        for path in (self.chain, self.key):
            if not path.is_file():
                raise CommandFailedError(f"There is no file {path}.")
        try:
            server_context(self)
        except (OSError, ValueError) as error:
            reason = "the key is locked by a password" if isinstance(error, _LockedKeyError) else "see both"
            raise CommandFailedError(
                f"{self.chain} and {self.key} are not a certificate and its key in PEM: {reason}."
            ) from error


class _LockedKeyError(ValueError):
    pass


def _no_password() -> str:
    # Without this, OpenSSL would ask on the terminal, and a service would wait for ever.
    raise _LockedKeyError("the private key is locked by a password")


def server_context(certificate: ServerCertificate) -> ssl.SSLContext:
    """Return the context of a listener that asks nobody for a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS_1_2_CIPHERS)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.load_cert_chain(certificate.chain, certificate.key, password=_no_password)
    return context


def mutual_context(certificate: ServerCertificate, authorities: Path | None) -> ssl.SSLContext:
    """Return the context of a listener that asks for a certificate and does without one.

    Python's TLS takes a certificate only if it finds it trustworthy. So every certificate that a client
    registered is an anchor of its own (`take_certificates`), which is what PARTIAL_CHAIN allows. Who a client
    *is* by its certificate is decided elsewhere, and by other authorities (`protocol.client_certificate`).
    """
    context = server_context(certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if authorities is not None:
        context.load_verify_locations(authorities)
    return context


def take_certificates(context: ssl.SSLContext, certificates: frozenset[bytes]) -> None:
    """Take certificates (DER) from now on; connections that are open keep theirs."""
    if certificates:
        context.load_verify_locations(cadata=b"".join(certificates))
