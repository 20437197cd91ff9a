"""An authenticator in software: answers a page's options as a browser would, and lies where a test wants."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

UP, UV, BE, BS, AT, ED = (1 << bit for bit in (0, 2, 3, 4, 6, 7))
"""Flags of the authenticator's data (WebAuthn §6.1)."""

FINGERPRINT, PASSCODE, FACEPRINT = 0x002, 0x004, 0x010
"""User verification methods of the FIDO registry, for `uvm`."""

_ES256 = -7
_AAGUID_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")


@dataclass
class Key:
    """A passkey as its authenticator holds it."""

    credential_id: bytes
    private: ec.EllipticCurvePrivateKey
    rp_id: str
    user_handle: bytes
    sign_count: int = 0


@dataclass
class Maker:
    """Who makes authenticators and says so: a root, and a certificate for a model."""

    aaguid: str | None = None
    """What the certificate says; None for one that names no model."""
    root_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    _root: x509.Certificate | None = None

    @property
    def root(self) -> bytes:
        """The root in PEM, as an operator would be given it."""
        return self._root_certificate().public_bytes(Encoding.PEM)

    @property
    def chain(self) -> list[bytes]:
        """The certificate of the model, in DER."""
        root = self._root_certificate()
        made = _certificate("Authenticator", self.key.public_key(), root.subject).add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        )
        if self.aaguid is not None:
            value = b"\x04\x10" + UUID(self.aaguid).bytes
            made = made.add_extension(x509.UnrecognizedExtension(_AAGUID_EXTENSION, value), critical=False)
        return [made.sign(self.root_key, hashes.SHA256()).public_bytes(Encoding.DER)]

    def _root_certificate(self) -> x509.Certificate:
        if self._root is None:
            made = _certificate("Maker of authenticators", self.root_key.public_key(), None)
            made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            self._root = made.sign(self.root_key, hashes.SHA256())
        return self._root


def _certificate(
    name: str, key: ec.EllipticCurvePublicKey, issuer: x509.Name | None
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


@dataclass
class SoftwareAuthenticator:
    """One device. `create` and `get` take the options of a page and return what its form would send."""

    origin: str
    aaguid: str = "00000000-0000-0000-0000-000000000000"
    verifies: bool = True
    """Whether it verifies its holder."""
    is_backup_eligible: bool = True
    is_backed_up: bool = True
    counts: bool = False
    """Whether its counter rises; synced passkeys do not count."""
    uvm: tuple[int, ...] = ()
    maker: Maker | None = None
    """Who attests; nobody makes a statement of format `none`."""
    transports: tuple[str, ...] = ("internal", "hybrid")
    cross_origin: bool = False
    keys: dict[bytes, Key] = field(default_factory=dict)

    def copy(self) -> "SoftwareAuthenticator":
        """Return a clone: the same keys with the same counters, each for itself from now on."""
        return replace(self, keys={name: replace(key) for name, key in self.keys.items()})

    def create(self, options: str, *, rp_id: str | None = None) -> str:
        """Make a passkey, as `navigator.credentials.create` would."""
        asked = json.loads(options)
        known = {base64url_to_bytes(each["id"]) for each in asked.get("excludeCredentials", ())}
        assert not known & self.keys.keys(), "a browser would say InvalidStateError"
        key = Key(
            secrets.token_bytes(32),
            ec.generate_private_key(ec.SECP256R1()),
            rp_id or asked["rp"]["id"],
            base64url_to_bytes(asked["user"]["id"]),
        )
        self.keys[key.credential_id] = key
        credential_data = (
            UUID(self.aaguid).bytes
            + len(key.credential_id).to_bytes(2, "big")
            + key.credential_id
            + _cose_key(key.private.public_key())
        )
        data = self._data(key, AT) + credential_data
        client_data = self._client_data("webauthn.create", asked["challenge"])
        fmt, statement = self._statement(data + sha256(client_data).digest())
        response = {
            "clientDataJSON": client_data,
            "attestationObject": encode_cbor({"fmt": fmt, "attStmt": statement, "authData": data}),
        }
        return _credential(key, response, transports=list(self.transports))

    def get(self, options: str, *, credential_id: bytes | None = None, handle: bytes | None = None) -> str:
        """Show a passkey, as `navigator.credentials.get` would; the only one, unless one is named."""
        asked = json.loads(options)
        allowed = {base64url_to_bytes(each["id"]) for each in asked.get("allowCredentials", ())}
        mine = [key for name, key in self.keys.items() if not allowed or name in allowed]
        key = mine[0] if credential_id is None else self.keys[credential_id]
        key.sign_count += self.counts
        data = self._data(key, ED if self.uvm else 0)
        if self.uvm:
            data += encode_cbor({"uvm": [[method, 1, 1] for method in self.uvm]})
        client_data = self._client_data("webauthn.get", asked["challenge"])
        signature = key.private.sign(data + sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": data,
            "signature": signature,
            "userHandle": key.user_handle if handle is None else handle,
        }
        return _credential(key, response)

    def _data(self, key: Key, more: int) -> bytes:
        flags = UP | more | UV * self.verifies | BE * self.is_backup_eligible | BS * self.is_backed_up
        return sha256(key.rp_id.encode()).digest() + bytes([flags]) + key.sign_count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        told = {
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": self.cross_origin,
        }
        return json.dumps(told).encode()

    def _statement(self, signed: bytes) -> tuple[str, Mapping[str, Any]]:
        if self.maker is None:
            return "none", {}
        signature = self.maker.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return "packed", {"alg": _ES256, "sig": signature, "x5c": self.maker.chain}


def _cose_key(key: ec.EllipticCurvePublicKey) -> bytes:
    numbers = key.public_numbers()
    x, y = (each.to_bytes(32, "big") for each in (numbers.x, numbers.y))
    return encode_cbor({1: 2, 3: _ES256, -1: 1, -2: x, -3: y})


def _credential(key: Key, response: Mapping[str, bytes], **more: Any) -> str:
    encoded = {name: bytes_to_base64url(value) for name, value in response.items()}
    name = bytes_to_base64url(key.credential_id)
    return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": {**encoded, **more}})
