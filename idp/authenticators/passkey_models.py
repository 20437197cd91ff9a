"""Which authenticators hold passkeys: what is believed of them, and by whose word. WebAuthn §6.5, §8, §13.4.

Anybody can write an authenticator that claims to be any model and to have seen any finger. So what is known
of a model counts only where an attestation proves the model, with a chain of certificates that ends at a root
the operator chose. Passkeys that people carry from device to device prove none; they are welcome, and count
for what they show by themselves: possession, and that their holder was verified.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import orjson
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from webauthn.helpers import validate_certificate_chain
from webauthn.helpers.exceptions import InvalidCertificateChain

from idp.identity.assurance import BIOMETRIC

VERIFICATIONS = ("fpt", "face", "pin")
"""How a model may verify its holder, in values of `amr` (RFC 8176 §2)."""

NO_MODEL = "00000000-0000-0000-0000-000000000000"
"""The AAGUID of an authenticator that does not say what it is (WebAuthn §6.5.1)."""

_AAGUID_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
"""WebAuthn §8.2.1: id-fido-gen-ce-aaguid, an OCTET STRING of 16 bytes inside the extension."""
_OCTET_STRING_OF_16 = b"\x04\x10"
_AAGUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LONGEST_NAME = 64
_POLICY_FIELDS = frozenset({"attestation", "roots", "models"})
_FIELDS = frozenset({"name", "verification", "is_hardware", "is_refused"})

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4": "Google Password Manager",
        "fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "Apple Passwords",
        "dd4ec289-e01d-41c9-bb89-70fa845d4bf2": "iCloud Keychain",
        "adce0002-35bc-c60a-648b-0b25f1f05503": "Chrome on Mac",
        "08987058-cadc-4b81-b6e1-30de50dcbe96": "Windows Hello",
        "9ddd1817-af5a-4672-a2b9-3e3dd95000a9": "Windows Hello",
        "6028b017-b1d4-4c02-b4b3-afcdafc96bb2": "Windows Hello",
        "53414d53-554e-4700-0000-000000000000": "Samsung Pass",
    }
)
"""Names by which people know where a passkey lies. They are shown and nothing else: nobody proves them."""


class PasskeyPolicyError(ValueError):
    """A policy that cannot be used; the message says why."""


class AttestationDemand(StrEnum):
    """What is asked of a new passkey's authenticator."""

    NONE = "none"
    """Nothing: browsers pass no attestation on, and ask nobody whether they may."""
    RECORDED = "recorded"
    """To say which model it is; recorded as it came, believed where a root vouches for it."""
    REQUIRED = "required"
    """To prove which model it is."""


@dataclass(frozen=True, slots=True)
class AuthenticatorModel:
    """What the operator knows of one model, from its maker or from the metadata of FIDO."""

    aaguid: str
    name: str
    verification: str | None = None
    """How it verifies its holder, one of VERIFICATIONS; None where there are several ways."""
    is_hardware: bool = True
    """Whether its keys lie in hardware that does not give them away."""
    is_refused: bool = False
    """Whether new passkeys of this model are refused, because it was broken."""


@dataclass(frozen=True, slots=True)
class PasskeyPolicy:
    """What the operator demands of authenticators, and whom they believe."""

    attestation: AttestationDemand = AttestationDemand.NONE
    roots: tuple[bytes, ...] = ()
    """Certificates in PEM, one each."""
    models: Mapping[str, AuthenticatorModel] = field(default_factory=dict)
    """By AAGUID."""

    def vouches_for(self, x5c: list[bytes], aaguid: str) -> bool:
        """Tell whether a chain of certificates (DER, leaf first) leads to a root and speaks of this model.

        WebAuthn §7.1 step 23, §8.2: where the leaf names an AAGUID it must be this one, or a maker's word for
        one model would count for another. The library compares the times in certificates with the machine's
        clock.
        """
        if not (self.roots and x5c):
            return False
        try:
            validate_certificate_chain(x5c=x5c, pem_root_certs_bytes=list(self.roots))
        except InvalidCertificateChain:
            return False
        return _speaks_of(x509.load_der_x509_certificate(x5c[0]), aaguid)

    @property
    def knows_biometrics(self) -> bool:
        """Tell whether any passkey can count as biometric."""
        return any(model.verification in BIOMETRIC for model in self.models.values())

    def name_of(self, aaguid: str) -> str | None:
        """Return where a passkey says that it lies, as a person would say it."""
        model = self.models.get(aaguid)
        return PROVIDERS.get(aaguid) if model is None else model.name


