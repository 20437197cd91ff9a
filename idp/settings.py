"""The settings of a provider: environment variables that begin with IDP_; unknown ones are refused."""

import os
import re
from datetime import date, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from pydantic import AfterValidator, Field, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from idp.identity.activations import SHORTEST_WAITING
from idp.identity.register import Mode
from idp.protocol.client_certificate import ClientCertificateError, read_authorities
from idp.protocol.jose import JOSEError
from idp.protocol.software_statement import StatementIssuers, read_statement_issuers

PREFIX = "IDP_"

_Setting = TypeVar("_Setting")
_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,253}")


class SettingsError(ValueError):
    """The settings cannot be used; the message names each one and what is wrong with it."""


def _check_issuer(issuer: str) -> str:
    parts = urlsplit(issuer)
    loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ValueError("must be https (http is allowed on localhost only)")
    if parts.query or parts.fragment or parts.username or issuer.endswith("/"):
        raise ValueError("must have no query, fragment, user name or slash at the end")
    return issuer


def _check_mtls_origin(origin: str) -> str:
    if not origin.startswith("https://"):
        raise ValueError("must be https")
    return _check_issuer(origin)


def _check_smtp_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError("must be smtps://user@host:port, or smtp:// for STARTTLS")
    if parts.password is not None:
        raise ValueError("must hold no password: that stands in a file of its own")
    return url


def _check_mail_address(address: str) -> str:
    if not _MAIL_ADDRESS.fullmatch(address):
        raise ValueError("must be one plain e-mail address")
    return address


def _check_gateway(uri: str) -> str:
    parts = urlsplit(uri)
    is_here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and is_here)):
        raise ValueError("must be https (http is allowed on localhost only)")
    return uri


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(each.strip(), strict=False) for each in text.split(",") if each.strip())


def _check_networks(text: str) -> str:
    try:
        _networks(text)
    except ValueError as error:
        raise ValueError("must be addresses or networks, with commas between them") from error
    return text


