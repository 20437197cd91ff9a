"""E-mail to a real mail server: encrypted, known again, and nothing smuggled in. RFC 5321, 3207, 8314."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from idp.outbound.channels import Message, MessageNotSentError, UnknownRecipientError
from idp.outbound.guarded_http import tls_context
from idp.outbound.mail import Encryption, Mail, MailServer
from tests.support import mail_server as support
from tests.support.mail_server import PASSWORD, USER, mail_server
from tests.support.self_signed import write_certificate

pytestmark = pytest.mark.anyio

MESSAGE = Message(
    message_id="citizen_email.notice-1",
    to="lan@thu.example",
    title="Một tài khoản vừa được liên kết với bạn",
    text="Lúc 09:30, 22/11/2026:\n\n.\n..\nTài khoản “@lan” ở “Quán Cóc”.\n",
    uri="https://id.example/not-me/token",
    ui_locale="vi",
)


def mail_to(
    port: int,
    encryption: Encryption = Encryption.NONE,
    *,
    host: str = "127.0.0.1",
    user: str | None = None,
    password: str | None = None,
    authorities: Path | None = None,
) -> Mail:
    return Mail(
        MailServer(host, port, user, encryption),
        tls_context(authorities),
        sender="no-reply@id.example",
        password=password,
        own_host="id.example",
    )


@pytest.fixture
async def server(anyio_backend: str) -> AsyncIterator[support.MailServer]:
    async with mail_server() as listening:
        yield listening


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    paths = write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*paths)
    return paths[0], context


async def test_a_message_arrives_as_it_was_written(server: support.MailServer) -> None:
    await mail_to(server.port).send(MESSAGE)
    (mail,) = server.received
    assert (mail.sender, mail.recipients) == ("no-reply@id.example", ("lan@thu.example",))
    assert mail.text.replace("\r\n", "\n") == MESSAGE.text, "lines of dots end nothing"
    headers = {name: str(mail.message[name]) for name in mail.message}
    assert headers["Subject"] == MESSAGE.title
    assert headers["From"] == '"id.example" <no-reply@id.example>'
    assert headers["To"] == "lan@thu.example"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert mail.message.get_content_type() == "text/plain", "no markup in which an address could hide"
    assert all(byte < 128 for byte in mail.content)


async def test_whoever_gets_a_message_twice_knows_it_again(server: support.MailServer) -> None:
    for _ in range(2):
        await mail_to(server.port).send(MESSAGE)
    ids = {str(mail.message["Message-ID"]) for mail in server.received}
    assert ids == {"<citizen_email.notice-1@id.example>"}


@pytest.mark.parametrize("is_at_once", [True, False])
async def test_what_leaves_this_machine_leaves_encrypted(
    certificate: tuple[Path, ssl.SSLContext], *, is_at_once: bool
) -> None:
    """RFC 8314 §3.3, RFC 3207; user and password go the same way."""
    authorities, context = certificate
    given: dict[str, Any] = {"tls": context} if is_at_once else {"starttls": context}
    encryption = Encryption.AT_ONCE if is_at_once else Encryption.STARTTLS
    async with mail_server(**given, knows_user=True) as server:
        known = mail_to(
            server.port, encryption, host="localhost", user=USER, password=PASSWORD, authorities=authorities
        )
        await known.send(MESSAGE)
        assert [(mail.is_encrypted, mail.is_known_user) for mail in server.received] == [(True, True)]
        for wrong in (
            mail_to(server.port, encryption, host="localhost", user=USER, password=PASSWORD),
            mail_to(
                server.port, encryption, host="localhost", user=USER, password="x", authorities=authorities
            ),
        ):
            with pytest.raises(MessageNotSentError) as caught:
                await wrong.send(MESSAGE)
            assert PASSWORD not in str(caught.value)
        assert len(server.received) == 1


async def test_a_server_that_drops_starttls_gets_nothing(server: support.MailServer) -> None:
    """STARTTLS stripping: somebody in the way answers that the server has no such thing."""
    with pytest.raises(MessageNotSentError):
        await mail_to(server.port, Encryption.STARTTLS).send(MESSAGE)
    assert server.received == []


@pytest.mark.parametrize(
    "to",
    [
        "lan@thu.example\r\nBcc: x@evil.example",
        "lan@thu.example\nRCPT TO:<x@evil.example>",
        "lan@thu.example, x@evil.example",
        "<lan@thu.example> SIZE=1",
        "lan@",
        "@thu.example",
        "lan",
        "",
        "lan@thu.example\x00",
        "lanñ@thu.example",
    ],
)
async def test_no_header_and_no_command_is_smuggled_in(server: support.MailServer, to: str) -> None:
    with pytest.raises(UnknownRecipientError) as caught:
        await mail_to(server.port).send(Message("id", to, "t", "text", "u", "vi"))
    assert "evil" not in str(caught.value)
    assert server.received == []


async def test_no_text_ends_the_message_or_begins_another(server: support.MailServer) -> None:
    """SMTP smuggling (CVE-2023-51764 and its like): bare line ends and dots are encoded."""
    ends = ["\n.\n", "\r\n.\r\n", "\r.\r", "\n.\r\n", "\r\n.\n"]
    text = "a" + "MAIL FROM:<x@evil.example>".join(ends) + "z\n"
    await mail_to(server.port).send(Message("id", "lan@thu.example", "t", text, "u", "vi"))
    (mail,) = server.received
    assert mail.recipients == ("lan@thu.example",)
    assert mail.text.rstrip().endswith("z")


async def test_a_title_with_a_line_break_is_refused_before_anything_is_sent(
    server: support.MailServer,
) -> None:
    with pytest.raises(ValueError, match=r"newline|linefeed"):
        await mail_to(server.port).send(Message("id", "lan@thu.example", "a\r\nBcc: b", "text", "u", "vi"))
    assert server.received == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 5.1.1 lan@thu.example unknown", UnknownRecipientError),
        ("550 5.7.1 your address is blocked", MessageNotSentError),
        ("451 4.7.1 greylisted lan@thu.example", MessageNotSentError),
        ("552 5.2.2 mailbox of lan@thu.example full", MessageNotSentError),
    ],
)
async def test_only_a_mailbox_that_is_not_there_is_given_up(
    server: support.MailServer, answer: str, error: type[Exception]
) -> None:
    server.recipient_answer = answer
    with pytest.raises(error) as caught:
        await mail_to(server.port).send(MESSAGE)
    assert answer[:3] in str(caught.value)
    assert "lan" not in str(caught.value), "what is kept of a failure names nobody"


async def test_a_refused_message_and_a_server_that_is_gone_are_tried_again(
    server: support.MailServer,
) -> None:
    server.data_answer = "554 5.7.1 no"
    with pytest.raises(MessageNotSentError, match="554"):
        await mail_to(server.port).send(MESSAGE)
    with pytest.raises(MessageNotSentError):
        await mail_to(1).send(MESSAGE)


async def test_a_silent_server_costs_a_moment(
    server: support.MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.outbound.mail.MAIL_SECONDS", 0.3)
    server.pause = 3
    with pytest.raises(MessageNotSentError, match="Timeout"):
        await mail_to(server.port).send(MESSAGE)


@pytest.mark.parametrize(
    ("uri", "read"),
    [
        ("smtps://mail.example", MailServer("mail.example", 465, None, Encryption.AT_ONCE)),
        ("smtp://a%40b@mail.example:2525", MailServer("mail.example", 2525, "a@b", Encryption.STARTTLS)),
        ("smtp://localhost:25", MailServer("localhost", 25, None, Encryption.NONE)),
        ("smtp://127.0.0.1", MailServer("127.0.0.1", 587, None, Encryption.NONE)),
        ("smtp://127.0.0.1.example", MailServer("127.0.0.1.example", 587, None, Encryption.STARTTLS)),
    ],
)
def test_only_this_machine_is_reached_without_encryption(uri: str, read: MailServer) -> None:
    assert MailServer.parse(uri) == read
