"""Security events: what a platform is told of its links. RFC 8417, RFC 9493, SSF 1.0, CAEP 1.0, RISC 1.0.

A Security Event Token (SET) tells one event of one subject. It says what became of a link and since when,
never why (R12): no `reason_admin`, no `reason_user`, no `initiating_entity`, which would tell a person's own
doing from an authority's. Nothing in it is the same at two platforms (P7) but the second it happened in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from idp.identity.account_links import LIVE, AccountLink, Status
from idp.identity.assurance import Proofing
from idp.identity.link_changes import ChangeKind, LinkChange

SET_TYPE = "secevent+jwt"
"""`typ` of a SET (RFC 8417 §2.3), so that no other token passes for one."""

_CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
_RISC = "https://schemas.openid.net/secevent/risc/event-type/"
_SSF = "https://schemas.openid.net/secevent/ssf/event-type/"

SESSION_REVOKED = f"{_CAEP}session-revoked"
CREDENTIAL_CHANGE = f"{_CAEP}credential-change"
ASSURANCE_LEVEL_CHANGE = f"{_CAEP}assurance-level-change"
ACCOUNT_DISABLED = f"{_RISC}account-disabled"
ACCOUNT_ENABLED = f"{_RISC}account-enabled"
ACCOUNT_PURGED = f"{_RISC}account-purged"
VERIFICATION = f"{_SSF}verification"
"""SSF §8.1.4; belongs to every stream and is never requested."""
STREAM_UPDATED = f"{_SSF}stream-updated"
"""SSF §8.1.5; belongs to every stream and is never requested."""
# RISC's identifier-changed is not among them: its subject must be the phone number or the e-mail address
# itself, and an event holds nothing of a person that two platforms could compare (P7).

OWN_EVENTS = (
    "account-link-established",
    "account-link-suspended",
    "account-link-reinstated",
    "account-link-lapsed",
    "account-link-ended",
    "account-link-updated",
)
"""Our own events; each has the address `{issuer}/events/{name}`, where it is explained."""
_STANDARD_EVENTS = (
    SESSION_REVOKED,
    CREDENTIAL_CHANGE,
    ASSURANCE_LEVEL_CHANGE,
    ACCOUNT_DISABLED,
    ACCOUNT_ENABLED,
    ACCOUNT_PURGED,
)

SubjectId = Mapping[str, str]
"""A subject identifier as JSON (RFC 9493)."""


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One event about one subject: what goes into one SET."""

    uri: str
    sub_id: SubjectId
    payload: Mapping[str, Any] = field(default_factory=dict)


def own_event(issuer: str, name: str) -> str:
    """Return the URI of one of OWN_EVENTS."""
    return f"{issuer}/events/{name}"


def supported_events(issuer: str) -> tuple[str, ...]:
    """Return every event that a stream may ask for (`events_supported`, SSF §8.1.1)."""
    return (*(own_event(issuer, name) for name in OWN_EVENTS), *_STANDARD_EVENTS)


def pairwise_subject(issuer: str, subject: str) -> SubjectId:
    """Return the subject as this platform knows it: RFC 9493 §3.2.3, with the `sub` of its ID tokens."""
    return {"format": "iss_sub", "iss": issuer, "sub": subject}


def stream_subject(stream_id: str) -> SubjectId:
    """Return the subject of an event about the stream itself: SSF §8.1.4, RFC 9493 §3.2.6."""
    return {"format": "opaque", "id": stream_id}


def verification_event(stream_id: str, state: str | None = None) -> SecurityEvent:
    """Return the verification event; `state` is echoed, and is absent when nobody asked (SSF §8.1.4)."""
    return SecurityEvent(VERIFICATION, stream_subject(stream_id), {} if state is None else {"state": state})


def stream_updated_event(stream_id: str, status: str) -> SecurityEvent:
    """Return the event that tells a receiver that its stream's status was changed here (SSF §8.1.5)."""
    return SecurityEvent(STREAM_UPDATED, stream_subject(stream_id), {"status": status})


def set_claims(
    issuer: str, audience: str, event: SecurityEvent, *, jti: str, issued_at: datetime, txn: str | None = None
) -> dict[str, Any]:
    """Return the claims of a SET: RFC 8417 §2.2, SSF §4.1.

    There is no `sub` and no `exp`, so that none passes for an ID token or an access token (SSF §4.1).
    """
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "iat": _seconds(issued_at),
        "jti": jti,
        "sub_id": dict(event.sub_id),
        "events": {event.uri: dict(event.payload)},
    }
    if txn is not None:
        claims["txn"] = txn
    return claims


