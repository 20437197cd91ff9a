"""What a notice tells of, as it is called now: for the person's own list, and for every message."""

from dataclasses import dataclass
from datetime import datetime

from idp.identity.cases import shown_reference
from idp.identity.notices import Credential, KeptNotice, NoticeKind, what_of
from idp.store.unit_of_work import UnitOfWork
from idp.web.clients import ClientDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """What stands in a notice's text. `network` and `account` are what a network wrote, in plain text."""

    kind: NoticeKind
    at: datetime
    network: str = ""
    account: str = ""
    reference: str = ""
    """Of the case, in two groups; empty without one."""
    count: str = ""
    what: Credential | None = None


async def facts_of(uow: UnitOfWork, clients: ClientDirectory, kept: KeptNotice) -> NoticeFacts:
    """Read what a notice tells of; the account as it is called now, or as it was when it was told of."""
    notice = kept.notice
    client = await clients.find(notice.client_id)
    link = None if notice.link_id is None else await uow.account_links.find(notice.link_id)
    case = None if notice.case_id is None else await uow.cases.find(notice.case_id)
    account = notice.details.get("account", "")
    if link is not None:
        account = link.handle or link.account_id
    elif case is not None and case.account_id is not None:
        account = case.account_id
    return NoticeFacts(
        kind=notice.kind,
        at=kept.created_at,
        network=(notice.client_id or "") if client is None else client.client_name,
        account=account,
        reference="" if case is None else shown_reference(case.reference),
        count=notice.details.get("count", ""),
        what=what_of(notice),
    )
