"""The design system on one page: eight components, each in every state it has. For whoever makes a page.

Not served in production: a page with a provider's address and sample forms is what a phisher would like to
point at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.pages.frame import show
from idp.pages.views import AccountCard, ClientHeader, Page

router = APIRouter(include_in_schema=False)

COMPONENTS = ("frame", "button", "field", "choice", "message", "card", "list", "code")
"""Their names, here, in the stylesheet and as the ids of the page's parts."""

_NETWORK = ClientHeader(
    name="Quán Gió",
    domain="quangio.example",
    client_uri="https://quangio.example/",
    policy_uri="https://quangio.example/rieng-tu",
    tos_uri="https://quangio.example/dieu-khoan",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignPage(Page):
    """What is there to build pages of? Every component in every state."""

    template: ClassVar[str] = "design.html"

    address: str
    """What the sample QR code leads to."""
    account: AccountCard
    person: str
    moment: datetime
    typed: str
    number: str
    key: str
    codes: Sequence[str]
    reference: str


@router.get("/design")
async def design_page(http: Request) -> Response:
    """Show every component in every state."""
    return show(http, design_view(str(http.url.replace(query=""))))


def design_view(address: str) -> DesignPage:
    """Return the page with its samples, of a network, a person and an account that do not exist."""
    return DesignPage(
        client=_NETWORK,
        address=address,
        account=AccountCard(
            account_id="acc_81a755", handle="@lan.tran", profile_uri="https://quangio.example/lan.tran"
        ),
        person="Trần Thị Lan",
        moment=datetime(2026, 11, 20, 18, 30, tzinfo=UTC),
        typed="123456",
        number="47",
        key="JBSW Y3DP EHPK 3PXP",
        codes=("7F3K-91QD", "M2WX-4HTR", "Q8ZB-K6NC", "V5JD-2PYG"),
        reference="E02-7F3K91QD",
    )
