"""Passkeys: what one proves when it is added and when it is used. Web Authentication (WebAuthn) §7.1, §7.2.

The ceremonies are verified by the library `webauthn`: types, challenge, origin, RP ID, presence, signatures
and attestation statements. What is ours to decide stands here: that the holder must be verified, that a
counter that does not rise means a copy, that a key does not change its kind, whose word counts for a model,
and which `amr` follows (RFC 8176, EAP ACR Values).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlsplit

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    bytes_to_base64url,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_authenticator_data,
    parse_cbor,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    CollectedClientData,
    CredentialDeviceType,
    RegistrationCredential,
)

from idp.authenticators.passkey_models import AttestationDemand, PasskeyPolicy
from idp.identity.assurance import BIOMETRIC, Method

ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
"""What keys may sign with, the best first; RS256 is what TPMs of older computers know."""
LONGEST_CREDENTIAL_ID = 1023
"""Bytes; WebAuthn §7.1 step 25."""

_FORMATS_WITH_ROOTS = (AttestationFormat.TPM, AttestationFormat.APPLE, AttestationFormat.ANDROID_KEY)
"""Formats for which the library knows roots and refuses all others: those of the operator are added."""
_FORMATS = frozenset(
    {*_FORMATS_WITH_ROOTS, AttestationFormat.PACKED, AttestationFormat.FIDO_U2F, AttestationFormat.NONE}
)
_UVM = ((0x002, "fpt"), (0x004, "pin"), (0x010, "face"), (0x080, "pin"), (0x800, "pin"), (0x1000, "pin"))
"""Bits of the FIDO Registry of Predefined Values §3.1, and their names in `amr`, where a pattern is a PIN."""
_MOST_FACTORS = 3
"""Entries of the extension `uvm` at most (WebAuthn Level 2 §10.3)."""


class PasskeyError(Exception):
    """A passkey that cannot be taken. The text is for the log and quotes nothing that was sent."""


class UserNotVerifiedError(PasskeyError):
    """The authenticator did not verify its holder: whoever found it could have used it."""


class ClonedPasskeyError(PasskeyError):
    """The signature is right and the counter did not rise: two devices hold this key (WebAuthn §6.1.1)."""


class OvertakenError(PasskeyError):
    """The passkey was used again before this answer arrived, so its counter tells nothing."""


class UntrustedAuthenticatorError(PasskeyError):
    """The operator's policy refuses this authenticator."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Whom passkeys are made for: this provider, by the host in its issuer."""

    rp_id: str
    origin: str


