"""What a page asks of the browser: the options of both ceremonies, as JSON. WebAuthn §5.4, §5.5.

Both demand that the holder is verified. A new passkey must be discoverable, so that its holder need not say
who they are before they use it. Nothing in the options is a secret, and no personal number stands in them.
"""

import json
from collections.abc import Sequence
from datetime import timedelta

from webauthn import generate_authentication_options, generate_registration_options
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from idp.authenticators.passkey_models import AttestationDemand, PasskeyPolicy
from idp.authenticators.passkeys import ALGORITHMS, Passkey, RelyingParty

TIMEOUT = timedelta(minutes=5)
"""WebAuthn §15.1: with user verification 5 to 10 minutes, so that nobody is hurried."""

_MILLISECONDS = TIMEOUT // timedelta(milliseconds=1)


def request_options(rp: RelyingParty, challenge: bytes, passkeys: Sequence[Passkey] = ()) -> str:
    """Return the options of a sign-in; with `passkeys` only these may be shown."""
    options = options_to_json_dict(
        generate_authentication_options(
            rp_id=rp.rp_id,
            challenge=challenge,
            timeout=_MILLISECONDS,
            allow_credentials=[_descriptor(each) for each in passkeys],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )
    return json.dumps({**options, "extensions": {"uvm": True}})


def creation_options(
    rp: RelyingParty,
    challenge: bytes,
    user_handle: bytes,
    user_name: str,
    policy: PasskeyPolicy,
    passkeys: Sequence[Passkey] = (),
) -> str:
    """Return the options of a new passkey.

    `user_name` is what the person's own device shows them: a name, never a number. `passkeys` are those that
    they have already: an authenticator holds one for each person.
    """
    is_asked = policy.attestation is not AttestationDemand.NONE
    options = generate_registration_options(
        rp_id=rp.rp_id,
        rp_name=rp.rp_id,
        user_id=user_handle,
        user_name=user_name,
        challenge=challenge,
        timeout=_MILLISECONDS,
        attestation=(
            AttestationConveyancePreference.DIRECT if is_asked else AttestationConveyancePreference.NONE
        ),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[_descriptor(each) for each in passkeys],
        supported_pub_key_algs=ALGORITHMS,
    )
    return json.dumps(options_to_json_dict(options))


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(
        id=passkey.credential.credential_id,
        transports=[AuthenticatorTransport(each) for each in passkey.credential.transports],
    )
