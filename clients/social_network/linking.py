"""Linking a member's account, coming back, and checking again. All of the SDK that a platform needs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from clients.relying_party import (
    AuthorizationRefusedError,
    CallbackError,
    GrantRefusedError,
    LinkedAccount,
    Provider,
    ProviderUnavailableError,
    RelyingParty,
    RelyingPartyError,
    Started,
    verified_claims,
)
from clients.social_network.accounts import Link
from clients.social_network.settings import Settings
from clients.social_network.web import Form, Here, LinkingParty, Visit, render, see

Connect = Callable[[], Awaitable[LinkingParty]]

LEAST_LEVEL = "vn-2"
"""Posting asks for two factors at sign-in; the registration at the provider says the same."""

router = APIRouter()
_log = logging.getLogger("quan_coc.linking")


class Connection:
    """The connection to the provider, made when it is first needed: the network starts without it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = httpx.AsyncClient(timeout=10)
        self._lock = asyncio.Lock()
        self._relying_party: RelyingParty | None = None

    async def relying_party(self) -> LinkingParty:
        """Return the relying party; discover the provider the first time."""
        async with self._lock:
            if self._relying_party is None:
                self._relying_party = RelyingParty(
                    await Provider.discover(self._settings.issuer, self._http),
                    self._settings.client_id,
                    key=self._settings.key_file.read_text(),
                    redirect_uri=self._settings.redirect_uri,
                )
            return self._relying_party

    async def close(self) -> None:
        """Close what is open."""
        await self._http.aclose()


@router.post("/link")
async def link(visit: Here, _: Form) -> Response:
    """Begin: keep what was started in this session, then send the person to the provider."""
    if visit.member is None:
        return see("/")
    try:
        relying_party = await visit.network.connect()
        started = await relying_party.start_linking(
            account_id=visit.member.account_id,
            handle=f"@{visit.member.handle}",
            profile_uri=f"{visit.network.settings.base_url}/@{visit.member.handle}",
            purpose="post",
            acr_values=[LEAST_LEVEL],
            claims=verified_claims(["age_over_16"], purposes={"age_over_16": visit.words["age_purpose"]}),
            ui_locales=[visit.language],
        )
    except RelyingPartyError as error:
        return _explain(visit, error)
    visit.network.store.keep_started(visit.session_id, started.state, started.to_json(), visit.now)
    return RedirectResponse(started.authorization_url, 303)


@router.get("/callback")
async def callback(visit: Here) -> Response:
    """Come back: what was started is taken out first, so that it serves once and only in its session."""
    query = visit.request.query_params
    store = visit.network.store
    kept = store.take_started(visit.session_id, query.get("state", ""), visit.now)
    if kept is None or visit.member is None:
        return render(visit, "problem.html", 400, reason="callback")
    started = Started.from_json(kept)
    if started.account_id != visit.member.account_id:
        return render(visit, "problem.html", 400, reason="callback")
    try:
        relying_party = await visit.network.connect()
        linked = await relying_party.finish(query.multi_items(), started)
    except RelyingPartyError as error:
        return _explain(visit, error)
    store.save_link(_link_from(linked, visit))
    store.keep_provider_session(visit.session_id, linked.subject, linked.sid, linked.tokens.id_token)
    store.leave_notice(visit.session_id, "linked")
    return see("/")


@router.post("/check-link")
async def check_link(visit: Here, _: Form) -> Response:
    """Ask the provider, because the member wants to know. Nobody else asks: bind once, then stay out.

    One check at a time: a refresh token that comes back later than its minute of grace ends the whole grant.
    """
    if visit.member is None:
        return see("/")
    async with visit.network.checking:
        kept = visit.network.store.find_link(visit.member.account_id)
        if kept is None or not kept.is_active(visit.now):
            return see("/settings")
        try:
            notice = "checked" if await _is_still_good(kept, visit) else "ended"
        except GrantRefusedError:
            notice = "ended"
        except RelyingPartyError as error:
            return _explain(visit, error)
    if notice == "ended":
        visit.network.store.save_link(replace(kept, status="ended", refresh_token=None, checked_at=visit.now))
    visit.network.store.leave_notice(visit.session_id, notice)
    return see("/settings")


async def _is_still_good(kept: Link, visit: Visit) -> bool:
    """Refresh, keep the new tokens at once, then ask userinfo about the same person."""
    relying_party = await visit.network.connect()
    if kept.refresh_token is not None:
        tokens = await relying_party.refresh(kept.refresh_token, subject=kept.subject)
        kept = replace(
            kept,
            access_token=tokens.access_token,
            access_expires_at=tokens.expires_at,
            refresh_token=tokens.refresh_token or kept.refresh_token,
        )
        visit.network.store.save_link(kept)
    elif visit.now >= kept.access_expires_at:
        raise ProviderUnavailableError("the access token is over and there is no way to renew it")
    told = await relying_party.userinfo(kept.access_token, subject=kept.subject)
    now_linked = told.get("account_link", {"status": "active"})
    visit.network.store.save_link(replace(kept, checked_at=visit.now))
    return isinstance(now_linked, dict) and now_linked.get("status") == "active"


def _link_from(linked: LinkedAccount, visit: Visit) -> Link:
    verified = linked.verified_claims
    return Link(
        account_id=linked.account_id,
        subject=linked.subject,
        link_id=linked.link_id,
        status=linked.status,
        acr=linked.acr,
        level=None if verified is None else verified.assurance_level,
        linked_at=linked.linked_at,
        expires_at=linked.expires_at,
        checked_at=visit.now,
        access_token=linked.tokens.access_token,
        access_expires_at=linked.tokens.expires_at,
        refresh_token=linked.tokens.refresh_token,
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