_OWN_EVENT_OF: Mapping[ChangeKind, str] = {
    ChangeKind.ESTABLISHED: "account-link-established",
    ChangeKind.RENEWED: "account-link-updated",
    ChangeKind.SUSPENDED: "account-link-suspended",
    ChangeKind.REINSTATED: "account-link-reinstated",
    ChangeKind.LAPSED: "account-link-lapsed",
    ChangeKind.ENDED: "account-link-ended",
    ChangeKind.UPDATED: "account-link-updated",
    ChangeKind.REATTACHED: "account-link-updated",
    ChangeKind.ASSURANCE_CHANGED: "account-link-updated",
}
"""What is asked of the citizen (REVERIFY_REQUESTED) is no event: the platform asked for it."""


def events_of_change(
    change: LinkChange, link: AccountLink, neighbours: Iterable[Status], issuer: str
) -> tuple[SecurityEvent, ...]:
    """Return what a change of a link is told as, our own event first.

    `neighbours` are the states, at the moment of the change, of the person's other links at this platform:
    RISC's account-disabled, -enabled and -purged are about the person there, not about one of their links.
    """
    name = _OWN_EVENT_OF.get(change.kind)
    if name is None:
        return ()
    subject = pairwise_subject(issuer, link.subject)
    events = [SecurityEvent(own_event(issuer, name), subject, _link_payload(change, link, issuer))]
    risc = _of_the_person(change, tuple(neighbours))
    if risc is not None:
        events.append(SecurityEvent(risc, subject))
    if change.kind is ChangeKind.ASSURANCE_CHANGED:
        events.append(
            SecurityEvent(ASSURANCE_LEVEL_CHANGE, subject, _assurance_payload(change, link, issuer))
        )
    return tuple(events)


def _link_payload(change: LinkChange, link: AccountLink, issuer: str) -> dict[str, Any]:
    """Return how the link stands from the change on. Levels and times as in the claim `account_link`."""
    payload: dict[str, Any] = {
        "link_id": link.link_id,
        "account_id": link.account_id,
        "status": change.status.value,
        "assurance_level": link.proofing.value,
        "acr": link.acr.uri(issuer),
        "event_timestamp": _seconds(change.occurred_at),
    }
    if link.expires_at is not None:
        payload["expires_at"] = _seconds(link.expires_at)
    return payload


def _of_the_person(change: LinkChange, neighbours: tuple[Status, ...]) -> str | None:
    if change.kind is ChangeKind.SUSPENDED and Status.ACTIVE not in neighbours:
        return ACCOUNT_DISABLED
    if change.kind is ChangeKind.REINSTATED and Status.ACTIVE not in neighbours:
        return ACCOUNT_ENABLED
    if change.kind is ChangeKind.ENDED and not LIVE.intersection(neighbours):
        return ACCOUNT_PURGED
    return None


def _assurance_payload(change: LinkChange, link: AccountLink, issuer: str) -> dict[str, Any]:
    """CAEP §3.4; the levels are those of `verified_claims.verification.assurance_level`."""
    current = Proofing(change.details.get("proofing", link.proofing))
    payload: dict[str, Any] = {
        "namespace": f"{issuer}/events/assurance-levels",
        "current_level": current.value,
        "event_timestamp": _seconds(change.occurred_at),
    }
    if "previous_proofing" in change.details:
        previous = Proofing(change.details["previous_proofing"])
        payload["previous_level"] = previous.value
        if not previous.satisfies(current):
            payload["change_direction"] = "increase"
        elif not current.satisfies(previous):
            payload["change_direction"] = "decrease"
    return payload


def session_revoked_event(issuer: str, subject: str, occurred_at: datetime) -> SecurityEvent:
    """Return CAEP §3.1: the person's session at the provider is over. It names no session of the platform."""
    return SecurityEvent(
        SESSION_REVOKED, pairwise_subject(issuer, subject), {"event_timestamp": _seconds(occurred_at)}
    )


def credential_change_event(
    issuer: str, subject: str, credential_type: str, change_type: str, occurred_at: datetime
) -> SecurityEvent:
    """Return CAEP §3.3: `password` or `app` (an authenticator app); create, update, revoke or delete."""
    return SecurityEvent(
        CREDENTIAL_CHANGE,
        pairwise_subject(issuer, subject),
        {
            "credential_type": credential_type,
            "change_type": change_type,
            "event_timestamp": _seconds(occurred_at),
        },
    )


def _seconds(moment: datetime) -> int:
    """Whole seconds, as CAEP §2 asks, and so that no finer time is the same at two platforms."""
    return int(moment.timestamp())
