"""Both ceremonies (WebAuthn §7.1, §7.2), by a software authenticator: honest until a test has it lie."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from idp.authenticators.passkey_models import AttestationDemand, AuthenticatorModel, PasskeyPolicy
from idp.authenticators.passkey_options import creation_options, request_options
from idp.authenticators.passkeys import (
    Challenge,
    ClonedPasskeyError,
    OvertakenError,
    Passkey,
    PasskeyError,
    ShownPasskey,
    UntrustedAuthenticatorError,
    UserNotVerifiedError,
    read_assertion,
    read_registration,
    relying_party,
    verify_assertion,
    verify_registration,
)
from tests.support.software_authenticator import (
    FACEPRINT,
    FINGERPRINT,
    PASSCODE,
    Maker,
    SoftwareAuthenticator,
)

RP = relying_party("https://id.example:8443")
HANDLE = b"h" * 32
ASKED_AT = datetime(2026, 1, 2, tzinfo=UTC)
CHALLENGE = Challenge(b"c" * 56, ASKED_AT)
NO_POLICY = PasskeyPolicy()
MODEL = "0d3a6b5e-7f0c-4c8e-9a52-2f6b3f1f7c11"
SYNCED = {"is_backup_eligible": True, "is_backed_up": True}
BOUND = {"is_backup_eligible": False, "is_backed_up": False, "transports": ("usb", "nfc")}


def device(**facts: Any) -> SoftwareAuthenticator:
    return SoftwareAuthenticator(RP.origin, **facts)


def add(authenticator: SoftwareAuthenticator, policy: PasskeyPolicy = NO_POLICY, **lies: Any) -> Passkey:
    options = creation_options(RP, CHALLENGE.value, HANDLE, "Nguyễn Thị Lan", policy)
    sent = read_registration(authenticator.create(options, **lies))
    assert sent.client_data.challenge == CHALLENGE.value
    key = verify_registration(sent, RP, CHALLENGE, policy)
    return Passkey("passkey-1", "citizen-1", "", key, datetime(2026, 1, 1, tzinfo=UTC))


def use(
    authenticator: SoftwareAuthenticator,
    passkey: Passkey,
    policy: PasskeyPolicy = NO_POLICY,
    *,
    challenge: Challenge = CHALLENGE,
    is_named: bool = False,
    **lies: Any,
) -> ShownPasskey:
    options = request_options(RP, CHALLENGE.value, [passkey] if is_named else [])
    assertion = read_assertion(authenticator.get(options, **lies))
    return verify_assertion(assertion, passkey, RP, challenge, HANDLE, policy, is_named=is_named)


def test_a_synced_passkey_is_added_and_signs_in() -> None:
    authenticator = device(**SYNCED)
    passkey = add(authenticator)
    key = passkey.credential
    assert (key.is_backup_eligible, key.is_backed_up, key.is_hardware) == (True, True, False)
    assert (key.transports, key.attestation.fmt, key.attestation.statement) == (
        ("internal", "hybrid"),
        "none",
        None,
    )
    assert use(authenticator, passkey) == ShownPasskey(0, is_backed_up=True, amr=("swk", "user", "phr"))


def test_a_roaming_key_counts_and_is_found_by_name() -> None:
    authenticator = device(counts=True, **BOUND)
    passkey = add(authenticator)
    assert (passkey.credential.transports, passkey.credential.is_backup_eligible) == (("usb", "nfc"), False)
    shown = [use(authenticator, passkey, is_named=True).sign_count for _ in range(2)]
    assert shown == [1, 2]


def test_the_options_ask_for_what_the_rules_demand() -> None:
    passkey = add(device())
    asked = json.loads(request_options(RP, CHALLENGE.value))
    assert asked == {
        "challenge": bytes_to_base64url(CHALLENGE.value),
        "timeout": 300_000,
        "rpId": "id.example",
        "allowCredentials": [],
        "userVerification": "required",
        "extensions": {"uvm": True},
    }
    made = json.loads(creation_options(RP, CHALLENGE.value, HANDLE, "Nguyễn Thị Lan", NO_POLICY, [passkey]))
    assert made["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert (made["attestation"], made["user"]["name"]) == ("none", "Nguyễn Thị Lan")
    assert [each["alg"] for each in made["pubKeyCredParams"]] == [-7, -8, -257]
    excluded = bytes_to_base64url(passkey.credential.credential_id)
    assert made["excludeCredentials"] == [
        {"id": excluded, "type": "public-key", "transports": ["internal", "hybrid"]}
    ]
    demanding = PasskeyPolicy(AttestationDemand.RECORDED)
    asked = json.loads(creation_options(RP, CHALLENGE.value, HANDLE, "Lan", demanding))
    assert asked["attestation"] == "direct"


def test_7_1_17_and_7_2_17_whoever_was_not_verified_is_refused() -> None:
    authenticator = device()
    passkey = add(authenticator)
    authenticator.verifies = False
    with pytest.raises(UserNotVerifiedError):
        use(authenticator, passkey)
    with pytest.raises(UserNotVerifiedError):
        add(authenticator)


@pytest.mark.parametrize(
    "origin", ["https://id.example", "https://id.example.evil.example:8443", "http://id.example:8443", "null"]
)
def test_7_2_13_another_origin_is_refused(origin: str) -> None:
    authenticator = device()
    passkey = add(authenticator)
    authenticator.origin = origin
    with pytest.raises(PasskeyError):
        use(authenticator, passkey)
    with pytest.raises(PasskeyError):
        add(authenticator)


def test_7_2_15_another_rp_id_is_refused() -> None:
    authenticator = device()
    passkey = add(authenticator)
    next(iter(authenticator.keys.values())).rp_id = "evil.example"
    with pytest.raises(PasskeyError):
        use(authenticator, passkey)
    with pytest.raises(PasskeyError):
        add(device(), rp_id="evil.example")


def test_7_2_14_a_frame_of_another_origin_is_refused() -> None:
    authenticator = device()
    passkey = add(authenticator)
    authenticator.cross_origin = True
    with pytest.raises(PasskeyError):
        use(authenticator, passkey)
    with pytest.raises(PasskeyError):
        add(authenticator)


def test_7_2_12_another_challenge_is_refused() -> None:
    authenticator = device()
    passkey = add(authenticator)
    with pytest.raises(PasskeyError):
        use(authenticator, passkey, challenge=Challenge(b"d" * 56, ASKED_AT))


def test_7_2_6_another_persons_handle_is_refused_and_a_missing_one_where_nobody_was_named() -> None:
    authenticator = device()
    passkey = add(authenticator)
    for is_named in (False, True):
        with pytest.raises(PasskeyError):
            use(authenticator, passkey, handle=b"x" * 32, is_named=is_named)
    with pytest.raises(PasskeyError):
        use(authenticator, passkey, handle=b"")
    assert use(authenticator, passkey, handle=b"", is_named=True).amr


def test_another_key_does_not_sign_for_this_passkey() -> None:
    mine, theirs = device(), device()
    passkey, other = add(mine), add(theirs)
    with pytest.raises(PasskeyError):
        use(theirs, passkey)
    # The same id, another key: what a thief of the public data alone could make.
    stolen = next(iter(theirs.keys.values()))
    stolen.credential_id = passkey.credential.credential_id
    with pytest.raises(PasskeyError):
        use(theirs, passkey)
    assert other.credential.public_key != passkey.credential.public_key


def test_6_1_1_a_copy_is_noticed_by_the_counter() -> None:
    authenticator = device(counts=True, **BOUND)
    passkey = add(authenticator)
    copy = authenticator.copy()
    for _ in range(3):
        shown = use(authenticator, passkey)
        passkey = replace(passkey, credential=replace(passkey.credential, sign_count=shown.sign_count))
    with pytest.raises(ClonedPasskeyError):
        use(copy, passkey)
    use(copy, replace(passkey, credential=replace(passkey.credential, sign_count=1)))


def test_an_answer_that_a_slow_connection_delivers_late_is_no_copy() -> None:
    """The page was opened, then the passkey was used elsewhere; only then this page's answer arrives."""
    authenticator = device(counts=True, **BOUND)
    passkey = add(authenticator)
    late = replace(
        passkey,
        credential=replace(passkey.credential, sign_count=7),
        last_used_at=ASKED_AT + timedelta(seconds=1),
    )
    with pytest.raises(OvertakenError):
        use(authenticator, late)
    with pytest.raises(ClonedPasskeyError):
        use(authenticator, replace(late, last_used_at=ASKED_AT - timedelta(seconds=1)))


