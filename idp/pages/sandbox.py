"""The sandbox, for people: a developer makes the provider do what their tests need. Not in production.

Whoever holds a sandbox token signs in with it; it travels in a form and a cookie, never in an address.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.throttling import ThrottledError
from idp.identity.account_links import MOVES as ALL_MOVES
from idp.identity.account_links import AccountLink
from idp.identity.assurance import Proofing
from idp.pages.frame import read_own_form, show
from idp.pages.sandbox_views import (
    SandboxLink,
    SandboxPage,
    SandboxPerson,
    SandboxSignInPage,
    ShownSimulation,
)
from idp.protocol.errors import InvalidRequestError, ProtocolError
from idp.protocol.model import Client
from idp.protocol.parameters import Parameters
from idp.protocol.problems import ProblemError
from idp.protocol.simulation import ERRORS, MAX_DELAY_SECONDS, MAX_TIMES, make_simulation
from idp.web.answers import see_other, with_retry_after
from idp.web.cookies import Cookies
from idp.web.demo_people import DemoPerson
from idp.web.sandbox import check_sandbox_token, sandbox_of
from idp.web.sandbox_actions import (
    BECAUSE,
    MOVES,
    OLDEST,
    invent_person,
    move_own_link,
    read_wished_person,
    rotate_keys,
)
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

PATH = "/sandbox"
_SHOWN_LINKS = 20


@dataclass(frozen=True, slots=True)
class _Developer:
    context: Context
    client: Client
    now: datetime

    @property
    def client_id(self) -> str:
        return self.client.client_id


@router.get(PATH)
async def sandbox_page(http: Request) -> Response:
    """Show the sandbox of whoever signed in to it, and the way in to anybody else."""
    developer = await _find_developer(http)
    if developer is None:
        return show(http, _sign_in_view(context_of(http)))
    return show(http, await _view(developer))


@router.post(PATH)
async def act_in_sandbox(http: Request) -> Response:
    """Do what one of the forms asks for."""
    context = context_of(http)
    form = await read_own_form(http)
    action = form.get("action")
    if action == "sign_in":
        return await _sign_in(context, http, form)
    developer = await _find_developer(http)
    if developer is None:
        return see_other(f"{context.issuer}{PATH}")
    if action == "sign_out":
        answer = see_other(f"{context.issuer}{PATH}")
        Cookies(context.is_secure).clear_sandbox(answer)
        return answer
    try:
        return await _act(http, developer, action, form)
    except ThrottledError as throttled:
        view = replace(await _view(developer), retry_at=throttled.retry_at)
        return with_retry_after(show(http, view, status=429), throttled.retry_at - developer.now)
    except (InvalidRequestError, ProblemError) as refused:
        view = replace(await _view(developer), problem=refused.description)
        return show(http, view, status=refused.status)


async def _act(http: Request, developer: _Developer, action: str | None, form: Parameters) -> Response:
    context, client, now = developer.context, developer.client, developer.now
    if action == "invent":
        members = {"age": _number(form, "age"), "proofing": form.get("proofing")}
        person = await invent_person(context, client, read_wished_person(members), now)
        return show(http, replace(await _view(developer), invented=_person(person)))
    if action == "rotate":
        rotated = await rotate_keys(context, client, now)
        return show(http, replace(await _view(developer), rotated=rotated))
    if action == "simulate":
        await _simulate(developer, form)
    elif action == "stop":
        uow = context.unit_of_work()
        uow.simulations.remove(developer.client_id)
        await uow.commit()
        await sandbox_of(context).refresh(now)
    elif action is not None and action in MOVES:
        await move_own_link(context, client, form.get("link_id", ""), MOVES[action], now)
    else:
        raise InvalidRequestError("the form asks for nothing that can be done here")
    return see_other(f"{context.issuer}{PATH}")


async def _simulate(developer: _Developer, form: Parameters) -> None:
    endpoint, _, error = form.get("answer", "").partition(" ")
    wished = make_simulation(
        {
            "endpoint": endpoint,
            "error": error or None,
            "delay_seconds": _number(form, "delay_seconds"),
            "times": _number(form, "times"),
        }
    )
    uow = developer.context.unit_of_work()
    uow.simulations.put(developer.client_id, wished, developer.now)
    await uow.commit()
    await sandbox_of(developer.context).refresh(developer.now)


def _number(form: Parameters, name: str) -> int | str:
    """Return a number that was typed; what is none stays as it is, for the rule to refuse."""
    typed = form.get(name, "")
    return int(typed) if len(typed) <= 4 and typed.isascii() and typed.isdecimal() else typed


async def _sign_in(context: Context, http: Request, form: Parameters) -> Response:
    token = form.get("sandbox_token", "").strip()
    try:
        await check_sandbox_token(context, token, context.clock())
    except ProtocolError:
        return show(http, replace(_sign_in_view(context), is_refused=True), status=403)
    answer = see_other(f"{context.issuer}{PATH}")
    Cookies(context.is_secure).set_sandbox(answer, token)
    return answer


async def _find_developer(http: Request) -> _Developer | None:
    context = context_of(http)
    sandbox_of(context)
    now = context.clock()
    token = Cookies(context.is_secure).read_sandbox(http)
    if token is None:
        return None
    try:
        return _Developer(context, await check_sandbox_token(context, token, now), now)
    except ProtocolError:
        return None


def _sign_in_view(context: Context) -> SandboxSignInPage:
    return SandboxSignInPage(action=f"{context.issuer}{PATH}")


async def _view(developer: _Developer) -> SandboxPage:
    context, now = developer.context, developer.now
    uow = context.unit_of_work()
    found = await uow.simulations.find(developer.client_id, now)
    links = await uow.platform_links.page(developer.client_id, None, now, after="", limit=_SHOWN_LINKS)
    return SandboxPage(
        action=f"{context.issuer}{PATH}",
        network=developer.client.client_name,
        errors={endpoint.value: sorted(kinds) for endpoint, kinds in ERRORS.items()},
        most_seconds=MAX_DELAY_SECONDS,
        most_times=MAX_TIMES,
        oldest=OLDEST,
        levels_of_people=[proofing.value for proofing in Proofing],
        simulation=None
        if found is None
        else ShownSimulation(
            endpoint=found.simulation.endpoint.value,
            error=found.simulation.error,
            delay_seconds=found.simulation.delay_seconds,
            remaining=found.remaining,
            expires_at=found.expires_at,
        ),
        links=[_link(link) for link in links],
        people=[_person(person) for person in sandbox_of(context).people],
    )


def _link(link: AccountLink) -> SandboxLink:
    possible = ALL_MOVES[link.status]
    return SandboxLink(
        link_id=link.link_id,
        account=link.handle or link.account_id,
        status=link.status,
        moves=[
            word
            for word, to in MOVES.items()
            if to in possible and (word != "reinstate" or link.suspended_because == BECAUSE)
        ],
    )


def _person(person: DemoPerson) -> SandboxPerson:
    return SandboxPerson(
        personal_number=person.personal_number,
        name=person.name,
        birthdate=person.birthdate,
        password=person.password,
        totp_secret=person.totp_secret,
    )
