"""The pages of a person's history, with an ordinary one in it."""

from dataclasses import replace
from datetime import UTC, datetime

from idp.audit.events import ActorKind
from idp.identity.withdrawals import platform_clock
from idp.pages.activity_views import ActivityEntry, ActivityPage, EntryPage, UseTotal
from idp.pages.list_views import Paging
from idp.pages.views import Page
from tests.support.sample_account_views import FILTERS

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
CLOCK = platform_clock(NOW, frozenset())

USED = UseTotal(
    network="Quán Gió",
    count=14,
    last_at=NOW,
    purpose="post",
    claims=("age_over_16",),
    uri="/my/activity?network=1",
)
ENTRY = ActivityEntry(
    type="citizen:looked_up",
    occurred_at=NOW,
    actor=ActorKind.OPERATOR,
    network=None,
    uri="/my/activity/1",
)
ACTIVITY = ActivityPage(
    filters=FILTERS,
    totals=(
        USED,
        replace(USED, network="Chợ Phiên", count=1, purpose="bán hàng", claims=()),
        replace(USED, network="Sân Đình", count=0, last_at=None, purpose=None),
    ),
    timeline=(
        ENTRY,
        replace(ENTRY, type="grant:refreshed", actor=ActorKind.CLIENT, network="Quán Gió"),
        replace(ENTRY, type="consent:given", actor=ActorKind.CITIZEN, network="Quán Gió"),
        replace(ENTRY, type="something:new", actor=ActorKind.PROVIDER),
    ),
    paging=Paging(next_uri="/my/activity?before=1.1"),
)
PROVEN = EntryPage(
    entry=replace(ENTRY, network="Quán Gió"),
    claims=("address", "personal_number"),
    place=1234,
    signed_at=NOW,
    leaf='{"actor_id":"minh","actor_kind":"operator","type":"citizen:looked_up"}',
    proof_uri="/my/activity/1/proof",
)

ACTIVITY_VIEWS: dict[str, Page] = {
    "activity": ACTIVITY,
    "activity_of_a_network": replace(ACTIVITY, network="Quán Gió", totals=()),
    "activity_with_nothing_like_that": replace(ACTIVITY, totals=(), timeline=()),
    "activity_empty": ActivityPage(totals=(), timeline=()),
    "entry": PROVEN,
    "entry_not_signed_yet": EntryPage(entry=ENTRY),
    "entry_altered": EntryPage(entry=ENTRY, is_altered=True),
}
