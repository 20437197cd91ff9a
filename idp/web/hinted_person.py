"""Whom a client's hint means: the rule reads it, this looks the person up. CIBA Core 1.0 §7.1.

A client reaches nobody but those it knows: by a `sub` of its own sector while a grant of theirs lives, or by
an account of its own that is linked now. An unknown hint and a person who may not be served read the same.
"""

from datetime import datetime

from idp.identity.account_links import Status
from idp.identity.citizens import CitizenStatus
from idp.identity.identifiers import normalise_identifier
from idp.protocol.login_hint import Hint, HintKind, UnknownHintKeyError, verify_login_hint_token
from idp.protocol.model import Client
from idp.store.unit_of_work import UnitOfWork
from idp.web.state import Context


async def verify_hint(context: Context, client: Client, token: str, now: datetime) -> Hint:
    """Verify a login_hint_token, fetching the client's keys once more for a `kid` that they lack."""
    keys = await context.clients.keys_of(client, now)
    try:
        return verify_login_hint_token(token, client, keys, issuer=context.issuer, now=now)
    except UnknownHintKeyError:
        if client.jwks_uri is None:
            raise
    keys = await context.clients.keys_of(client, now, again=True)
    return verify_login_hint_token(token, client, keys, issuer=context.issuer, now=now)


async def find_hinted_person(
    context: Context, uow: UnitOfWork, client: Client, hint: Hint, now: datetime
) -> str | None:
    """Return the citizen whom a hint means, if they may be asked; None for everybody else."""
    if hint.kind is HintKind.ACCOUNT:
        citizen_id = await _holder_of_account(uow, client, hint.value, now)
    else:
        citizen_id = await _holder_of_subject(context, uow, client, hint.value, now)
    citizen = None if citizen_id is None else await uow.citizens.find(citizen_id)
    return citizen.citizen_id if citizen is not None and citizen.is_active() else None


async def _holder_of_account(uow: UnitOfWork, client: Client, account_id: str, now: datetime) -> str | None:
    for link in await uow.account_links.neighbours(client.client_id, account_id, ""):
        if link.account_id == account_id and link.status is Status.ACTIVE and not link.is_expired(now):
            return link.citizen_id
    return None


async def _holder_of_subject(
    context: Context, uow: UnitOfWork, client: Client, subject: str, now: datetime
) -> str | None:
    """Return whom a pairwise subject of this client's sector stands for; another sector's is nobody."""
    citizen_id = await uow.grants.find_holder(subject, now)
    if citizen_id is not None:
        expected = context.custody.data.pairwise_subject(client.sector, citizen_id)
        return citizen_id if expected == subject else None
    return None if context.mode == "production" else await _fictitious_person(uow, subject)


async def _fictitious_person(uow: UnitOfWork, typed: str) -> str | None:
    """Return a person of the demonstration by their number, for tests that have signed nobody in yet.

    Where real people are served no number is ever looked up (rule R4, abuse case P6).
    """
    identifier = normalise_identifier(typed)
    if identifier is None:
        return None
    found = await uow.authenticators.find_for_sign_in(identifier.kind.value, identifier.value)
    return found.citizen_id if found is not None and found.status is CitizenStatus.ACTIVE else None
