"""Chromium's virtual authenticators: devices behind one page, by the CDP domain WebAuthn."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page

PLATFORM = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": True}
"""What a phone or a computer has built in."""
SECURITY_KEY = {**PLATFORM, "transport": "usb"}
"""What somebody carries along."""
KEY_WITHOUT_MEMORY = {**SECURITY_KEY, "hasResidentKey": False}
"""An old one: it knows no passkeys, only second factors."""


@dataclass
class VirtualAuthenticator:
    """One device. Its holder is there and verified, until a test says otherwise."""

    session: CDPSession
    name: str

    def passkeys(self) -> list[dict[str, Any]]:
        """Return what it holds, private keys included."""
        found: list[dict[str, Any]] = self._send("WebAuthn.getCredentials")["credentials"]
        return found

    def add(self, credential: dict[str, Any]) -> None:
        """Put a credential into it: a copy of another's."""
        known = {name: credential[name] for name in _KEPT if name in credential}
        self._send("WebAuthn.addCredential", credential=known)

    def verifies(self, *, is_verified: bool) -> None:
        """Have its holder be verified, or not."""
        self._send("WebAuthn.setUserVerified", isUserVerified=is_verified)

    def is_touched(self, *, is_touched: bool) -> None:
        """Have somebody touch it as soon as it is asked, or nobody."""
        self._send("WebAuthn.setAutomaticPresenceSimulation", enabled=is_touched)

    def remove(self) -> None:
        """Remove the device."""
        self._send("WebAuthn.removeVirtualAuthenticator")

    def _send(self, command: str, **parameters: Any) -> Any:
        return self.session.send(command, {"authenticatorId": self.name, **parameters})


_KEPT = ("credentialId", "isResidentCredential", "rpId", "privateKey", "userHandle", "signCount")


def devices(page: Page) -> CDPSession:
    """Give a page virtual devices instead of real ones."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    return session


def plug_in(session: CDPSession, kind: dict[str, Any] = PLATFORM, **facts: Any) -> VirtualAuthenticator:
    """Add a device to a page that has virtual ones."""
    options = {
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        **kind,
        **facts,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return VirtualAuthenticator(session, made["authenticatorId"])


def with_authenticator(page: Page, kind: dict[str, Any] = PLATFORM) -> VirtualAuthenticator:
    """Give a page one virtual device instead of all real ones."""
    return plug_in(devices(page), kind)
