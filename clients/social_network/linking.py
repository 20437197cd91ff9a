"""Linking a member's account, coming back, and checking again. All of the SDK that a platform needs."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from clients.relying_party import (
    AuthorizationRefusedError,
    CallbackError,
    GrantRefusedError,
    LinkedAccount,
    ProviderUnavailableError,
    Reason,
    RelyingPartyError,
    RequestRefusedError,
    SignIn,
    Started,
    Step,
    verified_claims,
)
from clients.social_network.accounts import Account, Link
from clients.social_network.features import FEATURES, LIVE_SALE, POST
from clients.social_network.web import Form, Here, LinkingParty, Visit, render, see

Connect = Callable[[], Awaitable[LinkingParty]]

LEAST_LEVEL = "vn-2"
"""Posting asks for two factors at sign-in; the registration at the provider says the same."""

router = APIRouter()
_log = logging.getLogger("quan_coc.linking")


@router.post("/link")
async def link(visit: Here, form: Form) -> Response:
    """Begin: keep what was started in this session, then send the person to the provider.

    A linked member whose sign-in is too old or too weak for a feature comes this way, too: the link stays.
    """
    if visit.member is None:
        return see("/")
    feature = form.get("feature", POST)
    if feature not in FEATURES:
        return see("/")
    wish = _wish(visit, visit.member, feature)
    try:
        relying_party = await visit.network.connect()
        started = await relying_party.start_linking(
            account_id=visit.member.account_id,
            handle=f"@{visit.member.handle}",
            profile_uri=f"{visit.network.settings.base_url}/@{visit.member.handle}",
            purpose=feature,
            acr_values=[*wish.acr_values],
            max_age=wish.max_age,
            claims=wish.claims,
            ui_locales=[visit.language],
        )
    except RelyingPartyError as error:
        return _explain(visit, error)
    visit.network.store.keep_started(
        visit.session_id, started.state, started.to_json(), visit.now, wish.feature
    )
    return RedirectResponse(started.authorization_url, 303)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a sign-in at the provider is asked to be, and the feature that it is for."""

    feature: str
    acr_values: tuple[str, ...] = (LEAST_LEVEL,)
    max_age: int | None = None
    claims: Mapping[str, Any] | None = None


def _wish(visit: Visit, member: Account, feature: str) -> _Wish:
    held = visit.network.store.links.find(member.account_id)
    decision = visit.network.features.decide(member, held, feature, visit.now)
    if decision.step is not Step.SIGN_IN:
        age = verified_claims(["age_over_16"], purposes={"age_over_16": visit.words["age_purpose"]})
        return _Wish(feature, claims=age)
    # Whoever is asked to confirm the link signs in anew, however short ago the last time was.
    max_age = 0 if decision.lack is Reason.REVERIFY_DUE else decision.max_age
    return _Wish(feature, (max(LEAST_LEVEL, *decision.acr_values),), max_age)


@router.get("/callback")
async def callback(visit: Here) -> Response:
    """Come back: what was started is taken out first, so that it serves once and only in its session."""
    query = visit.request.query_params
    store = visit.network.store
    kept = store.take_started(visit.session_id, query.get("state", ""), visit.now)
    if kept is None or visit.member is None:
        return render(visit, "problem.html", 400, reason="callback")
    text, feature = kept
    started = Started.from_json(text)
    if started.account_id != visit.member.account_id:
        return render(visit, "problem.html", 400, reason="callback")
    try:
        relying_party = await visit.network.connect()
        linked = await relying_party.finish(query.multi_items(), started)
    except RelyingPartyError as error:
        return _explain(visit, error)
    store.links.save(await _link_from(linked, relying_party, visit))
    store.keep_provider_session(visit.session_id, linked.subject, linked.sid, linked.tokens.id_token)
    store.leave_notice(visit.session_id, "confirmed" if feature == LIVE_SALE else "linked")
    return see("/live" if feature == LIVE_SALE else "/")


