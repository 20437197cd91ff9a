"""The token endpoint. RFC 6749 §3.2, OpenID Connect Core §3.1.3, RFC 9396 §7.

Read → load → decide → commit → answer, for each of the two grants. `issue_tokens` is the one place
where tokens come into being, and it begins by checking that everything behind them still stands.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import PROVIDER, Actor, ActorKind, Event
from idp.endpoints.link_redemption import redeem_link
from idp.identity.account_links import AccountLink, Status
from idp.protocol.account_link_details import enriched
from idp.protocol.claims import id_token_released_claims
from idp.protocol.client_authentication import AuthenticatedClient
from idp.protocol.client_metadata import GRANT_TYPES
from idp.protocol.errors import InvalidGrantError, UnauthorizedClientError, UnsupportedGrantTypeError
from idp.protocol.grants import ReplayedError, check_redemption, check_refresh, check_subject
from idp.protocol.model import Client, Grant, RefreshToken
from idp.protocol.parameters import Parameters, check_not_repeated
from idp.protocol.tokens import (
    ACCESS_TOKEN_ALGORITHM,
    ACCESS_TOKEN_TYPE,
    ID_TOKEN_TYPE,
    access_token_claims,
    id_token_claims,
    token_response,
)
from idp.store.account_links import ACCOUNT_INDEX, PLACE_INDEX
from idp.store.encoding import hash_secret
from idp.store.grants import Backing
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError, UniquenessError
from idp.web.answers import json_answer
from idp.web.client_authentication import (
    SPENT_GATE,
    authenticate_client,
    replayed_assertion,
    spend_assertion,
    spent_if_refused,
)
from idp.web.failures import note
from idp.web.requests import read_form
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Issue:
    """What the choke-point needs to issue tokens."""

    grant: Grant
    client: Client
    backing: Backing
    link: AccountLink | None
    """The account link as it stands after this request's own moves."""
    scope: frozenset[str]
    refresh_token: str | None
    is_refresh: bool = False
    session_is_over: bool = False


@router.post("/token")
async def token(http: Request) -> Response:
    """Exchange a code or a refresh token: RFC 6749 §4.1.3, §6."""
    context = context_of(http)
    now = context.clock()
    parameters = await read_form(http)
    check_not_repeated(parameters)
    authenticated = await authenticate_client(context, http, parameters, now)
    async with spent_if_refused(context, authenticated):
        try:
            return json_answer(await _grant(context, authenticated, parameters, now))
        except ReplayedError as replayed:
            note(http, grant_id=replayed.grant_id)
            await _revoke_replayed(context, authenticated, replayed, now)
            raise


async def _grant(
    context: Context, authenticated: AuthenticatedClient, parameters: Parameters, now: datetime
) -> dict[str, object]:
    grant_type = parameters.get("grant_type")
    if grant_type not in GRANT_TYPES:
        raise UnsupportedGrantTypeError("grant_type must be authorization_code or refresh_token")
    if grant_type not in authenticated.client.grant_types:
        raise UnauthorizedClientError(f"the client is not registered for grant_type {grant_type}")
    uow = context.unit_of_work()
    if grant_type == "authorization_code":
        return await _redeem_code(context, uow, authenticated, parameters, now)
    return await _refresh(context, uow, authenticated, parameters, now)


async def _redeem_code(
    context: Context,
    uow: UnitOfWork,
    authenticated: AuthenticatedClient,
    parameters: Parameters,
    now: datetime,
) -> dict[str, object]:
    """RFC 6749 §4.1.3. The code is consumed, the link becomes active and the grant begins in one commit."""
    client = authenticated.client
    found = await uow.codes.find(parameters.get("code", ""), now)
    code = None if found is None else found.code
    grant = check_redemption(
        code, client, parameters.get("redirect_uri"), parameters.get("code_verifier"), now
    )
    if found is None or code is None:
        raise InvalidGrantError("the authorization code is unknown")
    # Each round takes the lowest place that is free; losing a race for one costs a round, not the link.
    for tries in range(client.policy.max_links_per_citizen + 1):
        redemption = await redeem_link(
            uow, client, _as_proven(found.backing, grant), now, is_first_try=tries == 0
        )
        new_token = _new_refresh_token(context, client, grant, 1, now)
        issue = Issue(
            grant,
            client,
            found.backing,
            redemption.after,
            grant.scope,
            None if new_token is None else new_token[0],
            session_is_over=found.backing.session_is_over,
        )
        content = issue_tokens(context, issue, now)
        spend_assertion(uow, authenticated)
        uow.codes.consume(code, now)
        redemption.record(uow, now)
        uow.grants.add(grant)
        if new_token is not None:
            uow.grants.add_refresh_token(new_token[1])
        uow.ledger.append(_used(grant, "grant:redeemed", now))
        try:
            await uow.commit()
        except GateClosedError as closed:
            raise _refusal(closed, grant, "code_consumed") from closed
        except UniquenessError as taken:
            if taken.index not in {ACCOUNT_INDEX, PLACE_INDEX}:
                raise
        else:
            return content
    raise InvalidGrantError("the account link cannot be made", detail="no free place")


