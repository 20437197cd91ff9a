"""A person without a browser: reads the provider's real pages over HTTP and answers their forms."""

import contextlib
from collections.abc import Iterator
from urllib.parse import urljoin

import httpx

from tests.support.html_forms import Html
from tests.support.main_job import Person

STEPS = 12


@contextlib.contextmanager
def visitor() -> Iterator[httpx.Client]:
    """Give a browser-like client: cookies of its own, redirects followed by hand."""
    with httpx.Client(trust_env=False, timeout=20.0) as http:
        yield http


def walk(http: httpx.Client, address: str, person: Person, *, ticked: tuple[str, ...] = ()) -> str:
    """Take the person through every page, agreeing; return the address outside to which they are sent."""
    issuer = httpx.URL(address).copy_with(raw_path=b"/")
    response = http.get(address)
    for _ in range(STEPS):
        if response.is_redirect:
            address = urljoin(str(response.url), response.headers["location"])
            if httpx.URL(address).netloc != issuer.netloc:
                return address
            response = http.get(address)
        else:
            response = _answer(http, response, person, ticked)
    raise AssertionError("the journey does not end")


def _answer(
    http: httpx.Client, response: httpx.Response, person: Person, ticked: tuple[str, ...]
) -> httpx.Response:
    page = Html(response.text)
    answers: dict[str, dict[str, str | list[str]]] = {
        "sign-in": {"identifier": person.number, "password": person.password},
        "second-factor": {},
        "consent": {"decision": "allow", "claim": list(ticked)},
    }
    for form_id, typed in answers.items():
        if form_id in page.forms:
            form = page.forms[form_id]
            if form_id == "second-factor":
                typed["code"] = person.code()
            return http.post(urljoin(str(response.url), form.action), data={**form.fields, **typed})
    raise AssertionError(f"{response.status_code} {response.url}: {page.text[:600]}")
