"""The rush itself: people come and link their accounts, some links are suspended, some are disputed.

The masses go through the rule that redeems a code (`redeem_link`), the indexes of status lists and the units
of work of the program, a handful of links in a commit; what is left out is HTTP, sign-in and the code itself.
"""

import asyncio
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from idp.audit.events import PROVIDER, Actor, ActorKind
from idp.endpoints.link_redemption import redeem_link
from idp.identity.account_links import AccountLink, Status, move
from idp.identity.assurance import Acr, Proofing
from idp.identity.citizens import Citizen, CitizenStatus, PersonalData
from idp.identity.disputes import Outcome
from idp.protocol.model import Client
from idp.store.citizens import RegisteredCitizen
from idp.store.writes import StoreUnavailableError
from idp.web.disputes import decide_dispute, open_dispute
from tests.rush.field import PLATFORMS, Field

PEOPLE_TOGETHER = 5
"""Whose links are made in one commit: one link of each person at each platform."""
WRITERS = 8
SUSPENDED_EACH = 50
"""Of so many links one is suspended: 2 %. Half of these are reinstated soon."""
DISPUTED_EACH = 20
"""Of so many links one is disputed: 5 %. Of half of these the holder lets go, and the claimant links."""
_DISPUTED = 7
"""Which of each DISPUTED_EACH: none that is suspended."""

Acknowledged = tuple[str, str]
"""A link and what became of it, as whoever did it was told."""


@dataclass
class Made:
    """What was acknowledged, and when (seconds of the shared clock)."""

    at: dict[Acknowledged, float] = field(default_factory=dict)
    disputes: int = 0
    unanswered: int = 0
    """Commits of which nobody knows what became: the database went away."""
    seconds: float = 0.0

    def note(self, link_id: str, kind: str) -> None:
        self.at[link_id, kind] = time.monotonic()

    def count(self, kind: str) -> int:
        return sum(told == kind for _, told in self.at)


