"""A real mail server on the loopback interface, of another's making: it keeps what it got."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from types import SimpleNamespace
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "lienket", "chim-se-ban-trua"


@dataclass(frozen=True)
class ReceivedMail:
    """One message as the server took it over."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    is_encrypted: bool
    is_known_user: bool

    @property
    def message(self) -> Any:
        return message_from_bytes(self.content, _class=EmailMessage, policy=MAIL_POLICY)

    @property
    def text(self) -> str:
        text: str = self.message.get_content()
        return text


@dataclass
class MailServer:
    """What was received, and how the next message is answered."""

    port: int = 0
    received: list[ReceivedMail] = field(default_factory=list)
    recipient_answer: str = "250 OK"
    data_answer: str = "250 OK"
    pause: float = 0.0
    """Seconds of silence before a recipient is answered."""

    async def take_recipient(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        await asyncio.sleep(self.pause)
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def take_message(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data_answer.startswith("250"):
            mail = ReceivedMail(
                sender=envelope.mail_from or "",
                recipients=tuple(envelope.rcpt_tos),
                content=bytes(envelope.content or b""),
                is_encrypted=server.transport.get_extra_info("ssl_object") is not None,
                is_known_user=bool(session.authenticated),
            )
            self.received.append(mail)
        return self.data_answer


def _authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> Any:
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=is_right, handled=False)


@asynccontextmanager
async def mail_server(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, knows_user: bool = False
) -> AsyncIterator[MailServer]:
    """Listen until the block ends: plainly, with TLS at once, or with STARTTLS."""
    listening = MailServer()
    loop = asyncio.get_running_loop()
    # The library finds its hooks by these names.
    hooks = SimpleNamespace(handle_RCPT=listening.take_recipient, handle_DATA=listening.take_message)

    def connection() -> SMTP:
        return SMTP(
            hooks,
            hostname="mail.example",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=_authenticate if knows_user else None,
            # Where TLS begins at once the library does not know of it.
            auth_require_tls=tls is None,
            loop=loop,
        )

    server = await loop.create_server(connection, "127.0.0.1", 0, ssl=tls)
    listening.port = server.sockets[0].getsockname()[1]
    try:
        yield listening
    finally:
        server.close()
