"""Refusals on their way to the caller: what happened, as one exception, and what the log will hold.

Machines read RFC 6749 §5.2 JSON, people read a page with a reference. Which of the two is decided by
`idp.pages.failures`; nowhere else is an error response built.
"""

import secrets
from collections.abc import Mapping, MutableMapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.types import Scope

from idp.identity.account_links import Refusal
from idp.protocol.model import Client, ClientStatus


class Trouble(StrEnum):
    """What happened, where no page of the journey can be shown."""

    BAD_REQUEST = "bad_request"
    """The network asked in a way that cannot be trusted or understood; nothing may redirect."""
    EXPIRED = "expired"
    """The interaction is over, used or unknown."""
    OTHER_BROWSER = "other_browser"
    """The interaction was started in another browser, or cookies are off (abuse case P1)."""
    CLIENT_SUSPENDED = "client_suspended"
    CLIENT_UNAPPROVED = "client_unapproved"
    """The network registered itself, and nobody approved it for real people yet."""
    STALE_FORM = "stale_form"
    """A form's token does not fit the session."""
    SIGN_OUT_REFUSED = "sign_out_refused"
    """The network's wish to sign the person out is not proven; nobody was signed out."""
    NOT_FOUND = "not_found"
    UNAVAILABLE = "unavailable"
    FAULT = "fault"
    """Our own mistake."""
    THROTTLED = "throttled"
    """How this person signs in was changed so often today that nothing was changed now."""


STATUS: dict[Trouble, int] = {
    Trouble.BAD_REQUEST: 400,
    Trouble.EXPIRED: 400,
    Trouble.OTHER_BROWSER: 403,
    Trouble.CLIENT_SUSPENDED: 403,
    Trouble.CLIENT_UNAPPROVED: 403,
    Trouble.STALE_FORM: 403,
    Trouble.SIGN_OUT_REFUSED: 400,
    Trouble.NOT_FOUND: 404,
    Trouble.UNAVAILABLE: 503,
    Trouble.FAULT: 500,
    Trouble.THROTTLED: 429,
}


REFERENCE_CODES: Mapping[Trouble | Refusal, str] = {
    Trouble.BAD_REQUEST: "E01",
    Trouble.EXPIRED: "E02",
    Trouble.OTHER_BROWSER: "E03",
    Trouble.CLIENT_SUSPENDED: "E04",
    Trouble.CLIENT_UNAPPROVED: "E05",
    Trouble.STALE_FORM: "E06",
    Trouble.SIGN_OUT_REFUSED: "E07",
    Trouble.NOT_FOUND: "E08",
    Trouble.UNAVAILABLE: "E09",
    Trouble.FAULT: "E10",
    Trouble.THROTTLED: "E11",
    Refusal.ACCOUNT_TAKEN: "R01",
    Refusal.LIMIT_REACHED: "R02",
    Refusal.PROOFING_TOO_LOW: "R03",
    Refusal.ACR_TOO_LOW: "R04",
    Refusal.UNDER_AGE: "R05",
    Refusal.LINK_SUSPENDED: "R06",
    Refusal.LINKS_FROZEN: "R07",
    Refusal.GUARDIAN_NEEDED: "R08",
}
"""How a reference begins, so that whoever is told one finds its row in ERRORS.md. None is used anew."""


class JourneyError(Exception):
    """A person's way ends here, with a page that says what happened and what to do.

    `client_id` names the network to go back to, where one is known for sure; `retry_after` how long to wait.
    """

    def __init__(
        self,
        trouble: Trouble,
        *,
        client_id: str | None = None,
        detail: str | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble
        self.client_id = client_id
        self.detail = detail
        self.retry_after = retry_after


def check_client_is_open(client: Client) -> None:
    """Check that people may be sent on by this client. Raises JourneyError."""
    if client.status is ClientStatus.UNAPPROVED:
        raise JourneyError(Trouble.CLIENT_UNAPPROVED)
    if client.status is not ClientStatus.ACTIVE:
        raise JourneyError(Trouble.CLIENT_SUSPENDED)


def new_reference(what: Trouble | Refusal | None = None) -> str:
    """Return a reference that a person can read out: what happened, and 8 characters without look-alikes."""
    one_answer = "".join(secrets.choice("23456789ABCDEFGHJKMNPQRSTUVWXYZ") for _ in range(8))
    return one_answer if what is None else f"{REFERENCE_CODES[what]}-{one_answer}"


def log_members(scope: Scope) -> MutableMapping[str, Any]:
    """Return what this request adds to its own line in the log."""
    members: MutableMapping[str, Any] = scope.setdefault("lienket.log", {})
    return members


def note(request: Request, **members: str | float | None) -> None:
    """Add members to this request's line in the log: ids and codes, never a token or a person."""
    log_members(request.scope).update(members)
