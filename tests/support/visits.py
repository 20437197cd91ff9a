"""A person before the provider's pages, without a browser: reads each page's forms and answers them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import jwt

from tests.support.html_forms import Form, Html
from tests.support.provider import Person
from tests.support.served_here import ServedHere

STEPS = 14


@dataclass(frozen=True)
class Answer:
    """What a browser brings back to a relying party, or the page on which it stays."""

    url: str
    raw: Mapping[str, str]
    """The parameters as they came."""
    mode: str
    """query, form_post or page."""
    response: httpx.Response
    issue: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters; of a signed response those inside."""
        if "response" not in self.raw:
            return self.raw
        return dict(jwt.decode(self.raw["response"], options={"verify_signature": False}))

    @property
    def is_page(self) -> bool:
        return self.mode == "page"

    @property
    def page(self) -> Html:
        return Html(self.response.text)


def visit(
    op: ServedHere,
    browser: httpx.Client,
    person: Person,
    response: httpx.Response,
    *,
    decision: str = "allow",
) -> Answer:
    """Answer page after page until the browser leaves the provider, or a page asks nothing that is known."""
    for _ in range(STEPS):
        if response.is_redirect:
            address = urljoin(str(response.url), response.headers["location"])
            if not address.startswith(op.issuer + "/"):
                return Answer(address, dict(parse_qsl(urlsplit(address).query)), "query", response)
            response = browser.get(address)
            continue
        form = _outgoing(op, response)
        if form is not None:
            return Answer(form.action, form.fields, "form_post", response)
        typed = _typed(op, person, response, decision)
        if typed is None:
            return Answer(str(response.url), {}, "page", response)
        response = _submit(browser, response, typed)
    raise AssertionError("the journey does not end")


def _forms(response: httpx.Response) -> Mapping[str, Form]:
    return Html(response.text).forms if "html" in response.headers.get("content-type", "") else {}


def _outgoing(op: ServedHere, response: httpx.Response) -> Form | None:
    """Return the form that leads away by itself (Form Post Response Mode §2)."""
    forms = _forms(response)
    away = [
        form for form in forms.values() if not urljoin(str(response.url), form.action).startswith(op.issuer)
    ]
    return away[0] if away and away[0].form_id == "form-post" else None


def _typed(
    op: ServedHere, person: Person, response: httpx.Response, decision: str
) -> tuple[str, dict[str, Any]] | None:
    forms = _forms(response)
    if "sign-in" in forms:
        return "sign-in", {"identifier": person.personal_number, "password": person.password}
    if "second-factor" in forms:
        op.wait(seconds=30)  # a code is taken once, and each has its half minute
        return "second-factor", {"code": person.code(op.clock.now)}
    if "consent" in forms:
        return "consent", {"decision": decision, "claim": list(forms["consent"].checkboxes)}
    return None


def _submit(
    browser: httpx.Client, response: httpx.Response, typed: tuple[str, dict[str, Any]]
) -> httpx.Response:
    form_id, values = typed
    form = _forms(response)[form_id]
    return browser.post(urljoin(str(response.url), form.action), data={**form.fields, **values})
