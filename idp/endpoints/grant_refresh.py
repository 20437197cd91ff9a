"""The refresh token grant: families, generations and a grace. RFC 6749 §6, RFC 9700 §4.14.2.

A successor is computed from the token it replaces and a key of ours. So a token that comes back within the
grace (its answer was lost, two tabs asked at once) gets the same successor again, though only hashes are
stored; and neither the database nor the key alone gives anybody a token.
"""

import base64

from idp.endpoints.issuance import Issue, issue_tokens, stored_refresh_token, used
from idp.endpoints.token_request import TokenRequest
from idp.protocol.errors import InvalidGrantError, OAuthError
from idp.protocol.grants import Refresh, check_refresh
from idp.protocol.model import Grant, RefreshToken
from idp.protocol.parameters import required
from idp.protocol.profiles import rules_of
from idp.protocol.resources import choose_audience
from idp.protocol.sender_constraint import check_bound_refresh
from idp.store.grants import FoundRefreshToken
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.client_authentication import closed_gate_refusal, spend_proofs
from idp.web.state import Context

_MOVED = frozenset({"refresh_token_consumed", "refresh_token_retried"})
"""Gates that close when the same token is used at the same moment: look again, then decide."""

_LOOKS = 5
"""One more than the uses that the grace allows, so that whoever loses every race has seen its end."""


async def refresh(request: TokenRequest) -> dict[str, object]:
    """Exchange a refresh token for new tokens."""
    presented = required(request.parameters, "refresh_token")
    lost: GateClosedError | None = None
    for _ in range(_LOOKS):
        uow = request.context.unit_of_work()
        found = await uow.grants.find_refresh_token(presented, request.now)
        if lost is None:
            # Stands before the other gates: whoever loses a race to one of them has spent it for good.
            spend_proofs(uow, request.authenticated)
        try:
            return await _refresh_found(request, uow, presented, found)
        except OAuthError as refused:
            # Its cause tells whoever answers that the proof of this request is spent already.
            raise refused from lost
        except GateClosedError as closed:
            if closed.gate not in _MOVED:
                raise closed_gate_refusal(closed) from closed
            lost = closed
    raise InvalidGrantError(
        "the refresh token is in use elsewhere; try again", detail="every race lost"
    ) from lost


async def _refresh_found(
    request: TokenRequest, uow: UnitOfWork, presented: str, found: FoundRefreshToken | None
) -> dict[str, object]:
    """Decide, issue and commit. Raises GateClosedError when the token moved since it was read."""
    context, client, now = request.context, request.client, request.now
    allowed = check_refresh(
        None if found is None else found.token,
        None if found is None else found.grant,
        client,
        now,
        request.parameters.get("scope"),
        grace=context.policy.lifetimes.refresh_grace,
    )
    if found is None:
        raise InvalidGrantError("the refresh token is unknown")
    grant = found.grant
    check_bound_refresh(grant.confirmation, request.confirmation)
    # Registered away since the grant was made: the token is of no more use.
    does_rotate = rules_of(client.profile).does_rotate_refresh_tokens
    successor = _successor(context, presented) if does_rotate else presented
    issue = Issue(
        client,
        allowed.scope,
        choose_audience(request.parameters.get("resource"), grant.resource, context.policy),
        request.confirmation,
        grant,
        found.backing,
        successor,
        is_refresh=True,
        # Without offline_access a token family ends with the session it came from (OIDC Core §11).
        needs_session="offline_access" not in grant.scope & client.scope,
    )
    if does_rotate:
        _rotate(context, uow, grant, found.token, allowed, successor, request)
    content = issue_tokens(context, uow, issue, now)
    if found.backing.link is not None:
        uow.account_links.touch(found.backing.link.link_id, now)
    uow.ledger.append(used(grant, "grant:refreshed", now))
    await uow.commit()
    return content


def _rotate(
    context: Context,
    uow: UnitOfWork,
    grant: Grant,
    token: RefreshToken,
    allowed: Refresh,
    successor: str,
    request: TokenRequest,
) -> None:
    if allowed.is_retry:
        uow.grants.retry_refresh_token(token)
        return
    uow.grants.consume_refresh_token(token, request.now)
    generation = token.generation + 1
    uow.grants.add_refresh_token(stored_refresh_token(context, successor, grant, generation, request.now)[1])


def _successor(context: Context, token: str) -> str:
    return base64.urlsafe_b64encode(context.custody.data.lookup("refresh_token", token)).rstrip(b"=").decode()
