"""A client asks for a person who is elsewhere; the person answers on another device. CIBA Core 1.0."""

import secrets
from typing import Any

import httpx

from tests.support.party import Party, without_none
from tests.support.provider import Person
from tests.support.visits import visit

CIBA_GRANT = "urn:openid:params:grant-type:ciba"
PATH = "/backchannel-authentication"


def asked(party: Party, person: Person, **changes: Any) -> dict[str, Any]:
    """Return what a good request holds; a change to None leaves a member out."""
    now = party.op.now
    members = {
        "iss": party.client_id,
        "aud": party.op.issuer,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "jti": secrets.token_urlsafe(16),
        "scope": "openid",
        "login_hint": person.personal_number,
        "binding_message": "1234",
    }
    return without_none({**members, **changes})


def ask(party: Party, person: Person, *, path: str = PATH, **changes: Any) -> httpx.Response:
    """Send a signed request."""
    return party.post(path, {"request": party.sign(asked(party, person, **changes))})


def began(party: Party, person: Person, **changes: Any) -> str:
    """Send a request that is taken; return its auth_req_id."""
    response = ask(party, person, **changes)
    assert response.status_code == 200, response.text
    name: str = response.json()["auth_req_id"]
    return name


def collect(party: Party, auth_req_id: str, **how: Any) -> httpx.Response:
    """Ask the token endpoint for the answer."""
    return party.post("/token", {"grant_type": CIBA_GRANT, "auth_req_id": auth_req_id}, **how)


def decide(party: Party, browser: httpx.Client, person: Person, decision: str = "allow") -> httpx.Response:
    """Sign in on a device of the person's, open the newest request and answer it."""
    opened = browser.get("/approvals")
    for _ in range(4):  # in the list; a request may want a stronger sign-in than the list did
        page = visit(party.op, browser, person, opened).page
        if "approval" in page.forms:
            break
        address = next(link for link in page.links if "/approvals/" in link)
        opened = browser.get(address)
    form = page.forms["approval"]
    typed = {"decision": decision, "claim": list(form.checkboxes)}
    return browser.post(form.action, data={**form.fields, **typed})


def approved(party: Party, browser: httpx.Client, person: Person, **changes: Any) -> dict[str, Any]:
    """Do all of it; return the token response."""
    auth_req_id = began(party, person, **changes)
    decide(party, browser, person)
    response = collect(party, auth_req_id)
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens
