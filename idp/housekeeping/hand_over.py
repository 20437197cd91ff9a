"""At 16 links become the young person's own: each relation is looked at once, never every birth date. R10."""

from datetime import datetime, timedelta

from idp.identity.account_links import AccountLink
from idp.identity.guardians import Guardianship
from idp.identity.hand_over import ask_own_consent, let_lapse
from idp.identity.notices import Notice, NoticeKind
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError

BATCH = 200

AFTER_BIRTHDAY = timedelta(minutes=10)
"""A link that is being made with an approval at midnight stands by then, and is not overlooked."""


async def ask_who_turned_16(uow: UnitOfWork, grace: timedelta, now: datetime) -> int:
    """Ask about every link that was made by a relation whose child has turned 16; return how many."""
    asked = 0
    for relation in await uow.guardianships.to_hand_over(now - AFTER_BIRTHDAY, BATCH):
        asked += await _ask(uow, relation, grace, now)
    return asked


async def _ask(uow: UnitOfWork, relation: Guardianship, grace: timedelta, now: datetime) -> int:
    links = await uow.guardianships.links_to_ask(relation.guardianship_id, BATCH)
    asked = 0
    for link in links:
        after, event = ask_own_consent(link, grace, now)
        uow.account_links.change(link, after, None, now)
        uow.ledger.append(event)
        uow.notices.tell(_notice(link), now)
        asked += await _committed(uow)
    if asked == len(links) < BATCH:
        # Whatever changed at this moment leaves the relation to the next round.
        uow.guardianships.handed_over(relation.guardianship_id, now)
        await uow.commit()
    return asked


def _notice(link: AccountLink) -> Notice:
    account = {"account": link.handle or link.account_id}
    return Notice(NoticeKind.HAND_OVER_DUE, link.citizen_id, link.client_id, link.link_id, details=account)


async def end_of_grace(uow: UnitOfWork, now: datetime) -> int:
    """Let links lapse whose holder did not say in time that they stay; return how many."""
    moved = 0
    for link in await uow.guardianships.links_unanswered(now, BATCH):
        lapsed, event = let_lapse(link, now)
        uow.account_links.move(link, lapsed, now)
        uow.ledger.append(event)
        moved += await _committed(uow)
    return moved


async def _committed(uow: UnitOfWork) -> int:
    """Commit one link's change; 0 when somebody changed it meanwhile, which is then the newer truth."""
    try:
        await uow.commit()
    except GateClosedError:
        return 0
    return 1
