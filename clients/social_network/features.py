"""What a member may do here: by the provider's policy document, and by what is kept of their link.

The document is fetched in the background (`following`); asking it costs nothing and reaches nobody.
"""

import logging
from datetime import datetime, timedelta

from clients.relying_party import (
    Account,
    Decision,
    Link,
    LinkStatus,
    Policy,
    PolicyError,
    Reason,
    read_policy,
)
from clients.relying_party.policy import Requirement
from clients.social_network import accounts
from clients.social_network.store import Store

POST = "post"
LIVE_SALE = "livestream_commerce"
FEATURES = (POST, LIVE_SALE)

POLICY_UNTIL_ONE_IS_READ = Policy(
    version=0,
    features={
        POST: Requirement(),
        LIVE_SALE: Requirement("vn2", "vn-2", timedelta(minutes=15), is_put_off=False),
    },
)
"""What holds in the first moments: the strictest that the provider is known to ask."""

_STATUSES = {
    "active": LinkStatus.VALID,
    "suspended": LinkStatus.SUSPENDED,
    "lapsed": LinkStatus.LAPSED,
    "ended": LinkStatus.INVALID,
}
_POLICY = "policy"
_log = logging.getLogger("quan_coc.features")


class Features:
    """The policy that was read last, kept over restarts."""

    def __init__(self, store: Store, client_id: str) -> None:
        """Take up the policy that was kept."""
        self._store = store
        self._client_id = client_id
        kept = store.find_kept(_POLICY)
        self._policy = POLICY_UNTIL_ONE_IS_READ if kept is None else self._read(kept)

    def replace(self, document: str) -> None:
        """Take another document; one that cannot be read changes nothing. Raises PolicyError."""
        self._policy = read_policy(document, self._client_id)
        self._store.keep(_POLICY, document)

    def decide(
        self, member: accounts.Account, link: accounts.Link | None, feature: str, now: datetime
    ) -> Decision:
        """Tell whether a member may use a feature now, and what helps if not."""
        held = None if link is None else _held(link)
        decision = self._policy.may(Account(member.joined_at, held), feature, now)
        if decision.lack is Reason.LINK_NEEDED:
            # At this stall posts have come from linked accounts since its first day: no deadline puts it off.
            return Decision(
                is_allowed=False,
                reason=Reason.LINK_NEEDED,
                lack=Reason.LINK_NEEDED,
                requirement=decision.requirement,
            )
        return decision

    def _read(self, document: str) -> Policy:
        try:
            return read_policy(document, self._client_id)
        except PolicyError as error:
            _log.warning("the kept policy is not read any more: %s", error)
            return POLICY_UNTIL_ONE_IS_READ


def _held(link: accounts.Link) -> Link:
    return Link(
        status=_STATUSES.get(link.status, LinkStatus.INVALID),
        # A person who kept the level to themselves has one all the same: no link is made below it.
        assurance_level=link.level or "vn1",
        sign_ins=link.sign_ins,
        expires_at=link.expires_at,
        reverify_requested_at=link.reverify_requested_at,
    )
