"""One view of every page of the sandbox."""

from dataclasses import replace
from datetime import UTC, datetime

from idp.identity.account_links import Status
from idp.pages.sandbox_views import (
    SandboxLink,
    SandboxPage,
    SandboxPerson,
    SandboxSignInPage,
    ShownSimulation,
)
from idp.pages.views import Page

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
PERSON = SandboxPerson(
    personal_number="000" + "9" * 9,
    name="Nguyễn Thị Thử",
    birthdate="1996-01-01",
    password="pass-word",
    totp_secret="SECRET",
)
SANDBOX = SandboxPage(
    action="/sandbox",
    network="Quán Gió",
    errors={"token": ["invalid_grant", "server_error"], "ssf": ["invalid_token"]},
    most_seconds=10,
    most_times=100,
    oldest=110,
    levels_of_people=["vn1", "vn2", "vnf"],
)
FULL = replace(
    SANDBOX,
    simulation=ShownSimulation(
        endpoint="token", error="invalid_grant", delay_seconds=2, remaining=3, expires_at=NOW
    ),
    links=[
        SandboxLink(link_id="1", account="@lan", status=Status.ACTIVE, moves=["suspend", "lapse", "end"]),
        SandboxLink(link_id="2", account="@minh", status=Status.SUSPENDED, moves=["reinstate", "end"]),
        SandboxLink(link_id="3", account="acc_3", status=Status.ENDED, moves=[]),
    ],
    people=[PERSON],
)


def hostile_sandboxes(text: str) -> tuple[Page, ...]:
    """The same page, where a platform or its developer supplied this text (abuse case P11)."""
    link = SandboxLink(link_id="1", account=text, status=Status.ACTIVE, moves=["end"])
    return (replace(FULL, network=text, links=[link], problem=text),)


SANDBOX_VIEWS: dict[str, Page] = {
    "sandbox_sign_in": SandboxSignInPage(action="/sandbox"),
    "sandbox_sign_in_refused": SandboxSignInPage(action="/sandbox", is_refused=True),
    "sandbox_empty": SANDBOX,
    "sandbox": FULL,
    "sandbox_late": replace(
        FULL, simulation=replace(FULL.simulation, error=None) if FULL.simulation else None
    ),
    "sandbox_problem": replace(SANDBOX, problem="times must be a whole number from 1 to 100"),
    "sandbox_throttled": replace(SANDBOX, retry_at=NOW),
    "sandbox_rotated": replace(SANDBOX, rotated={"ES256": "kid-1"}),
    "sandbox_invented": replace(SANDBOX, invented=PERSON),
}