async def _refresh(
    context: Context,
    uow: UnitOfWork,
    authenticated: AuthenticatedClient,
    parameters: Parameters,
    now: datetime,
) -> dict[str, object]:
    """RFC 6749 §6, RFC 9700 §4.14.2: a new generation for the one that is consumed."""
    client = authenticated.client
    found = await uow.grants.find_refresh_token(parameters.get("refresh_token", ""), now)
    scope = check_refresh(
        None if found is None else found.token,
        None if found is None else found.grant,
        client,
        now,
        parameters.get("scope"),
    )
    if found is None:
        raise InvalidGrantError("the refresh token is unknown")
    grant = found.grant
    new_token = _new_refresh_token(context, client, grant, found.token.generation + 1, now)
    # Without offline_access a token family ends with the session it came from (OIDC Core §11).
    is_online = "offline_access" not in grant.scope
    issue = Issue(
        grant,
        client,
        found.backing,
        found.backing.link,
        scope,
        None if new_token is None else new_token[0],
        is_refresh=True,
        session_is_over=is_online and found.backing.session_is_over,
    )
    content = issue_tokens(context, issue, now)
    spend_assertion(uow, authenticated)
    uow.grants.consume_refresh_token(found.token, now)
    if found.backing.link is not None:
        uow.account_links.touch(found.backing.link.link_id, now)
    if new_token is not None:
        uow.grants.add_refresh_token(new_token[1])
    uow.ledger.append(_used(grant, "grant:refreshed", now))
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise _refusal(closed, grant, "refresh_token_consumed") from closed
    return content


def issue_tokens(context: Context, issue: Issue, now: datetime) -> dict[str, object]:
    """Issue tokens: the only place that does. Raises InvalidGrantError when anything behind them fell.

    The answer is worthless until the commit that follows has succeeded: the grant it names is not stored yet.
    """
    grant, client, link = issue.grant, issue.client, issue.link
    citizen = issue.backing.citizen
    check_subject(grant, client, citizen.status, link, now, session_is_over=issue.session_is_over)
    signing = context.custody.signing
    access_token = signing.signer(ACCESS_TOKEN_ALGORITHM).sign(
        access_token_claims(grant, context.policy, jti=secrets.token_urlsafe(16), scope=issue.scope, now=now),
        typ=ACCESS_TOKEN_TYPE,
    )
    id_token = None
    if "openid" in issue.scope:
        id_token = signing.signer(client.id_token_signed_response_alg).sign(
            id_token_claims(
                grant,
                client,
                context.policy,
                access_token=access_token,
                link=link,
                released=id_token_released_claims(grant, citizen.personal_data, citizen.proofing, now),
                refreshed=issue.is_refresh,
                now=now,
            ),
            typ=ID_TOKEN_TYPE,
        )
    return token_response(
        context.policy,
        access_token=access_token,
        scope=issue.scope,
        id_token=id_token,
        refresh_token=issue.refresh_token,
        authorization_details=None if link is None else enriched(link),
    )


def _as_proven(backing: Backing, grant: Grant) -> AccountLink | None:
    """Return the link with the assurance that stands behind this grant; a renewal may prove more, or less."""
    link = backing.link
    if link is None or link.status not in {Status.PENDING, Status.ACTIVE, Status.LAPSED}:
        return link
    return replace(link, proofing=backing.citizen.proofing, acr=grant.acr)


def _new_refresh_token(
    context: Context, client: Client, grant: Grant, generation: int, now: datetime
) -> tuple[str, RefreshToken] | None:
    """Return a new refresh token and what is stored of it; None for a client that may not refresh."""
    if "refresh_token" not in client.grant_types:
        return None
    value = secrets.token_urlsafe(32)
    expires_at = min(now + context.policy.lifetimes.refresh_token, grant.expires_at)
    return value, RefreshToken(hash_secret(value), grant.grant_id, generation, now, expires_at)


def _refusal(closed: GateClosedError, grant: Grant, single_use: str) -> Exception:
    """Translate a closed gate: a spent assertion, a replay that lost a race, or a link moved meanwhile."""
    if closed.gate == SPENT_GATE:
        return replayed_assertion()
    if closed.gate == single_use:
        return ReplayedError("the code or refresh token was used already", grant_id=grant.grant_id)
    return InvalidGrantError("the authorization is no longer in force", detail=closed.gate)


async def _revoke_replayed(
    context: Context, authenticated: AuthenticatedClient, replayed: ReplayedError, now: datetime
) -> None:
    """Revoke what a replayed code or token gave (RFC 6749 §4.1.2, RFC 9700 §4.14.2), before answering.

    A request that is itself a replay, assertion and all, revokes nothing: it proves nothing.
    """
    uow = context.unit_of_work()
    if not isinstance(replayed.__cause__, GateClosedError):
        spend_assertion(uow, authenticated)  # found by reading; a request that lost a race has spent it
    uow.grants.revoke(replayed.grant_id, "replayed", now)
    uow.ledger.append(
        Event(
            type="grant:revoked",
            actor=PROVIDER,
            occurred_at=now,
            client_id=authenticated.client.client_id,
            details={"grant_id": replayed.grant_id, "because": "replayed"},
        )
    )
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise replayed_assertion() from closed


def _used(grant: Grant, event: str, now: datetime) -> Event:
    return Event(
        type=event,
        actor=Actor(ActorKind.CLIENT, grant.client_id),
        occurred_at=now,
        client_id=grant.client_id,
        citizen_id=grant.citizen_id,
        link_id=grant.link_id,
        details={"grant_id": grant.grant_id},
    )
