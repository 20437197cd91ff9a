import json
from typing import Any

import pytest

from idp.authenticators.passkey_models import (
    NO_MODEL,
    AuthenticatorModel,
    PasskeyPolicy,
    PasskeyPolicyError,
    read_models,
    read_roots,
)
from tests.support.software_authenticator import Maker

MODEL = "0d3a6b5e-7f0c-4c8e-9a52-2f6b3f1f7c11"


def test_a_file_of_models() -> None:
    document = {
        MODEL: {"name": "Chìa khoá mẫu", "verification": "fpt"},
        "ffffffff-0000-4000-8000-000000000000": {
            "name": "Hỏng",
            "is_refused": True,
            "is_hardware": False,
        },
    }
    models = read_models(json.dumps(document).encode())
    assert models[MODEL] == AuthenticatorModel(MODEL, "Chìa khoá mẫu", "fpt")
    assert [each.is_refused for each in models.values()] == [False, True]


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
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
def test_a_file_that_cannot_be_meant_is_refused(document: Any) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(PasskeyPolicyError):
        read_models(text.encode())


def test_roots_are_taken_apart() -> None:
    first, second = Maker().root, Maker().root
    assert read_roots(first + second) == (first, second)
    for pem in (b"", b"no certificate", first[:80]):
        with pytest.raises(PasskeyPolicyError):
            read_roots(pem)


def test_a_passkey_is_called_as_people_know_its_place() -> None:
    policy = PasskeyPolicy(models={MODEL: AuthenticatorModel(MODEL, "Chìa khoá mẫu")})
    assert policy.name_of(MODEL) == "Chìa khoá mẫu"
    assert policy.name_of("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4") == "Google Password Manager"
    assert policy.name_of(NO_MODEL) is None
