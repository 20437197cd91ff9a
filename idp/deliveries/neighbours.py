"""How the other links of people stood when one of their links changed, though they may have moved since."""

from collections.abc import Mapping, Sequence

from idp.identity.account_links import AccountLink, Status
from idp.identity.link_changes import ChangeKind, LinkChange
from idp.store.unit_of_work import UnitOfWork

_OF_THE_PERSON = frozenset({ChangeKind.SUSPENDED, ChangeKind.REINSTATED, ChangeKind.ENDED})
"""Kinds of change that may be the last of a person at a platform, or the first."""


class Neighbours:
    """The links of some people, and the changes of those that nobody was told of yet."""

    def __init__(self, links: Sequence[AccountLink], waiting: Mapping[str, Sequence[LinkChange]]) -> None:
        self._waiting = waiting
        self._links: dict[tuple[str, str], list[AccountLink]] = {}
        for link in links:
            self._links.setdefault((link.client_id, link.citizen_id), []).append(link)

    @classmethod
    async def of(cls, uow: UnitOfWork, changes: Sequence[tuple[LinkChange, AccountLink]]) -> "Neighbours":
        """Read the neighbours of links whose change may concern the whole person.

        Links first: a change that is committed in between is then among those that wait, and is undone again.
        """
        people = {link.citizen_id for change, link in changes if change.kind in _OF_THE_PERSON}
        if not people:
            return cls([], {})
        links = await uow.followed_links.of_citizens(people)
        return cls(links, await uow.followed_links.waiting_changes(link.link_id for link in links))

    def states_at(self, change: LinkChange, link: AccountLink) -> list[Status]:
        """Return how the person's other links at this platform stood at the moment of a change."""
        others = self._links.get((link.client_id, link.citizen_id), [])
        return [self._state_at(change, other) for other in others if other.link_id != link.link_id]

    def _state_at(self, change: LinkChange, other: AccountLink) -> Status:
        moment, state = (change.occurred_at, change.change_id), None
        for moved in self._waiting.get(other.link_id, ()):
            if (moved.occurred_at, moved.change_id) > moment:
                # The first move behind that moment tells what it moved away from.
                return state or Status(moved.details.get("before", moved.status))
            state = moved.status
        return state or other.status
