"""The authorization code grant. RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9449 §10."""

from dataclasses import replace

from idp.endpoints.guardian_consent import with_guardian
from idp.endpoints.issuance import Issue, first_refresh_token, issue_tokens, used
from idp.endpoints.link_redemption import redeem_link
from idp.endpoints.token_request import TokenRequest
from idp.identity.account_links import AccountLink, Status
from idp.protocol.errors import InvalidGrantError
from idp.protocol.grants import Backing, ReplayedError, check_redemption
from idp.protocol.model import Grant
from idp.protocol.parameters import required
from idp.protocol.resources import choose_audience
from idp.protocol.sender_constraint import check_bound_code
from idp.store.account_links import ACCOUNT_INDEX, PLACE_INDEX
from idp.store.writes import GateClosedError, UniquenessError
from idp.web.client_authentication import closed_gate_refusal, spend_proofs


async def redeem_code(request: TokenRequest) -> dict[str, object]:
    """Exchange a code: it is consumed, the link becomes active and the grant begins in one commit."""
    context, client, parameters, now = request.context, request.client, request.parameters, request.now
    uow = context.unit_of_work()
    found = await uow.codes.find(required(parameters, "code"), now)
    code = None if found is None else found.code
    granted = check_redemption(
        code, client, parameters.get("redirect_uri"), parameters.get("code_verifier"), now
    )
    if found is None or code is None:
        raise InvalidGrantError("the authorization code is unknown")
    check_bound_code(code.dpop_jkt, request.confirmation)
    grant = replace(granted, confirmation=request.confirmation if client.is_public else None)
    audience = choose_audience(parameters.get("resource"), grant.resource, context.policy)
    # Each round takes the lowest place that is free; losing a race for one costs a round, not the link.
    for tries in range(client.policy.max_links_per_citizen + 1):
        redemption = await redeem_link(
            uow,
            client,
            _as_proven(found.backing, grant),
            now,
            citizen=found.backing.citizen,
            authenticated_at=grant.auth_time,
            policy_version=context.feature_policy.version,
            is_first_try=tries == 0,
        )
        redemption = await with_guardian(uow, redemption, found.backing.citizen, now)
        redemption = await redemption.listed(context.status_indexes)
        new_token = first_refresh_token(context, client, grant, now)
        issue = Issue(
            client,
            grant.scope,
            audience,
            request.confirmation,
            grant,
            replace(found.backing, link=redemption.after),
            None if new_token is None else new_token[0],
            needs_session=True,
        )
        # The gates come first: whoever finds one closed leaves nothing behind.
        spend_proofs(uow, request.authenticated)
        uow.codes.consume(code, now)
        content = issue_tokens(context, uow, issue, now)
        redemption.record(uow, now)
        uow.grants.add(grant)
        if new_token is not None:
            uow.grants.add_refresh_token(new_token[1])
        uow.ledger.append(used(grant, "grant:redeemed", now))
        try:
            await uow.commit()
        except GateClosedError as closed:
            if closed.gate == "code_consumed":
                raise ReplayedError("the code was used already", grant_id=grant.grant_id) from closed
            raise closed_gate_refusal(closed) from closed
        except UniquenessError as taken:
            if taken.index not in {ACCOUNT_INDEX, PLACE_INDEX}:
                raise
        else:
            return content
    raise InvalidGrantError("the account link cannot be made", detail="no free place")


def _as_proven(backing: Backing, grant: Grant) -> AccountLink | None:
    """Return the link with the assurance that stands behind this grant; a renewal may prove more, or less."""
    link = backing.link
    if link is None or link.status not in {Status.PENDING, Status.ACTIVE, Status.LAPSED}:
        return link
    return replace(link, proofing=backing.citizen.proofing, acr=grant.acr)
