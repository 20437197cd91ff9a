"""What a recovery ends: everything that let somebody in, but for what the person says they still have.

Whole sets are named by what is *kept*, never by what goes: whatever was added by somebody else between the
page and its button goes, too.
"""

from datetime import datetime

from sqlalchemy import literal_column, not_, null

from idp.identity.activations import Kept
from idp.store.credential_tables import (
    app_devices,
    passkeys,
    recovery_codes,
    trusted_browsers,
    upstream_accounts,
)
from idp.store.encoding import micros
from idp.store.recorder import Recorder
from idp.store.tables import authenticators
from idp.store.text_lists import one_of, text_list
from idp.store.writes import Change, Remove

RECOVERED = "recovered"
"""Why they ended."""

_PASSKEYS = Change(
    "passkeys_lost",
    passkeys,
    where=lambda bind: (
        (passkeys.c.citizen_id == bind("citizen"))
        & (passkeys.c.revoked_at == null())
        & not_(one_of(passkeys.c.passkey_id, bind("kept")))
    ),
    values=lambda bind: {"revoked_at": bind("now"), "revoked_because": bind("because")},
)
_PHONES = Change(
    "phones_lost",
    app_devices,
    where=lambda bind: (
        (app_devices.c.citizen_id == bind("citizen"))
        & (app_devices.c.revoked_at == null())
        & not_(one_of(app_devices.c.device_id, bind("kept")))
    ),
    values=lambda bind: {"revoked_at": bind("now"), "revoked_because": bind("because")},
)
_UPSTREAMS = Change(
    "upstreams_lost",
    upstream_accounts,
    where=lambda bind: (
        (upstream_accounts.c.citizen_id == bind("citizen"))
        & (upstream_accounts.c.disconnected_at == null())
        & not_(one_of(upstream_accounts.c.upstream_id, bind("kept")))
    ),
    values=lambda bind: {"disconnected_at": bind("now")},
)
_PASSWORD = Remove(
    "password_lost",
    authenticators,
    where=lambda bind: (
        (authenticators.c.citizen_id == bind("citizen"))
        & (authenticators.c.kind == literal_column("'password'"))
    ),
)
_TOTP = Remove(
    "totp_lost",
    authenticators,
    where=lambda bind: (
        (authenticators.c.citizen_id == bind("citizen")) & (authenticators.c.kind == literal_column("'totp'"))
    ),
)
_RECOVERY_CODES = Remove(
    "recovery_codes_lost", recovery_codes, where=lambda bind: recovery_codes.c.citizen_id == bind("citizen")
)
_BROWSERS = Change(
    "browsers_lost",
    trusted_browsers,
    where=lambda bind: (
        (trusted_browsers.c.citizen_id == bind("citizen")) & (trusted_browsers.c.revoked_at == null())
    ),
    values=lambda bind: {"revoked_at": bind("now")},
)


class LostCredentials:
    """The end of what somebody lost, recorded before what they set up instead."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def end(self, citizen_id: str, kept: Kept, now: datetime) -> None:
        """Record the end of everything but what is kept; trusted browsers are never kept."""
        at = micros(now)
        record = self._recorder.record
        for write, ids in ((_PASSKEYS, kept.passkeys), (_PHONES, kept.phones)):
            record(write, citizen=citizen_id, kept=text_list(sorted(ids)), now=at, because=RECOVERED)
        record(_UPSTREAMS, citizen=citizen_id, kept=text_list(sorted(kept.upstreams)), now=at)
        record(_BROWSERS, citizen=citizen_id, now=at)
        if not kept.has_totp:
            record(_TOTP, citizen=citizen_id)
        if not kept.has_recovery_codes:
            record(_RECOVERY_CODES, citizen=citizen_id)

    def end_password(self, citizen_id: str) -> None:
        """Record the end of a password in whose place another kind of authenticator comes."""
        self._recorder.record(_PASSWORD, citizen=citizen_id)
