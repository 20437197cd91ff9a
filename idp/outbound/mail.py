"""E-mail by SMTP. RFC 5321, RFC 5322, RFC 3207 (STARTTLS), RFC 8314 (TLS at once), RFC 3834 (automatic mail).

Nothing leaves unencrypted but to this machine itself. Headers are made of our own words and of an address
that was read as one, by a library that refuses line breaks: no header can be smuggled in, and the text is
encoded so that nothing in it ends the message (SMTP smuggling).
"""

import asyncio
import ssl
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from ipaddress import ip_address
from typing import Self
from urllib.parse import unquote, urlsplit

import aiosmtplib

from idp.outbound.channels import Message, MessageNotSentError, UnknownRecipientError
from idp.outbound.guarded_http import TIMEOUT_SECONDS

MAIL_SECONDS = 3 * TIMEOUT_SECONDS
"""How long handing over one message may take: several exchanges, and servers that greet slowly on purpose."""
_NO_SUCH_MAILBOX = frozenset({550, 551, 553})
_BAD_ADDRESS = "5.1."
"""RFC 3463 §3.2. Without it, 550 may as well mean that the server takes nothing from us today."""


class Encryption(StrEnum):
    """How the connection to the mail server is encrypted."""

    AT_ONCE = "at_once"
    """RFC 8314 §3.3."""
    STARTTLS = "starttls"
    """RFC 3207; without it nothing is handed over."""
    NONE = "none"
    """On this machine itself."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, read from an address such as `smtps://user@mail.example`."""

    host: str
    port: int
    user: str | None
    encryption: Encryption

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Read an address that the settings have checked."""
        parts = urlsplit(uri)
        host = parts.hostname or ""
        user = None if parts.username is None else unquote(parts.username)
        if parts.scheme == "smtps":
            return cls(host, parts.port or 465, user, Encryption.AT_ONCE)
        encryption = Encryption.NONE if _is_here(host) else Encryption.STARTTLS
        return cls(host, parts.port or 587, user, encryption)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Mail:
    """The way by e-mail: one connection for each message, closed after it."""

    def __init__(
        self,
        server: MailServer,
        tls: ssl.SSLContext,
        *,
        sender: str,
        password: str | None,
        own_host: str,
    ) -> None:
        """Remember the way; `own_host` is the provider's name, by which it greets and names its messages."""
        self._server = server
        self._tls = tls
        self._sender = sender
        self._password = password
        self._own_host = own_host

    async def send(self, message: Message) -> None:
        """Hand it to the mail server. Raises MessageNotSentError, UnknownRecipientError."""
        recipient = _read_address(message.to)
        mail = self._compose(message, recipient)
        server = self._server
        try:
            async with asyncio.timeout(MAIL_SECONDS):
                await aiosmtplib.send(
                    mail,
                    sender=self._sender,
                    recipients=[recipient.addr_spec],
                    hostname=server.host,
                    port=server.port,
                    username=server.user,
                    password=self._password if server.user is not None else None,
                    local_hostname=self._own_host,
                    timeout=MAIL_SECONDS,
                    use_tls=server.encryption is Encryption.AT_ONCE,
                    start_tls=server.encryption is Encryption.STARTTLS,
                    tls_context=self._tls,
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            # One message, one recipient: what is refused is that one.
            refused = error.recipients[0]
            if refused.code in _NO_SUCH_MAILBOX and refused.message.startswith(_BAD_ADDRESS):
                raise UnknownRecipientError(f"the mail server answered {refused.code}") from error
            raise MessageNotSentError(f"the mail server answered {refused.code}") from error
        except aiosmtplib.SMTPResponseException as error:
            raise MessageNotSentError(f"the mail server answered {error.code}") from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise MessageNotSentError(f"the mail server: {type(error).__name__}") from error

    def _compose(self, message: Message, recipient: Address) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        sender = Address(addr_spec=self._sender)
        mail["From"] = Address(self._own_host, sender.username, sender.domain)
        mail["To"] = recipient
        mail["Subject"] = message.title
        # The same for every try, so that whoever gets it twice is shown it once.
        mail["Message-ID"] = f"<{message.message_id}@{self._own_host}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["Content-Language"] = message.ui_locale
        mail.set_content(message.text, charset="utf-8", cte="quoted-printable")
        return mail


def _read_address(text: str) -> Address:
    """Read an address of the register. Raises UnknownRecipientError for what no mail can reach."""
    try:
        address = Address(addr_spec=text) if text.isascii() and text.isprintable() else Address()
    except (ValueError, IndexError, MessageError) as error:
        raise UnknownRecipientError("the register holds no e-mail address that can be used") from error
    if not address.username or not address.domain:
        raise UnknownRecipientError("the register holds no e-mail address that can be used")
    return address
