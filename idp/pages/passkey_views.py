"""The view models of a person's passkeys. Beside `views`, under the same rules."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from idp.pages.sign_in_views import PasskeyAsk
from idp.pages.views import Page


class PasskeyKind(StrEnum):
    """Where a passkey lies, as its holder should know it."""

    HARDWARE = "hardware"
    """On a security key or a chip, proved."""
    SYNCED = "synced"
    """Copied among the devices of its holder by their provider."""
    DEVICE = "device"
    """On one device alone, as far as it says."""


class PasskeysNotice(StrEnum):
    """What was just done."""

    ADDED = "added"
    NAMED = "named"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyCard:
    """One passkey as its holder sees it."""

    name: str
    """Empty where they called it nothing and its provider is not known."""
    kind: PasskeyKind
    created_at: datetime
    last_used_at: datetime | None
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeysPage(Page):
    """With which passkeys do I sign in? One card each; never more than a page holds."""

    template: ClassVar[str] = "passkeys/passkeys.html"

    passkeys: tuple[PasskeyCard, ...]
    add_uri: str | None
    """None for whoever has as many as there may be."""
    accepted: str
    """For the devices: which passkeys are still good, as JSON (WebAuthn §5.1.10)."""
    notice: PasskeysNotice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasskeyPage(Page):
    """Add a passkey? `form#passkey` with `credential` and `name`."""

    template: ClassVar[str] = "passkeys/new.html"

    passkey: PasskeyAsk
    name: str = ""
    longest_name: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyPage(Page):
    """What is this passkey called, and do I keep it? `form#name` with `name`, `form#remove`."""

    template: ClassVar[str] = "passkeys/passkey.html"

    passkey: PasskeyCard
    name_action: str
    longest_name: int
    remove_action: str | None
    """None where it is the person's only way to sign in."""
