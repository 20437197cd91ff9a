"""One view of every page of the public mark, and of the switch on a link's page."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from idp.identity.assurance import Proofing
from idp.pages.mark_views import MarkPage, NamedNetwork, NoMarkPage, VerifyPage
from idp.pages.views import MarkSwitch, Page

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
NETWORKS = (
    NamedNetwork(client_id="chophien", name="Chợ Phiên"),
    NamedNetwork(client_id="quangio", name="Quán Gió"),
)
FORM = VerifyPage(action="/verify", networks=NETWORKS)
MARK = MarkPage(
    network="Quán Gió",
    domain="quangio.example",
    handle="@lan.tran",
    profile_uri="https://quangio.example/lan.tran",
    proofing=Proofing.VN2,
    linked_at=NOW - timedelta(days=40),
    checked_at=NOW,
)
MARK_OFF = MarkSwitch(action="/my/accounts/1/mark")
MARK_ON = MarkSwitch(action="/my/accounts/1/mark", mark_uri="https://id.lienket.example/verify/m-1")


def hostile_marks(text: str) -> tuple[Page, ...]:
    """The same pages, where a platform or a visitor supplied this text (abuse case P11)."""
    return (
        replace(MARK, network=text, domain=text, handle=text, profile_uri=text),
        replace(MARK, network=text, domain=text, handle=None, profile_uri=text),
        replace(FORM, networks=(NamedNetwork(client_id=text, name=text),), chosen=text, account=text),
    )


MARK_VIEWS: dict[str, Page] = {
    "verify": FORM,
    "verify_without_networks": VerifyPage(action="/verify", networks=()),
    "verify_throttled": VerifyPage(
        action="/verify", networks=NETWORKS, chosen="quangio", account="@lan", retry_at=NOW
    ),
    "mark": MARK,
    "mark_by_address": MarkPage(
        network="Quán Gió",
        domain="quangio.example",
        profile_uri="https://quangio.example/lan.tran",
        proofing=Proofing.VN1,
        linked_at=NOW,
        checked_at=NOW,
    ),
    "no_mark": NoMarkPage(verify_uri="/verify"),
}