def test_nobody_without_the_key_can_cry_copy() -> None:
    authenticator = device(counts=True, **BOUND)
    passkey = add(authenticator)
    forger = device(**BOUND)
    forger.keys = {passkey.credential.credential_id: next(iter(add_keys(forger)))}
    known = replace(passkey, credential=replace(passkey.credential, sign_count=9))
    with pytest.raises(PasskeyError) as refused:
        use(forger, known)
    assert not isinstance(refused.value, ClonedPasskeyError)


def add_keys(authenticator: SoftwareAuthenticator) -> list[Any]:
    passkey = add(authenticator)
    key = authenticator.keys[passkey.credential.credential_id]
    return [replace(key, credential_id=passkey.credential.credential_id)]


def test_a_key_does_not_change_whether_it_can_be_copied() -> None:
    authenticator = device(**BOUND)
    passkey = add(authenticator)
    authenticator.is_backup_eligible = authenticator.is_backed_up = True
    with pytest.raises(PasskeyError):
        use(authenticator, passkey)


def test_the_backup_state_is_told_anew_with_each_use() -> None:
    authenticator = device(is_backup_eligible=True, is_backed_up=False)
    passkey = add(authenticator)
    assert not passkey.credential.is_backed_up
    authenticator.is_backed_up = True
    assert use(authenticator, passkey).is_backed_up