def _speaks_of(certificate: x509.Certificate, aaguid: str) -> bool:
    try:
        extension = certificate.extensions.get_extension_for_oid(_AAGUID_EXTENSION).value
    except x509.ExtensionNotFound:
        return True
    expected = _OCTET_STRING_OF_16 + bytes.fromhex(aaguid.replace("-", ""))
    return isinstance(extension, x509.UnrecognizedExtension) and extension.value == expected


def read_policy(document: bytes) -> PasskeyPolicy:
    """Read a policy: a JSON object with `attestation`, `roots` (texts in PEM) and `models` by AAGUID.

    A model is an object with the names of AuthenticatorModel's fields. Raises PasskeyPolicyError.
    """
    try:
        entries = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise PasskeyPolicyError("the file is not JSON") from error
    if not isinstance(entries, dict) or not entries.keys() <= _POLICY_FIELDS:
        raise PasskeyPolicyError(f"an object with {', '.join(sorted(_POLICY_FIELDS))} is needed")
    demand, roots, models = (
        entries.get("attestation", "none"),
        entries.get("roots", []),
        entries.get("models", {}),
    )
    if demand not in list(AttestationDemand):
        raise PasskeyPolicyError(f"attestation is one of {', '.join(AttestationDemand)}")
    if not isinstance(roots, list) or not all(isinstance(root, str) for root in roots):
        raise PasskeyPolicyError("roots is a list of certificates in PEM")
    if not isinstance(models, dict):
        raise PasskeyPolicyError("models is an object of models by AAGUID")
    policy = PasskeyPolicy(
        AttestationDemand(demand),
        tuple(pem for root in roots for pem in _read_roots(root)),
        {aaguid: _read_model(aaguid, entry) for aaguid, entry in models.items()},
    )
    if policy.attestation is AttestationDemand.REQUIRED and not policy.roots:
        raise PasskeyPolicyError("attestation is required, and no root is named: no passkey could be added")
    return policy


def _read_roots(pem: str) -> list[bytes]:
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise PasskeyPolicyError("a root is no certificate in PEM") from error
    return [certificate.public_bytes(Encoding.PEM) for certificate in certificates]


def _read_model(aaguid: str, entry: object) -> AuthenticatorModel:
    if not _AAGUID.fullmatch(aaguid) or aaguid == NO_MODEL:
        raise PasskeyPolicyError(f"{aaguid[:40]} is no AAGUID in lower case")
    if not isinstance(entry, dict) or not entry.keys() <= _FIELDS:
        raise PasskeyPolicyError(f"{aaguid}: only {', '.join(sorted(_FIELDS))} may stand here")
    name, verification = entry.get("name"), entry.get("verification")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise PasskeyPolicyError(f"{aaguid}: a name of at most {_LONGEST_NAME} characters is needed")
    if verification is not None and verification not in VERIFICATIONS:
        raise PasskeyPolicyError(f"{aaguid}: verification is one of {', '.join(VERIFICATIONS)}")
    flags = {flag: entry[flag] for flag in ("is_hardware", "is_refused") if flag in entry}
    if not all(isinstance(value, bool) for value in flags.values()):
        raise PasskeyPolicyError(f"{aaguid}: is_hardware and is_refused are true or false")
    return AuthenticatorModel(aaguid, name, verification, **flags)
