import json
from pathlib import Path

import pytest

from idp.authenticators.passkey_models import AttestationDemand, PasskeyPolicy
from idp.operators.settings_report import contradictions
from idp.settings import Settings, SettingsError
from idp.web.passkey_policy import open_passkey_policy
from tests.support.software_authenticator import Maker


def test_without_a_file_every_passkey_is_taken_and_none_is_hardware() -> None:
    assert open_passkey_policy(None) == PasskeyPolicy()


def test_the_file_is_read_once(tmp_path: Path) -> None:
    maker, path = Maker(), tmp_path / "passkeys.json"
    path.write_text(json.dumps({"attestation": "required", "roots": [maker.root.decode()]}))
    policy = open_passkey_policy(path)
    assert (policy.attestation, policy.roots) == (AttestationDemand.REQUIRED, (maker.root,))
    assert contradictions(Settings(passkey_policy=path)) == []


@pytest.mark.parametrize("content", [None, "{", '{"attestation": "required"}'])
def test_a_file_that_cannot_be_used_is_named_before_anybody_signs_in(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "passkeys.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError, match="IDP_PASSKEY_POLICY"):
        open_passkey_policy(path)
    [problem] = contradictions(Settings(passkey_policy=path))
    assert problem.startswith("IDP_PASSKEY_POLICY: ")