class Rush:
    """So many links, made as fast as they can be, or until the time is over."""

    def __init__(self, field: Field, links: int, seconds: float, made: Made, *, rest: float = 0.0) -> None:
        """`rest`: seconds between two batches of a writer; none where it is to be as fast as it can be."""
        self._inside = field.inside
        self._clients = [field.clients[name] for name in PLATFORMS]
        self._people = -(-links // len(PLATFORMS))
        self._seconds = seconds
        self._made = made
        self._rest = rest
        self._is_over = False
        self._run = secrets.token_hex(4)

    async def run(self) -> None:
        """Make them all. Batches are begun in turn, until there are enough or the time is over."""
        began = time.monotonic()
        batches = iter(range(0, self._people, PEOPLE_TOGETHER))
        await asyncio.gather(*(self._in_turn(batches, began) for _ in range(WRITERS)))
        self._made.seconds = time.monotonic() - began

    def end(self) -> None:
        """Begin no more batches."""
        self._is_over = True

    async def _in_turn(self, batches: Iterator[int], began: float) -> None:
        for first in batches:
            if self._is_over or time.monotonic() - began > self._seconds:
                return
            people = [
                _person(f"{self._run}-{number}")
                for number in range(first, min(first + PEOPLE_TOGETHER, self._people))
            ]
            try:
                await self._batch(first, people)
            except StoreUnavailableError:
                self._made.unanswered += 1
            await asyncio.sleep(self._rest)

    async def _batch(self, first: int, people: Sequence[Citizen]) -> None:
        uow, now = self._inside.unit_of_work(), datetime.now(UTC)
        numbers = range(first, first + len(people))
        uow.citizens.add_many(
            [
                RegisteredCitizen(person, f"000{number:09}")
                for number, person in zip(numbers, people, strict=True)
            ],
            now,
        )
        await uow.commit()
        pending = [
            (client, person, self._pending(client, person, f"account-{self._run}-{number}", now))
            for number, person in zip(numbers, people, strict=True)
            for client in self._clients
        ]
        links = await self._link(pending, now)
        for serial, (link, (client, person, _)) in enumerate(
            zip(links, pending, strict=True), first * len(PLATFORMS)
        ):
            if serial % SUSPENDED_EACH == 0:
                await self._suspend(link, is_reinstated=serial % (2 * SUSPENDED_EACH) == 0)
            elif serial % DISPUTED_EACH == _DISPUTED:
                claimant = people[(people.index(person) + 1) % len(people)]
                lets_go = serial % (2 * DISPUTED_EACH) == _DISPUTED and claimant is not person
                await self._dispute(client, link, claimant, lets_go=lets_go)

    async def _link(
        self, pending: Sequence[tuple[Client, Citizen, AccountLink]], now: datetime, *, is_first: bool = True
    ) -> list[AccountLink]:
        """Agree to links in one commit, redeem them in another; return them as they stand."""
        uow = self._inside.unit_of_work()
        for _, _, link in pending:
            uow.account_links.add(link, now)
        await uow.commit()
        context, links = self._inside.context, list[AccountLink]()
        for client, person, link in pending:
            redemption = await redeem_link(
                uow,
                client,
                link,
                now,
                citizen=person,
                authenticated_at=now,
                policy_version=context.feature_policy.version,
                is_first_try=is_first,
            )
            redemption = await redemption.listed(context.status_indexes)
            redemption.record(uow, now)
            if redemption.after is not None:
                links.append(replace(redemption.after, updated_at=now))
        await uow.commit()
        for link in links:
            self._made.note(link.link_id, "established")
        return links

    def _pending(self, client: Client, person: Citizen, account_id: str, now: datetime) -> AccountLink:
        subject = self._inside.context.custody.data.pairwise_subject(client.sector, person.citizen_id)
        return AccountLink(
            link_id=secrets.token_urlsafe(16),
            client_id=client.client_id,
            account_id=account_id,
            citizen_id=person.citizen_id,
            subject=subject,
            status=Status.PENDING,
            proofing=Proofing.VN2,
            acr=Acr.VN_2,
            requested_at=now,
            place=1,
        )

    async def _suspend(self, link: AccountLink, *, is_reinstated: bool) -> None:
        suspended = await self._move(link, Status.SUSPENDED, "suspended")
        if is_reinstated:
            await self._move(suspended, Status.ACTIVE, "reinstated")

    async def _move(self, link: AccountLink, to: Status, kind: str) -> AccountLink:
        uow, now = self._inside.unit_of_work(), datetime.now(UTC)
        moved, event = move(link, to, PROVIDER, "measured", now)
        uow.account_links.move(link, moved, now)
        uow.ledger.append(event)
        await uow.commit()
        self._made.note(link.link_id, kind)
        return replace(moved, updated_at=now)

    async def _dispute(self, client: Client, link: AccountLink, claimant: Citizen, *, lets_go: bool) -> None:
        """Another person claims the account; its holder lets go of it, or keeps it."""
        holder = Actor(ActorKind.CITIZEN, link.citizen_id)
        uow, now = self._inside.unit_of_work(), datetime.now(UTC)
        case = await open_dispute(uow, link, Actor(ActorKind.CITIZEN, claimant.citizen_id), now)
        wished = Outcome.RELEASED if lets_go else Outcome.KEPT
        await decide_dispute(uow, case, wished, holder, datetime.now(UTC))
        await uow.commit()
        self._made.disputes += 1
        if lets_go:
            self._made.note(link.link_id, "ended")
            now = datetime.now(UTC)
            anew = replace(self._pending(client, claimant, link.account_id, now), place=None)
            await self._link([(client, claimant, anew)], now, is_first=False)


def _person(name: str) -> Citizen:
    data = PersonalData(name="Nguyễn Văn Thử", birthdate="1990-01-01")
    return Citizen(f"citizen-{name}", CitizenStatus.ACTIVE, Proofing.VN2, datetime.now(UTC), data)