def _check_database_url(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return url


def _days(text: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(each.strip()) for each in text.split(",") if each.strip())


def _check_days(text: str) -> str:
    try:
        _days(text)
    except ValueError as error:
        raise ValueError("must be days such as 2027-02-05, with commas between them") from error
    return text


def _check_is_for_tests(setting: _Setting, info: ValidationInfo) -> _Setting:
    if setting and info.data.get("mode") is Mode.PRODUCTION:
        raise ValueError("is for tests alone: it must be false in mode production")
    return setting


def _check_recovery_waits(hours: int, info: ValidationInfo) -> int:
    if timedelta(hours=hours) < SHORTEST_WAITING and info.data.get("mode") is Mode.PRODUCTION:
        raise ValueError("must be 24 at least in mode production")
    return hours


def _read_secret(name: str, path: Path | None) -> str:
    if path is None:
        raise SettingsError(f"{PREFIX}{name}: is needed beside the address")
    try:
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it must be ASCII"
        raise SettingsError(f"{PREFIX}{name}: {reason}") from error
    if not secret or not secret.isprintable():
        raise SettingsError(f"{PREFIX}{name}: one line that is not empty is needed")
    return secret


class Settings(BaseSettings):
    """Every setting, with its meaning. `idp settings` prints them with their present values."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    issuer: Annotated[str, AfterValidator(_check_issuer)] = Field(
        default="http://localhost:8000",
        description="The issuer identifier: the public base address, without a slash.",
    )
    database_url: Annotated[str, AfterValidator(_check_database_url)] = Field(
        default="sqlite:///lienket.sqlite3",
        description="sqlite:///relative, sqlite:////absolute or postgresql://user@host/database.",
    )
    database_connections: int = Field(
        default=8, ge=1, le=100, description="Connections to PostgreSQL that each process keeps."
    )
    keys_dir: Path = Field(default=Path("keys-data"), description="The directory of signing and data keys.")
    seal_file: Path | None = Field(
        default=None,
        description="The file with the secret that seals the keys; <keys dir>/seal.secret when not given.",
    )
    mode: Mode = Field(
        default=Mode.DEMO,
        description="demo and sandbox take fictitious people only, production real ones only.",
    )
    log_file: Path | None = Field(
        default=None, description="Where to append the log; standard error when not given."
    )
    forwarded_allow_ips: str = Field(
        default="127.0.0.1",
        description="Addresses of proxies whose X-Forwarded-For is believed, separated by commas.",
    )
    session_idle_minutes: int = Field(
        default=30, ge=1, le=1440, description="A session unused this long is over."
    )
    session_absolute_hours: int = Field(default=12, ge=1, le=168, description="A session this old is over.")
    code_seconds: int = Field(default=60, ge=5, le=60, description="Lifetime of an authorization code.")
    access_token_minutes: int = Field(default=10, ge=1, le=60, description="Lifetime of an access token.")
    refresh_token_days: int = Field(default=30, ge=1, le=365, description="Lifetime of one refresh token.")
    hashing_threads: int = Field(
        default=0, ge=0, le=64, description="Threads that hash passwords; 0 takes one for each processor."
    )
    free_password_attempts: int = Field(
        default=5, ge=1, le=100, description="Wrong sign-ins per person and source before waiting begins."
    )
    source_attempts: int = Field(
        default=100,
        ge=1,
        le=100_000,
        description="Wrong sign-ins from one source, whoever is named, before it waits.",
    )
    unanswered_requests: int = Field(
        default=20,
        ge=1,
        le=100_000,
        description="Backchannel requests of one client to one person, not agreed to, in an hour.",
    )
    own_consent_days: int = Field(
        default=60,
        ge=7,
        le=365,
        description="How long whoever turned 16 has to agree to links that a guardian approved.",
    )
    recovery_waiting_hours: Annotated[int, AfterValidator(_check_recovery_waits)] = Field(
        default=72,
        ge=0,
        le=720,
        description="How long a recovery waits and can be stopped; at least 24 in mode production.",
    )
    automated_approvals: Annotated[bool, AfterValidator(_check_is_for_tests)] = Field(
        default=False,
        description="Whether tests may answer backchannel requests by POST; never in production.",
    )
    fetch_loopback: bool | None = Field(
        default=None,
        description="Whether clients' addresses may lie on this machine; outside production by default.",
    )
    outbound_ca_file: Path | None = Field(
        default=None,
        description="A file of CA certificates (PEM) that outgoing TLS trusts beside the system's.",
    )

    open_registration: Annotated[bool, AfterValidator(_check_is_for_tests)] = Field(
        default=False,
        description="Whether clients register without an initial access token; never in production.",
    )
    software_statement_issuers: Path | None = Field(
        default=None,
        description="A JSON file of the issuers of software statements: an object of JWK Sets by `iss`.",
    )
    dpop_nonce: Literal["required", "offered"] = Field(
        default="required",
        description="Whether every DPoP proof must hold a nonce of ours, or may.",
    )
    mtls_origin: Annotated[str, AfterValidator(_check_mtls_origin)] | None = Field(
        default=None,
        description="Where clients reach the endpoints by mutual TLS: https, without a slash at the end.",
    )
    tls_client_ca: Path | None = Field(
        default=None,
        description="A file of CA certificates (PEM) that issue certificates for tls_client_auth.",
    )
    client_certificate_header: str | None = Field(
        default=None,
        description="The header in which a proxy passes a client's certificate: RFC 9440 or URL-encoded PEM.",
    )
    client_certificate_proxies: Annotated[str, AfterValidator(_check_networks)] | None = Field(
        default=None,
        description="Addresses or networks of the proxies whose certificate header is believed, with commas.",
    )
    smtp_url: Annotated[str, AfterValidator(_check_smtp_url)] | None = Field(
        default=None,
        description="The mail server for notices: smtps://user@host:port, or smtp:// for STARTTLS.",
    )
    smtp_password_file: Path | None = Field(
        default=None, description="The file with the password of the user in IDP_SMTP_URL."
    )
    mail_from: Annotated[str, AfterValidator(_check_mail_address)] | None = Field(
        default=None, description="The sender of e-mail; no-reply at the issuer's host when not given."
    )
    sms_gateway: Annotated[str, AfterValidator(_check_gateway)] | None = Field(
        default=None, description="The gateway to which text messages are posted as JSON."
    )
    sms_gateway_secret_file: Path | None = Field(
        default=None, description="The file with the bearer secret for IDP_SMS_GATEWAY."
    )
    push_gateway: Annotated[str, AfterValidator(_check_gateway)] | None = Field(
        default=None, description="The gateway to which messages in the app are posted as JSON."
    )
    push_gateway_secret_file: Path | None = Field(
        default=None, description="The file with the bearer secret for IDP_PUSH_GATEWAY."
    )
    quick_networks: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="Networks at which a person links accounts within a day before it is a signal.",
    )
    holidays: Annotated[str, AfterValidator(_check_days)] | None = Field(
        default=None,
        description="Days off in Viet Nam beside weekends, with commas: they move the clock of withdrawals.",
    )

    upstreams: Path | None = Field(
        default=None,
        description="A JSON file of external e-ID providers at which people sign in: idp/UPSTREAMS.md.",
    )

    passkey_policy: Path | None = Field(
        default=None,
        description="A JSON file: whose attestations of passkeys count, and what is known of authenticators.",
    )

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises SettingsError for an unknown or unusable setting."""
        known = {PREFIX + name.upper() for name in cls.model_fields}
        unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
        problems = [f"{name}: there is no such setting" for name in unknown]
        try:
            settings = cls()
        except ValidationError as error:
            problems += [
                f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']}" for problem in error.errors()
            ]
        if problems:
            raise SettingsError("; ".join(problems))
        return settings

    @property
    def days_off(self) -> frozenset[date]:
        """Return the holidays."""
        return _days(self.holidays or "")

    @property
    def certificate_proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return where the proxies connect from whose certificate header is believed."""
        return _networks(self.client_certificate_proxies or "")

    @property
    def certificate_authorities(self) -> tuple[x509.Certificate, ...]:
        """Read the authorities whose certificates name a client. Raises SettingsError."""
        if self.tls_client_ca is None:
            return ()
        try:
            return read_authorities(self.tls_client_ca.read_bytes())
        except (OSError, ClientCertificateError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise SettingsError(f"{PREFIX}TLS_CLIENT_CA: {reason}") from error

    @property
    def statement_issuers(self) -> StatementIssuers:
        """Read the keys of whoever signs software statements. Raises SettingsError."""
        if self.software_statement_issuers is None:
            return {}
        try:
            return read_statement_issuers(self.software_statement_issuers.read_bytes())
        except (OSError, JOSEError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise SettingsError(f"{PREFIX}SOFTWARE_STATEMENT_ISSUERS: {reason}") from error

    @property
    def smtp_password(self) -> str | None:
        """Read the password for the mail server, if there is one. Raises SettingsError."""
        if self.smtp_password_file is None:
            return None
        return _read_secret("SMTP_PASSWORD_FILE", self.smtp_password_file)

    @property
    def sms_gateway_secret(self) -> str:
        """Read the secret for text messages. Raises SettingsError."""
        return _read_secret("SMS_GATEWAY_SECRET_FILE", self.sms_gateway_secret_file)

    @property
    def push_gateway_secret(self) -> str:
        """Read the secret for messages in the app. Raises SettingsError."""
        return _read_secret("PUSH_GATEWAY_SECRET_FILE", self.push_gateway_secret_file)

    @property
    def may_fetch_loopback(self) -> bool:
        """Tell whether this process may fetch a client's keys from its own machine."""
        return self.mode is not Mode.PRODUCTION if self.fetch_loopback is None else self.fetch_loopback
