"""Approval: a client that registered itself serves fictitious people only, until somebody looked at it. Pure.

The directory of clients asks here for every client that it hands out, so no endpoint can forget to.
"""

from dataclasses import replace

from idp.protocol.errors import UnauthorizedClientError
from idp.protocol.model import Client, ClientStatus


def as_it_counts(client: Client, *, is_production: bool) -> Client:
    """Return the client with the status that counts here: unapproved where real people are served.

    Outside production a client in its sandbox works like any other; the consent page says what it is.
    """
    if is_production and client.is_sandbox and client.status is ClientStatus.ACTIVE:
        return replace(client, status=ClientStatus.UNAPPROVED)
    return client


def check_approved(client: Client) -> None:
    """Tell a client that proved who it is why it is refused. Raises UnauthorizedClientError."""
    if client.status is ClientStatus.UNAPPROVED:
        raise UnauthorizedClientError("this client is registered but not yet approved for real people")
