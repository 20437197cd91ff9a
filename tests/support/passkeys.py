"""Passkeys of fictitious people: given without pages, and shown to pages as a browser's script would."""

import json
import re
from html import unescape
from typing import Any

import httpx

from idp.authenticators.passkeys import Passkey
from idp.web.passkeys import add_passkey, new_passkey_options
from tests.support.html_forms import Html
from tests.support.provider import Person, Provider
from tests.support.software_authenticator import SoftwareAuthenticator

OPTIONS = re.compile(r'data-options="([^"]*)"')
ROAMING = {"is_backup_eligible": False, "is_backed_up": False, "counts": True, "transports": ("usb",)}
"""What makes an authenticator a security key."""


def authenticator_of(provider: Provider, **facts: Any) -> SoftwareAuthenticator:
    """Return a new device at the provider's origin."""
    return SoftwareAuthenticator(provider.settings.issuer, **facts)


async def give_passkey(
    provider: Provider, person: Person, authenticator: SoftwareAuthenticator, name: str = ""
) -> Passkey:
    """Add a passkey as the page would, without the page."""
    context, uow, now = provider.context, provider.unit_of_work(), provider.clock.now
    options = await new_passkey_options(context, uow, person.citizen_id, "Lan", "test", now)
    sent = authenticator.create(options)
    passkey = await add_passkey(context, uow, sent, name, person.citizen_id, "test", now)
    await uow.commit()
    return passkey


def options_on(page: httpx.Response) -> str:
    """Return what a page asks its browser."""
    found = OPTIONS.search(page.text)
    assert found is not None, f"{page.url} asks for no passkey"
    return unescape(found[1])


def credential_ids(options: str, name: str = "allowCredentials") -> list[str]:
    """Return which passkeys the options name."""
    return [each["id"] for each in json.loads(options).get(name, ())]


async def show_passkey(
    http: httpx.AsyncClient, page: httpx.Response, authenticator: SoftwareAuthenticator, **lies: Any
) -> httpx.Response:
    """Answer a page with a passkey, as its script would."""
    form = Html(page.text).forms["passkey"]
    credential = authenticator.get(options_on(page), **lies)
    return await http.post(form.action, data={**form.fields, "credential": credential})


async def sign_in_by_passkey(
    http: httpx.AsyncClient, authenticator: SoftwareAuthenticator, address: str = "/sign-in/my", **lies: Any
) -> httpx.Response:
    """Open a sign-in page and answer it."""
    return await show_passkey(http, await http.get(address), authenticator, **lies)