def relying_party(issuer: str) -> RelyingParty:
    """Return the relying party that an issuer is. Its passkeys are worth nothing at any other host."""
    parts = urlsplit(issuer)
    return RelyingParty(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What an authenticator signs, once: made by us, for one browser, at a time that is known."""

    value: bytes
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Attestation:
    """What an authenticator said of itself when the passkey was made."""

    fmt: str
    is_trusted: bool = False
    """Whether it proved its model, by a root of the operator's."""
    statement: str | None = None
    """The attestation object in base64url, for later scrutiny; None where it holds no statement."""
    client_data_hash: str | None = None
    """What the statement signs beside the authenticator's data, in base64url."""


@dataclass(frozen=True, slots=True)
class CredentialRecord:
    """The key of a passkey and what is known of it (WebAuthn §4, credential record)."""

    credential_id: bytes
    public_key: bytes
    """A COSE_Key (RFC 9052 §7)."""
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    attestation: Attestation
    is_hardware: bool
    """Whether it is proved that hardware holds the key and gives no copy away."""
    is_backup_eligible: bool
    is_backed_up: bool

    @property
    def method(self) -> Method:
        """The way of signing in that it is at least; a biometric is known only when it is used."""
        return Method.HARDWARE_PASSKEY if self.is_hardware else Method.PASSKEY


@dataclass(frozen=True, slots=True)
class Passkey:
    """A person's passkey as it is remembered."""

    passkey_id: str
    citizen_id: str
    name: str
    """As its holder called it; empty when they did not."""
    credential: CredentialRecord
    created_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a browser brought from `navigator.credentials.get`; nothing of it is verified yet."""

    credential: AuthenticationCredential
    client_data: CollectedClientData

    @property
    def credential_id(self) -> bytes:
        """Which passkey it speaks of."""
        return self.credential.raw_id


@dataclass(frozen=True, slots=True)
class Registration:
    """What a browser brought from `navigator.credentials.create`; nothing of it is verified yet."""

    credential: RegistrationCredential
    client_data: CollectedClientData


@dataclass(frozen=True, slots=True)
class ShownPasskey:
    """A use that was verified; made by `verify_assertion` alone."""

    sign_count: int
    is_backed_up: bool
    amr: tuple[str, ...]


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Turn whatever the library's parsers raise over a stranger's bytes into a refusal.

    Some of it is none of its own exceptions (binascii, CBOR, X.509, a missing key), and no input may end as
    a fault of ours.
    """
    try:
        yield
    except PasskeyError:
        raise
    except Exception as error:
        raise PasskeyError(f"{what}: {type(error).__name__}") from error


def read_assertion(text: str) -> Assertion:
    """Read an AuthenticationResponseJSON (WebAuthn §5.1). Raises PasskeyError."""
    with _refusing("no assertion"):
        credential = parse_authentication_credential_json(text)
        return Assertion(credential, parse_client_data_json(credential.response.client_data_json))


def read_registration(text: str) -> Registration:
    """Read a RegistrationResponseJSON (WebAuthn §5.1). Raises PasskeyError."""
    with _refusing("no registration"):
        credential = parse_registration_credential_json(text)
        return Registration(credential, parse_client_data_json(credential.response.client_data_json))


def verify_assertion(
    assertion: Assertion,
    passkey: Passkey,
    rp: RelyingParty,
    challenge: Challenge,
    user_handle: bytes,
    policy: PasskeyPolicy,
    *,
    is_named: bool,
) -> ShownPasskey:
    """Verify that a person's passkey was used here and now, by them (WebAuthn §7.2).

    `is_named`: the person was known before, and the request named their passkeys; otherwise the authenticator
    has to say whose it is (step 6). Raises PasskeyError and UserNotVerifiedError; OvertakenError and
    ClonedPasskeyError for a right signature alone.
    """
    key, response = passkey.credential, assertion.credential.response
    if assertion.credential_id != key.credential_id:
        raise PasskeyError("the assertion is of another passkey")
    if response.user_handle != user_handle and not (is_named and not response.user_handle):
        raise PasskeyError("the user handle is another person's, or missing")
    _check_top_level(assertion.client_data)
    with _refusing("the assertion cannot be verified"):
        verified = verify_authentication_response(
            credential=assertion.credential,
            expected_challenge=challenge.value,
            expected_rp_id=rp.rp_id,
            expected_origin=rp.origin,
            credential_public_key=key.public_key,
            # The library would look at the counter before the signature: anybody could then cry "copy".
            credential_current_sign_count=0,
        )
        uvm = _uvm_of(response.authenticator_data)
    if not verified.user_verified:
        raise UserNotVerifiedError("the authenticator did not verify its holder")
    if (verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE) != key.is_backup_eligible:
        raise PasskeyError("the key changed whether it can be copied")
    if (verified.new_sign_count or key.sign_count) and verified.new_sign_count <= key.sign_count:
        if passkey.last_used_at is not None and challenge.issued_at < passkey.last_used_at:
            # A slow connection delivers an answer late; whoever holds a copy gains nothing by an old page.
            raise OvertakenError("the passkey was used since this page was opened")
        raise ClonedPasskeyError("the counter did not rise")
    return ShownPasskey(verified.new_sign_count, verified.credential_backed_up, amr_of(key, policy, uvm=uvm))


def verify_registration(
    registration: Registration, rp: RelyingParty, challenge: Challenge, policy: PasskeyPolicy
) -> CredentialRecord:
    """Verify a new passkey (WebAuthn §7.1).

    Raises PasskeyError, UserNotVerifiedError and UntrustedAuthenticatorError.
    """
    credential = registration.credential
    _check_top_level(registration.client_data)
    with _refusing("the registration cannot be verified"):
        stated = parse_attestation_object(credential.response.attestation_object)
        if stated.fmt not in _FORMATS:
            raise UntrustedAuthenticatorError("attestation statements of this format are not taken")
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge.value,
            expected_rp_id=rp.rp_id,
            expected_origin=rp.origin,
            supported_pub_key_algs=ALGORITHMS,
            pem_root_certs_bytes_by_fmt={each: list(policy.roots) for each in _FORMATS_WITH_ROOTS},
        )
        has_statement = verified.fmt != AttestationFormat.NONE
        attestation = Attestation(
            fmt=AttestationFormat(verified.fmt).value,
            is_trusted=policy.vouches_for(list(stated.att_stmt.x5c or ()), verified.aaguid),
            statement=bytes_to_base64url(verified.attestation_object) if has_statement else None,
            client_data_hash=_client_data_hash(credential) if has_statement else None,
        )
    if not verified.user_verified:
        raise UserNotVerifiedError("the authenticator did not verify its holder")
    if len(verified.credential_id) > LONGEST_CREDENTIAL_ID:
        raise PasskeyError("the credential id is too long")
    model = policy.models.get(verified.aaguid)
    if model is not None and model.is_refused:
        raise UntrustedAuthenticatorError("passkeys of this model are refused")
    if policy.attestation is AttestationDemand.REQUIRED and not attestation.is_trusted:
        raise UntrustedAuthenticatorError("no root vouches for this authenticator")
    is_backup_eligible = verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE
    is_hardware = attestation.is_trusted and not is_backup_eligible and (model is None or model.is_hardware)
    return CredentialRecord(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        aaguid=verified.aaguid,
        transports=tuple(each.value for each in credential.response.transports or ()),
        attestation=attestation,
        is_hardware=is_hardware,
        is_backup_eligible=is_backup_eligible,
        is_backed_up=verified.credential_backed_up,
    )