def attested(
    maker: Maker, demand: AttestationDemand = AttestationDemand.REQUIRED, **model: Any
) -> PasskeyPolicy:
    models = {MODEL: AuthenticatorModel(MODEL, "Chìa khoá mẫu", **model)} if model else {}
    return PasskeyPolicy(demand, (maker.root,), models)


def test_a_proved_model_makes_a_hardware_passkey() -> None:
    maker = Maker(MODEL)
    authenticator = device(aaguid=MODEL, maker=maker, counts=True, **BOUND)
    policy = attested(maker)
    passkey = add(authenticator, policy)
    attestation = passkey.credential.attestation
    assert (attestation.fmt, attestation.is_trusted) == ("packed", True)
    assert attestation.statement is not None
    assert base64url_to_bytes(attestation.client_data_hash or "")
    assert use(authenticator, passkey, policy).amr == ("hwk", "user", "phr", "phrh")


@pytest.mark.parametrize(
    ("model", "uvm", "amr"),
    [
        ({"verification": "fpt"}, (), ("fpt",)),
        ({"verification": "pin"}, (FACEPRINT,), ("face",)),
        ({"is_hardware": True}, (FINGERPRINT, PASSCODE), ("fpt", "pin")),
        ({"is_hardware": True}, (), ()),
    ],
)
def test_how_the_holder_was_verified_is_known_of_a_proved_model(
    model: dict[str, Any], uvm: tuple[int, ...], amr: tuple[str, ...]
) -> None:
    maker = Maker(MODEL)
    authenticator = device(aaguid=MODEL, maker=maker, uvm=uvm, **BOUND)
    policy = attested(maker, **model)
    assert use(authenticator, add(authenticator, policy), policy).amr == ("hwk", "user", "phr", "phrh", *amr)


def test_nobodys_own_word_for_a_finger_counts() -> None:
    """A level with a biometric is worth nothing if a program can claim it."""
    policy = PasskeyPolicy(models={MODEL: AuthenticatorModel(MODEL, "Mẫu", "fpt")})
    authenticator = device(aaguid=MODEL, uvm=(FINGERPRINT,))
    assert use(authenticator, add(authenticator, policy), policy).amr == ("swk", "user", "phr")


def test_a_model_without_hardware_proves_none() -> None:
    maker = Maker(MODEL)
    policy = attested(maker, is_hardware=False)
    authenticator = device(aaguid=MODEL, maker=maker, **BOUND)
    assert use(authenticator, add(authenticator, policy), policy).amr == ("swk", "user", "phr")


def test_a_key_that_can_be_copied_is_no_hardware_whoever_vouches() -> None:
    maker = Maker(MODEL)
    assert not add(device(aaguid=MODEL, maker=maker, **SYNCED), attested(maker)).credential.is_hardware


@pytest.mark.parametrize("claimed", [Maker("11111111-2222-4333-8444-555555555555"), Maker(None), None])
def test_an_authenticator_that_nobody_vouches_for(claimed: Maker | None) -> None:
    """8.2: the chain leads nowhere, or the maker's word is for another model, or there is none."""
    root = Maker(MODEL)
    if claimed is not None and claimed.aaguid is not None:
        root = claimed  # its own root is known; its certificate speaks of another model
    authenticator = device(aaguid=MODEL, maker=claimed, **BOUND)
    with pytest.raises(UntrustedAuthenticatorError):
        add(authenticator, attested(root))
    recorded = attested(root, AttestationDemand.RECORDED)
    passkey = add(authenticator, recorded)
    assert (passkey.credential.attestation.is_trusted, passkey.credential.is_hardware) == (False, False)


