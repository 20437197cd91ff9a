"""With which passkeys do I sign in? Add one, call it something, remove it.

Adding and removing take a strong sign-in of these minutes, and are told on every way (NIST SP 800-63B §4).
The last way in cannot be removed here: nobody shall lock themselves out.
"""

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.passkeys import Passkey
from idp.identity.assurance import Acr, Method
from idp.pages.frame import form_token, person_name, show
from idp.pages.own_pages import own_form_or_way, signed_in_or_way, strong_form_or_way, strong_or_way
from idp.pages.passkey_views import (
    NewPasskeyPage,
    PasskeyCard,
    PasskeyKind,
    PasskeyPage,
    PasskeysNotice,
    PasskeysPage,
)
from idp.pages.sign_in_views import PasskeyAsk
from idp.pages.visit import PASSKEYS, visit_about
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError, UniquenessError
from idp.web.answers import see_other
from idp.web.credential_changes import check_may_change
from idp.web.failures import JourneyError, Trouble, note
from idp.web.journey import enrolled_methods
from idp.web.passkeys import (
    LISTED,
    LONGEST_NAME,
    MOST_PASSKEYS,
    PasskeyProblem,
    PasskeyRefusedError,
    accepted_passkeys,
    add_passkey,
    new_passkey_options,
    record_removed_passkey,
)
from idp.web.requests import is_id
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

NEW = visit_about(PASSKEYS, "new")
_OTHER_WAYS_IN = frozenset({Method.PASSWORD, Method.APP})
"""What lets somebody in without a passkey and without anybody's help."""


@router.get("/my/passkeys")
async def passkeys(http: Request) -> Response:
    """Show every passkey, oldest first."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, PASSKEYS)
    if isinstance(signed_in, Response):
        return signed_in
    citizen_id = signed_in.citizen.citizen_id
    listed = await uow.passkeys.of_citizen(citizen_id, limit=LISTED)
    done = http.query_params.get("done", "")
    view = PasskeysPage(
        csrf=form_token(context, signed_in.session),
        passkeys=tuple(_card(context, each) for each in listed),
        add_uri=f"{context.issuer}/my/passkeys/new" if len(listed) < MOST_PASSKEYS else None,
        accepted=accepted_passkeys(context, citizen_id, listed),
        notice=PasskeysNotice(done) if done in list(PasskeysNotice) else None,
    )
    return show(http, view)


@router.get("/my/passkeys/new")
async def new_passkey_page(http: Request) -> Response:
    """Ask the browser for a new passkey."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await strong_or_way(context, uow, http, now, NEW, minimum=Acr.VN_2)
    if isinstance(signed_in, Response):
        return signed_in
    return await _show_new(context, uow, http, signed_in, now)


@router.post("/my/passkeys/new")
async def new_passkey(http: Request) -> Response:
    """Verify the new passkey and keep it."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, NEW, minimum=Acr.VN_2)
    if isinstance(sent, Response):
        return sent
    session, name = sent.signed_in.session, _name(sent.form.get("name", ""))
    try:
        await add_passkey(
            context,
            uow,
            sent.form.get("credential", ""),
            name,
            session.citizen_id,
            session.session_id,
            now,
        )
        await check_may_change(context, session.citizen_id, now)
        await uow.commit()
    except PasskeyRefusedError as refused:
        problem = refused.problem
    except GateClosedError:
        problem = PasskeyProblem.OUTDATED
    except UniquenessError:
        problem = PasskeyProblem.KNOWN
    else:
        return see_other(f"{context.issuer}/my/passkeys?done={PasskeysNotice.ADDED.value}")
    note(http, refused=f"passkey_{problem.value}")
    return await _show_new(context, context.unit_of_work(), http, sent.signed_in, now, problem, name)


@router.get("/my/passkeys/{passkey_id}")
async def passkey_page(http: Request, passkey_id: str) -> Response:
    """Show one passkey, with its name to change and its end."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, visit_about(PASSKEYS, passkey_id))
    if isinstance(signed_in, Response):
        return signed_in
    listed = await uow.passkeys.of_citizen(signed_in.citizen.citizen_id, limit=LISTED)
    passkey = _own(listed, passkey_id)
    is_last = await _is_only_way(uow, signed_in.citizen.citizen_id, listed)
    card = _card(context, passkey)
    view = PasskeyPage(
        csrf=form_token(context, signed_in.session),
        passkey=card,
        name_action=f"{card.uri}/name",
        longest_name=LONGEST_NAME,
        remove_action=None if is_last else f"{card.uri}/remove",
    )
    return show(http, view)


