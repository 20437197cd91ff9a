import json
from typing import Any

import pytest

from idp.authenticators.passkey_models import (
    NO_MODEL,
    AttestationDemand,
    AuthenticatorModel,
    PasskeyPolicy,
    PasskeyPolicyError,
    read_policy,
)
from tests.support.software_authenticator import Maker

MODEL = "0d3a6b5e-7f0c-4c8e-9a52-2f6b3f1f7c11"
BROKEN = "ffffffff-0000-4000-8000-000000000000"


def written(**policy: Any) -> bytes:
    return json.dumps(policy).encode()


def test_a_policy_with_roots_and_models() -> None:
    first, second, third = (Maker().root for _ in range(3))
    policy = read_policy(
        written(
            attestation="required",
            roots=[(first + second).decode(), third.decode()],
            models={
                MODEL: {"name": "Chìa khoá mẫu", "verification": "fpt"},
                BROKEN: {"name": "Hỏng", "is_refused": True, "is_hardware": False},
            },
        )
    )
    assert (policy.attestation, policy.roots) == (AttestationDemand.REQUIRED, (first, second, third))
    assert policy.models == {
        MODEL: AuthenticatorModel(MODEL, "Chìa khoá mẫu", "fpt"),
        BROKEN: AuthenticatorModel(BROKEN, "Hỏng", is_hardware=False, is_refused=True),
    }
    assert read_policy(b"{}") == PasskeyPolicy()


@pytest.mark.parametrize(
    "model",
    [
        {NO_MODEL: {"name": "Nobody"}},
        {MODEL.upper(): {"name": "Upper case"}},
        {MODEL: "name"},
        {MODEL: {}},
        {MODEL: {"name": ""}},
        {MODEL: {"name": "n" * 65}},
        {MODEL: {"name": "a\nb"}},
        {MODEL: {"name": "x", "verification": "voice"}},
        {MODEL: {"name": "x", "verification": ["fpt"]}},
        {MODEL: {"name": "x", "is_hardware": "yes"}},
        {MODEL: {"name": "x", "hardware": True}},
    ],
)
def test_a_model_that_cannot_be_meant_is_refused(model: dict[str, Any]) -> None:
    with pytest.raises(PasskeyPolicyError):
        read_policy(written(models=model))


@pytest.mark.parametrize(
    "document",
    [
        b"{",
        b"[]",
        written(root=[]),
        written(attestation="perhaps"),
        written(attestation=["none"]),
        written(attestation="required"),
        written(roots="x"),
        written(roots=[1]),
        written(roots=[""]),
        written(roots=["-----BEGIN CERTIFICATE-----"]),
        written(models=[]),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(document: bytes) -> None:
    with pytest.raises(PasskeyPolicyError):
        read_policy(document)


def test_a_passkey_is_called_as_people_know_its_place() -> None:
    policy = PasskeyPolicy(models={MODEL: AuthenticatorModel(MODEL, "Chìa khoá mẫu")})
    assert policy.name_of(MODEL) == "Chìa khoá mẫu"
    assert policy.name_of("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4") == "Google Password Manager"
    assert policy.name_of(NO_MODEL) is None