def amr_of(
    key: CredentialRecord, policy: PasskeyPolicy, *, uvm: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Return what a use proves: RFC 8176 §2, and `phr` or `phrh` of EAP ACR Values §4.

    How the holder was verified is believed where the model is proved: by the signed extension `uvm`, or by
    what the operator knows of the model. Otherwise it is known only that they were.
    """
    held = ("hwk", "user", "phr", "phrh") if key.is_hardware else ("swk", "user", "phr")
    if not key.attestation.is_trusted:
        return held
    model = policy.models.get(key.aaguid)
    if uvm or model is None or model.verification is None:
        return (*held, *sorted(uvm))
    return (*held, model.verification)


def methods_of(key: CredentialRecord, policy: PasskeyPolicy) -> frozenset[Method]:
    """Return as which ways a passkey counts; what it proves besides is known when it is used."""
    methods = {Method.PASSKEY, key.method}
    model = policy.models.get(key.aaguid)
    if key.attestation.is_trusted and model is not None and model.verification in BIOMETRIC:
        methods.add(Method.BIOMETRIC_PASSKEY)
    return frozenset(methods)


def _check_top_level(client_data: CollectedClientData) -> None:
    """WebAuthn §7.1 step 10, §7.2 step 14: our pages stand in no frame of anybody's."""
    if client_data.cross_origin:
        raise PasskeyError("the passkey was asked for inside a page of another origin")


def _uvm_of(authenticator_data: bytes) -> frozenset[str]:
    """Read the signed extension `uvm`: how the holder was verified, in values of `amr`."""
    encoded = parse_authenticator_data(authenticator_data).extensions
    extensions = {} if encoded is None else parse_cbor(encoded)
    entries = extensions.get("uvm", ()) if isinstance(extensions, dict) else ()
    methods = [entry[0] for entry in list(entries)[:_MOST_FACTORS]]
    return frozenset(name for bit, name in _UVM if bit in methods)


def _client_data_hash(credential: RegistrationCredential) -> str:
    return bytes_to_base64url(sha256(credential.response.client_data_json).digest())
