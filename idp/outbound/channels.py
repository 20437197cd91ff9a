"""The ways by which a message reaches a person: one small interface, one class for each kind of way.

A message leaves as often as it takes, so every way is given the same `message_id` each time, by which whoever
carries it on knows it again. What goes wrong is told without the address, the words or the answer of the
other side: that text is kept and read by operators.
"""

from dataclasses import dataclass
from typing import Protocol

from idp.outbound.addresses import OutboundRefusedError
from idp.outbound.guarded_http import GuardedHTTP

GONE = frozenset({404, 410})
"""How a gateway says that it knows nobody of this address."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person. `to` is an e-mail address, an E.164 number or a pairwise subject."""

    message_id: str
    to: str
    title: str
    text: str
    uri: str
    """Where the person can look: the only address in the text, and always one of ours."""
    ui_locale: str


class MessageNotSentError(Exception):
    """It was not taken, and is worth another try."""


class UnknownRecipientError(Exception):
    """Nobody is reached at this address, now or later."""


class Way(Protocol):
    """A way by which a message leaves."""

    async def send(self, message: Message) -> None:
        """Hand a message over. Raises MessageNotSentError, UnknownRecipientError."""


class Gateway:
    """A gateway for text messages, or for messages in the app: a JSON document by POST.

    The document has the members `id`, `to`, `title`, `text`, `uri` and `language`; `Idempotency-Key` repeats
    the id. A 2xx is a receipt, and 404 or 410 says that there is no such recipient.
    """

    def __init__(self, http: GuardedHTTP, uri: str, secret: str) -> None:
        self._http = http
        self._uri = uri
        self._secret = secret

    async def send(self, message: Message) -> None:
        """Post it. Raises MessageNotSentError, UnknownRecipientError."""
        document = {
            "id": message.message_id,
            "to": message.to,
            "title": message.title,
            "text": message.text,
            "uri": message.uri,
            "language": message.ui_locale,
        }
        headers = {"Authorization": f"Bearer {self._secret}", "Idempotency-Key": message.message_id}
        try:
            status = await self._http.post_json(self._uri, document, headers)
        except OutboundRefusedError as error:
            raise MessageNotSentError(str(error)) from error
        if status in GONE:
            raise UnknownRecipientError(f"the gateway answered {status}")
        if not 200 <= status < 300:
            raise MessageNotSentError(f"the gateway answered {status}")