def test_a_certificate_that_names_no_model_speaks_of_any() -> None:
    maker = Maker(None)
    assert add(device(aaguid=MODEL, maker=maker, **BOUND), attested(maker)).credential.is_hardware


def test_a_statement_that_was_not_signed_by_its_certificate_is_refused_under_every_policy() -> None:
    maker, thief = Maker(MODEL), Maker(MODEL)
    thief.key, thief._root, thief.root_key = thief.key, maker._root, maker.root_key
    chain = maker.chain

    class Liar(Maker):
        @property
        def chain(self) -> list[bytes]:
            return chain

    for demand in AttestationDemand:
        with pytest.raises(PasskeyError):
            add(device(aaguid=MODEL, maker=Liar(MODEL), **BOUND), attested(maker, demand))


def test_a_broken_model_is_refused() -> None:
    policy = PasskeyPolicy(models={MODEL: AuthenticatorModel(MODEL, "Mẫu", is_refused=True)})
    with pytest.raises(UntrustedAuthenticatorError):
        add(device(aaguid=MODEL), policy)


def test_other_formats_of_statements_are_refused() -> None:
    sent = json.loads(device().create(creation_options(RP, CHALLENGE.value, HANDLE, "Lan", NO_POLICY)))
    statement = base64url_to_bytes(sent["response"]["attestationObject"])
    changed = statement.replace(b"\x64none", b"\x71android-safetynet")
    assert changed != statement
    sent["response"]["attestationObject"] = bytes_to_base64url(changed)
    with pytest.raises(UntrustedAuthenticatorError):
        verify_registration(read_registration(json.dumps(sent)), RP, CHALLENGE, NO_POLICY)


JUNK = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["[" * 4000, "{" * 4000, '{"id":' * 2000, "1" * 5000, "null", "{}", '"a"']),
)


@given(JUNK)
def test_no_text_is_more_than_refused(text: str) -> None:
    for read in (read_assertion, read_registration):
        with pytest.raises(PasskeyError):
            read(text)


PARTS = st.one_of(
    st.binary(max_size=200),
    st.just(b"\x81" * 5000),
    st.just(b"[" * 5000),
    st.just(b'{"type":1,"challenge":[],"origin":{}}'),
)


@given(
    st.sampled_from(["clientDataJSON", "authenticatorData", "signature", "userHandle"]),
    st.one_of(PARTS.map(bytes_to_base64url), st.text(max_size=40), st.none(), st.integers()),
)
def test_no_part_of_an_assertion_is_more_than_refused(part: str, value: object) -> None:
    authenticator = device()
    passkey = add(authenticator)
    sent = json.loads(authenticator.get(request_options(RP, CHALLENGE.value)))
    if sent["response"][part] == value:
        return
    sent["response"][part] = value
    with pytest.raises(PasskeyError):
        verify_assertion(
            read_assertion(json.dumps(sent)), passkey, RP, CHALLENGE, HANDLE, NO_POLICY, is_named=False
        )


@given(
    st.sampled_from(["clientDataJSON", "attestationObject"]),
    st.one_of(PARTS.map(bytes_to_base64url), st.text(max_size=40), st.none(), st.integers()),
)
def test_no_part_of_a_registration_is_more_than_refused(part: str, value: object) -> None:
    sent = json.loads(device().create(creation_options(RP, CHALLENGE.value, HANDLE, "Lan", NO_POLICY)))
    sent["response"][part] = value
    with pytest.raises(PasskeyError):
        verify_registration(read_registration(json.dumps(sent)), RP, CHALLENGE, NO_POLICY)


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_no_flipped_byte_of_an_attested_key_is_more_than_refused(place: float, flip: int) -> None:
    """Public key, lengths and flags: the statement signs them all."""
    authenticator = device(aaguid=MODEL, maker=Maker(MODEL), **BOUND)
    sent = json.loads(authenticator.create(creation_options(RP, CHALLENGE.value, HANDLE, "Lan", NO_POLICY)))
    raw = bytearray(base64url_to_bytes(sent["response"]["attestationObject"]))
    signed = raw.index(b"authData") + len(b"authData") + 2
    raw[signed + int(place * (len(raw) - signed))] ^= flip
    sent["response"]["attestationObject"] = bytes_to_base64url(bytes(raw))
    with pytest.raises(PasskeyError):
        verify_registration(read_registration(json.dumps(sent)), RP, CHALLENGE, NO_POLICY)