@router.post("/my/passkeys/{passkey_id}/name")
async def name_passkey(http: Request, passkey_id: str) -> Response:
    """Call a passkey something else."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now, visit_about(PASSKEYS, passkey_id))
    if isinstance(sent, Response):
        return sent
    if not is_id(passkey_id):
        raise JourneyError(Trouble.NOT_FOUND)
    uow.passkeys.rename(sent.signed_in.citizen.citizen_id, passkey_id, _name(sent.form.get("name", "")))
    await _commit(uow)
    return see_other(f"{context.issuer}/my/passkeys?done={PasskeysNotice.NAMED.value}")


@router.post("/my/passkeys/{passkey_id}/remove")
async def remove_passkey(http: Request, passkey_id: str) -> Response:
    """End a passkey: from now on it lets nobody in."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    visit_id = visit_about(PASSKEYS, passkey_id)
    sent = await strong_form_or_way(context, uow, http, now, visit_id)
    if isinstance(sent, Response):
        return sent
    citizen_id = sent.signed_in.citizen.citizen_id
    listed = await uow.passkeys.of_citizen(citizen_id, limit=LISTED)
    passkey = _own(listed, passkey_id)
    if await _is_only_way(uow, citizen_id, listed):
        return see_other(_address(context, passkey))
    record_removed_passkey(uow, passkey, "removed", now)
    await _commit(uow)
    return see_other(f"{context.issuer}/my/passkeys?done={PasskeysNotice.REMOVED.value}")


async def _is_only_way(uow: UnitOfWork, citizen_id: str, listed: Sequence[Passkey]) -> bool:
    if len(listed) > 1:
        return False
    record = await uow.authenticators.find(citizen_id)
    return not _OTHER_WAYS_IN & set(enrolled_methods(record))


async def _show_new(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    signed_in: SignedIn,
    now: datetime,
    problem: PasskeyProblem | None = None,
    name: str = "",
) -> Response:
    session, citizen = signed_in.session, signed_in.citizen
    person = person_name(context, citizen)
    view = NewPasskeyPage(
        csrf=form_token(context, session),
        passkey=PasskeyAsk(
            action=f"{context.issuer}/my/passkeys/new",
            options=await new_passkey_options(
                context, uow, citizen.citizen_id, person, session.session_id, now
            ),
            problem=problem,
        ),
        name=name,
        longest_name=LONGEST_NAME,
    )
    return show(http, view, status=200 if problem is None else 400)


def _card(context: Context, passkey: Passkey) -> PasskeyCard:
    key = passkey.credential
    kind = PasskeyKind.DEVICE
    if key.is_hardware:
        kind = PasskeyKind.HARDWARE
    elif key.is_backup_eligible:
        kind = PasskeyKind.SYNCED
    return PasskeyCard(
        name=passkey.name,
        kind=kind,
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
        uri=_address(context, passkey),
    )


def _address(context: Context, passkey: Passkey) -> str:
    return f"{context.issuer}/my/passkeys/{passkey.passkey_id}"


def _own(listed: Sequence[Passkey], passkey_id: str) -> Passkey:
    """Return one of the person's passkeys; another's looks exactly like none (abuse case 24)."""
    for passkey in listed:
        if passkey.passkey_id == passkey_id:
            return passkey
    raise JourneyError(Trouble.NOT_FOUND)


def _name(typed: str) -> str:
    """Return what somebody typed as a name, without what cannot be seen."""
    visible = "".join(letter if letter.isprintable() else " " for letter in typed)
    return " ".join(visible.split())[:LONGEST_NAME]


async def _commit(uow: UnitOfWork) -> None:
    """Commit a change of one passkey. Raises JourneyError where it is not theirs, or gone already."""
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise JourneyError(Trouble.NOT_FOUND, detail=closed.gate) from closed
