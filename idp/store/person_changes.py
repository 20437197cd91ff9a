"""What changed about a person and follows them to the platforms, recorded beside the change itself.

Which platforms that concerns is found out later, by the delivering process: an import of millions of people
does not wait for it.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime

from idp.store.outbox import Delivery

PERSON_CHANGED = "person_changed"
"""The kind of work that brings a person's links up to date and tells of changed credentials."""

Credential = tuple[str, str]
"""CAEP §3.3: `credential_type` (password, app) and `change_type` (create, update, revoke, delete)."""


def person_changed(citizen_id: str, credentials: Iterable[Credential], now: datetime) -> Delivery:
    """Return the work that follows when a person's level of proofing, or what lets them in, has changed."""
    return Delivery(
        delivery_id=secrets.token_urlsafe(16),
        kind=PERSON_CHANGED,
        client_id="",
        ordering_key=f"{PERSON_CHANGED}:{citizen_id}",
        content={"citizen_id": citizen_id, "credentials": [list(each) for each in credentials]},
        created_at=now,
        next_attempt_at=now,
    )
