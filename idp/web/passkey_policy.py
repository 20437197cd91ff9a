"""Whose passkeys are believed in what: the operator's file, read once when the process starts."""

from pathlib import Path

from idp.authenticators.passkey_models import PasskeyPolicy, PasskeyPolicyError, read_policy
from idp.settings import PREFIX, SettingsError


def open_passkey_policy(path: Path | None) -> PasskeyPolicy:
    """Read the policy at `path`; without one every passkey is taken, and none is believed to be hardware.

    Raises SettingsError.
    """
    if path is None:
        return PasskeyPolicy()
    try:
        return read_policy(path.read_bytes())
    except (OSError, PasskeyPolicyError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(f"{PREFIX}PASSKEY_POLICY: {reason}") from error
