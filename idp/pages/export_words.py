"""The words of the file to read: what is held, and what happened to it when."""

from collections.abc import Callable, Mapping

from babel.support import Translations

from idp.pages.words import msgid
from idp.store.holdings import HoldingKind

HOLDINGS: Mapping[HoldingKind, str] = {
    HoldingKind.AUTHENTICATORS: msgid("Way to sign in"),
    HoldingKind.PASSKEYS: msgid("Passkey"),
    HoldingKind.PHONES: msgid("Phone that approves"),
    HoldingKind.RECOVERY_CODES: msgid("Recovery code"),
    HoldingKind.BROWSERS: msgid("Remembered browser"),
    HoldingKind.UPSTREAM_ACCOUNTS: msgid("Other identity provider"),
    HoldingKind.ACTIVATIONS: msgid("Activation or recovery"),
    HoldingKind.SESSIONS: msgid("Signed-in browser"),
    HoldingKind.NOTICE_PREFERENCES: msgid("How you want to be told"),
    HoldingKind.NOTICES: msgid("Message"),
    HoldingKind.CASES: msgid("Case"),
    HoldingKind.GUARDIANSHIPS: msgid("Guardian and child"),
    HoldingKind.GUARDIAN_REQUESTS: msgid("Question to a guardian"),
}

HAPPENINGS: Mapping[str, str] = {
    "answered_at": msgid("answered"),
    "auth_time": msgid("shown who you are"),
    "child_turns_16_at": msgid("the child turns 16"),
    "closed_at": msgid("closed"),
    "confirmed_at": msgid("confirmed"),
    "created_at": msgid("since"),
    "decided_at": msgid("decided"),
    "disconnected_at": msgid("disconnected"),
    "due_at": msgid("due"),
    "ended_at": msgid("ended"),
    "expires_at": msgid("until"),
    "first_used_at": msgid("first used"),
    "handed_over_at": msgid("handed over"),
    "issued_at": msgid("issued"),
    "last_seen_at": msgid("last seen"),
    "last_used_at": msgid("last used"),
    "opened_at": msgid("opened"),
    "revoked_at": msgid("removed"),
    "stopped_at": msgid("stopped"),
    "updated_at": msgid("changed"),
    "usable_from": msgid("usable from"),
    "used_at": msgid("used"),
    "valid_from": msgid("valid from"),
    "vetoed_at": msgid("said not to be you"),
}


def export_filters(translations: Translations) -> dict[str, Callable[..., object]]:
    """Return the filters of one language's templates, by their names there."""
    translate = translations.ugettext
    return {
        "holding": lambda kind: translate(HOLDINGS[kind]),
        "happening": lambda name: translate(HAPPENINGS[name]),
    }