@router.post("/check-link")
async def check_link(visit: Here, _: Form) -> Response:
    """Ask the provider, because the member wants to know. Nobody else asks: bind once, then stay out.

    One check at a time: a refresh token that comes back later than its minute of grace ends the whole grant.
    """
    if visit.member is None:
        return see("/")
    async with visit.network.checking:
        kept = visit.network.store.links.find(visit.member.account_id)
        if kept is None:
            return see("/settings")
        try:
            notice = await _check(kept, visit)
        except RelyingPartyError as error:
            return _explain(visit, error)
    visit.network.store.leave_notice(visit.session_id, notice)
    return see("/settings")


async def _check(kept: Link, visit: Visit) -> str:
    """Return how the link stands, as a notice. An ended one is over for good, and nobody is asked."""
    if kept.status == "ended":
        return "ended"
    if kept.is_active(visit.now):
        try:
            if await _is_still_good(kept, visit):
                return "checked"
        except GrantRefusedError:
            # The tokens are over; whether the link is, says the platform API.
            _log.info("the tokens of %s are over", kept.link_id)
    return await _what_became(kept, visit)


async def _what_became(kept: Link, visit: Visit) -> str:
    links = visit.network.store.links
    if visit.network.read_link is None:
        links.forget(kept.link_id)
        return "ended"
    try:
        read = await visit.network.read_link(kept.link_id)
    except RequestRefusedError as error:
        if error.status != 404:
            raise
        links.forget(kept.link_id)
        return "ended"
    links.take_read(read, visit.now.replace(microsecond=0))
    return {"active": "checked", "suspended": "suspended"}.get(read.status, "ended")


async def _is_still_good(kept: Link, visit: Visit) -> bool:
    """Refresh, keep the new tokens at once, then ask userinfo about the same person."""
    relying_party, links = await visit.network.connect(), visit.network.store.links
    access_token = kept.access_token
    if kept.refresh_token is not None:
        tokens = await relying_party.refresh(kept.refresh_token, subject=kept.subject)
        links.keep_tokens(kept.link_id, tokens)
        access_token = tokens.access_token
    elif visit.now >= kept.access_expires_at:
        raise ProviderUnavailableError("the access token is over and there is no way to renew it")
    told = await relying_party.userinfo(access_token, subject=kept.subject)
    now_linked = told.get("account_link", {"status": "active"})
    links.note_checked(kept.link_id, visit.now)
    return isinstance(now_linked, dict) and now_linked.get("status") == "active"


async def _link_from(linked: LinkedAccount, relying_party: LinkingParty, visit: Visit) -> Link:
    """Keep what was attested, and the receipt as it came; `finish` has verified both."""
    attested = linked.verified_claims
    level = None if attested is None else attested.assurance_level
    if linked.receipt is not None:
        level = (await relying_party.read_receipt(linked.receipt)).assurance_level
    return Link(
        account_id=linked.account_id,
        subject=linked.subject,
        link_id=linked.link_id,
        status=linked.status,
        acr=linked.acr,
        level=level,
        linked_at=linked.linked_at,
        expires_at=linked.expires_at,
        checked_at=visit.now,
        access_token=linked.tokens.access_token,
        access_expires_at=linked.tokens.expires_at,
        # Events of the very second in which the code was redeemed are the later word.
        as_of=visit.now.replace(microsecond=0),
        refresh_token=linked.tokens.refresh_token,
        receipt=linked.receipt,
        sign_ins=(SignIn(linked.acr, linked.auth_time),),
    )


def _explain(visit: Visit, error: RelyingPartyError) -> Response:
    """Say kindly what happened on the page where the link lives; the log gets the details."""
    match error:
        case AuthorizationRefusedError(error="access_denied"):
            reason = "access_denied"
        case AuthorizationRefusedError(error="temporarily_unavailable" | "server_error"):
            reason = "unavailable"
        case ProviderUnavailableError():
            reason = "unavailable"
        case CallbackError():
            reason = "callback"
        case GrantRefusedError():
            reason = "late"
        case _:
            reason = "other"
    _log.warning("%s: %s", type(error).__name__, error)
    visit.network.store.leave_notice(visit.session_id, f"error:{reason}")
    return see("/settings")
