"""What the platform API answers, as values. Pure: one reader for each request in account_links.py.

RFC 9457 (problems). Members that are new to this version of the SDK are ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from .errors import GrantRefusedError, ProviderUnavailableError, RequestRefusedError
from .messages import printable
from .transport import Answer


class Suspicion(StrEnum):
    """What may be reported of an account: a code, and no word about a person."""

    ACCOUNT_TAKEN_OVER = "account_taken_over"
    ACCOUNT_PASSED_ON = "account_passed_on"
    IMPERSONATION = "impersonation"
    AUTOMATED_USE = "automated_use"


@dataclass(frozen=True, slots=True)
class AccountLink:
    """One of your links, as it stands. There is never a reason in it."""

    link_id: str
    account_id: str
    handle: str | None
    profile_uri: str | None
    subject: str
    status: str
    """active, suspended, lapsed or ended."""
    assurance_level: str
    acr: str
    """In short: `vn-1` … `vn-4`."""
    linked_at: datetime | None
    expires_at: datetime | None
    reverify_requested_at: datetime | None
    ended_at: datetime | None
    mark_uri: str | None = None
    """Where anybody may check this account, if its person wants that: yours to show, or not."""
    guardian_consented: bool = False
    """Whether the person is a minor and a guardian agreed."""
    etag: str | None = None
    """Give it to `update`, and nobody's change is undone."""


@dataclass(frozen=True, slots=True)
class LinkChange:
    """Something that became of a link; `link` is how it stands *now*, None where its record is gone."""

    change_id: str
    kind: str
    """established, renewed, suspended, reinstated, lapsed, ended, updated, reattached, …"""
    occurred_at: datetime
    link_id: str
    link: AccountLink | None
    previous_account_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Some changes in their order. Keep `cursor` once you have dealt with them; it goes on from there."""

    changes: tuple[LinkChange, ...]
    cursor: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class ReportedCase:
    """What a report opened: the number to ask about it with."""

    case: str
    link_id: str
    opened_at: datetime


def read_document(answer: Answer) -> dict[str, Any]:
    """Return a good answer's document. Raises RequestRefusedError, whose `.error` names the problem."""
    document = answer.json_object()
    if answer.status in {200, 201}:
        return document
    kind = GrantRefusedError if document.get("error") == "invalid_token" else RequestRefusedError
    raise kind(problem_name(document), printable(document.get("detail")), answer.status)


def problem_name(document: Mapping[str, Any]) -> str:
    """Return what tells problems apart: the registered code, or the last part of `type`."""
    name = document.get("error") or str(document.get("type", "")).rpartition("/")[2]
    if not isinstance(name, str) or not name:
        raise ProviderUnavailableError("a refusal that does not say what it refuses")
    return printable(name)


def read_link(document: Mapping[str, Any], etag: str | None = None) -> AccountLink:
    """Read a link. Raises ProviderUnavailableError for a document that is none."""
    try:
        return AccountLink(
            link_id=_text(document, "link_id"),
            account_id=_text(document, "account_id"),
            handle=document.get("handle"),
            profile_uri=document.get("profile_uri"),
            subject=_text(document, "sub"),
            status=_text(document, "status"),
            assurance_level=_text(document, "assurance_level"),
            acr=_text(document, "acr").rpartition("/")[2],
            linked_at=_moment(document, "linked_at"),
            expires_at=_moment(document, "expires_at"),
            reverify_requested_at=_moment(document, "reverify_requested_at"),
            ended_at=_moment(document, "ended_at"),
            mark_uri=document.get("mark_uri"),
            guardian_consented=document.get("guardian_consented") is True,
            etag=etag,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ProviderUnavailableError("the answer is not an account link") from error


def read_links(document: Mapping[str, Any]) -> tuple[list[AccountLink], str | None]:
    """Read a page of links and where it goes on. Raises ProviderUnavailableError."""
    links, cursor = document.get("account_links"), document.get("cursor")
    if not isinstance(links, list) or not (cursor is None or isinstance(cursor, str)):
        raise ProviderUnavailableError("the answer is not a page of account links")
    return [read_link(link) for link in links], cursor


def read_changes(document: Mapping[str, Any]) -> ChangePage:
    """Read a page of changes. Raises ProviderUnavailableError."""
    try:
        changes = tuple(_change(change) for change in document["changes"])
        return ChangePage(changes, _text(document, "cursor"), document["has_more"] is True)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ProviderUnavailableError("the answer is not a page of changes") from error


def read_case(document: Mapping[str, Any]) -> ReportedCase:
    """Read what a report opened. Raises ProviderUnavailableError."""
    try:
        opened_at = datetime.fromtimestamp(document["opened_at"], UTC)
        return ReportedCase(_text(document, "case"), _text(document, "link_id"), opened_at)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ProviderUnavailableError("the answer is not a case") from error


def _change(document: Mapping[str, Any]) -> LinkChange:
    link = document["link"]
    return LinkChange(
        change_id=_text(document, "change_id"),
        kind=_text(document, "kind"),
        occurred_at=datetime.fromtimestamp(document["occurred_at"], UTC),
        link_id=_text(document, "link_id"),
        link=None if link is None else read_link(link),
        previous_account_id=document.get("previous_account_id"),
    )


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _moment(document: Mapping[str, Any], name: str) -> datetime | None:
    value = document.get(name)
    return None if value is None else datetime.fromtimestamp(value, UTC)
