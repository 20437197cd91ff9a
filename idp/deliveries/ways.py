"""The ways by which people are told, as the settings set them up; one that is not set up is not there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from idp.identity.notices import Channel
from idp.outbound.channels import Gateway, Way
from idp.outbound.guarded_http import GuardedHTTP, tls_context
from idp.outbound.mail import Mail, MailServer
from idp.settings import Settings


@dataclass(frozen=True, slots=True)
class WaysToPeople:
    """How people can be reached."""

    ways: Mapping[Channel, Way] = field(default_factory=dict)
    push_sector: str = ""
    """The sector whose subjects the app's gateway knows its people by: its own host."""
    quick_networks: int = 5
    """At so many networks a person may link accounts within a day; beyond, it is a signal (P4)."""


def open_ways(settings: Settings, http: GuardedHTTP) -> WaysToPeople:
    """Set up what the settings name. Raises SettingsError for a secret that cannot be read."""
    ways: dict[Channel, Way] = {}
    own_host = urlsplit(settings.issuer).hostname or ""
    if settings.smtp_url is not None:
        ways[Channel.EMAIL] = Mail(
            MailServer.parse(settings.smtp_url),
            tls_context(settings.outbound_ca_file),
            sender=settings.mail_from or f"no-reply@{own_host}",
            password=settings.smtp_password,
            own_host=own_host,
        )
    if settings.sms_gateway is not None:
        ways[Channel.SMS] = Gateway(http, settings.sms_gateway, settings.sms_gateway_secret)
    if settings.push_gateway is not None:
        ways[Channel.PUSH] = Gateway(http, settings.push_gateway, settings.push_gateway_secret)
    push_sector = urlsplit(settings.push_gateway or "").hostname or ""
    return WaysToPeople(ways, push_sector, settings.quick_networks)
