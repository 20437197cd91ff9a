"""Where a person stands on the way through an authorization: loaded once, judged by the pure rules.

The authorization endpoint and the pages both ask here, so that no page can be reached out of turn:
whoever opens one whose question is not due is sent to `/authorize/{interaction}`, which knows the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.requests import Request

from idp.identity.account_links import AccountLink, LinkRefusedError
from idp.identity.assurance import Method, lifting_methods
from idp.identity.consents import Consent
from idp.identity.sessions import Session
from idp.protocol import journey as rules
from idp.protocol.claim_values import is_requested_value
from idp.protocol.errors import InvalidRequestError, UnmetAuthenticationRequirementsError
from idp.protocol.feature_demand import with_demand
from idp.protocol.journey import NextStep, Page, Presence, Progress
from idp.protocol.model import AuthorizationRequest, Client, RequestedClaim
from idp.protocol.redirect_uris import match_redirect_uri
from idp.protocol.tokens import verify_id_token_hint
from idp.store.authenticators import SignInRecord
from idp.store.encoding import hash_secret
from idp.store.interactions import Interaction
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.cookies import Cookies
from idp.web.failures import JourneyError, Trouble, check_client_is_open, note
from idp.web.guardians import Guarded, assess_guarded
from idp.web.passkeys import has_biometric_passkey
from idp.web.state import Context


@dataclass(frozen=True, slots=True)
class Standing:
    """An authorization request with everything that its next step depends on."""

    request: AuthorizationRequest
    client: Client
    step: NextStep
    presence: Presence | None = None
    own_link: AccountLink | None = None
    """The person's live link to the account that is to be linked."""
    neighbours: tuple[AccountLink, ...] = ()
    guarded: Guarded | None = None
    """How it stands with the person's guardians; None where it did not come to that."""


async def load_interaction(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    interaction_id: str,
    now: datetime,
    *,
    may_be_unbound: bool = False,
) -> tuple[Interaction, Client]:
    """Return the interaction that this browser may go on with, and its client.

    One that arrived by POST belongs to no browser yet; only `/authorize/{interaction}` takes it, and binds
    it, before any page asks anything. Raises JourneyError: unknown, over, answered, another browser's, or
    its network is suspended; UntrustedRequestError: its redirect URI is not registered any more.
    """
    interaction = await uow.interactions.find(interaction_id) if len(interaction_id) <= 64 else None
    if interaction is None:
        raise JourneyError(Trouble.EXPIRED, detail="unknown interaction")
    client_id = interaction.request.client_id
    note(http, client_id=client_id)
    if interaction.finished_at is not None or now >= interaction.expires_at:
        raise JourneyError(Trouble.EXPIRED, client_id=client_id, detail="finished or expired interaction")
    cookies = Cookies(context.is_secure)
    browser = cookies.read(http, cookies.browser)
    is_unbound = interaction.browser_hash is None and may_be_unbound
    if not is_unbound and (browser is None or hash_secret(browser) != interaction.browser_hash):
        raise JourneyError(Trouble.OTHER_BROWSER, client_id=client_id)
    client = await context.clients.find(client_id)
    if client is None:
        raise JourneyError(Trouble.CLIENT_SUSPENDED)
    check_client_is_open(client)
    # An address may have been taken from the registration since the request was accepted.
    match_redirect_uri(interaction.request.redirect_uri, client.redirect_uris)
    return interaction, client


async def commit_step(uow: UnitOfWork, client_id: str, otherwise: Trouble = Trouble.EXPIRED) -> None:
    """Commit a step of the journey. Raises JourneyError when another window was faster."""
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise JourneyError(otherwise, client_id=client_id, detail=closed.gate) from closed


async def find_signed_in(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    now: datetime,
    *,
    request: AuthorizationRequest | None = None,
) -> SignedIn | None:
    """Return who is signed in with this browser: a living session of an active person, or nobody.

    With a request, the consent that may answer it is read along.
    """
    cookies = Cookies(context.is_secure)
    cookie = cookies.read(http, cookies.session)
    if cookie is None:
        return None
    found = (
        await uow.sessions.find(cookie)
        if request is None
        else await uow.sessions.find_with_consent(
            cookie, request.client_id, None if request.account_link is None else request.account_link.purpose
        )
    )
    if found is None or not found.citizen.is_active():
        return None
    return found if found.session.is_alive(context.session_limits, now) else None


async def assess(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    request: AuthorizationRequest,
    client: Client,
    interaction: Interaction | None,
    now: datetime,
) -> Standing:
    """Judge what comes next for this request in this browser. Reads at most three rows, writes nothing.

    What the feature policy demands of the request's purpose is in the standing's request and client.
    """
    request, client = with_demand(request, client, context.feature_policy.policy)
    signed_in = await find_signed_in(context, uow, http, now, request=request)
    presence = None
    if signed_in is not None:
        consent = await _consent_of(uow, signed_in, interaction)
        presence = Presence(signed_in.session, signed_in.citizen, consent)
    progress = Progress()
    if interaction is not None:
        progress = Progress(interaction.created_at, interaction.chosen_session_id, interaction.consent_id)
    is_somebody_else = presence is not None and _is_somebody_else(context, request, client, presence)
    step = rules.step_before_person(request, presence, progress, now, is_somebody_else=is_somebody_else)
    standing = Standing(request, client, step or NextStep(None), presence)
    if step is not None or presence is None:
        return standing
    try:
        methods = await _missing_factor(context, uow, request, client, presence)
        if methods:
            return replace(standing, step=NextStep(Page.SECOND_FACTOR, methods=methods))
        neighbours: list[AccountLink] = []
        if request.account_link is not None:
            neighbours = await uow.account_links.neighbours(
                client.client_id, request.account_link.account_id, presence.citizen.citizen_id
            )
        own_link = rules.check_person(request, client, presence, neighbours, now)
    except LinkRefusedError as refused:
        return replace(standing, step=NextStep(Page.REFUSED, refusal=refused.refusal))
    except UnmetAuthenticationRequirementsError as unmet:
        return replace(standing, step=NextStep(None, error=unmet))
    guarded = await assess_guarded(uow, request, presence, progress, own_link, now)
    return replace(
        standing,
        step=guarded.step,
        presence=guarded.presence,
        own_link=own_link,
        neighbours=tuple(neighbours),
        guarded=guarded,
    )


async def _consent_of(
    uow: UnitOfWork, signed_in: SignedIn, interaction: Interaction | None
) -> Consent | None:
    """Return the consent given on this journey, or else the latest: in two tabs these are not the same."""
    latest = signed_in.consent
    given = None if interaction is None else interaction.consent_id
    if given is None or (latest is not None and latest.consent_id == given):
        return latest
    consent = await uow.consents.find(given)
    is_theirs = consent is not None and consent.citizen_id == signed_in.citizen.citizen_id
    return consent if is_theirs else latest


def _is_somebody_else(
    context: Context, request: AuthorizationRequest, client: Client, presence: Presence
) -> bool:
    """Tell whether the request means another person than this one: OpenID Connect Core §3.1.2.2.

    It says so by id_token_hint, or by a value for `sub` in the claims parameter (§5.5.1). A hint that is no
    ID token of ours for this client means nobody, and so nobody who is here.
    """
    asked = request.claims.id_token.get("sub", RequestedClaim())
    if request.id_token_hint is None and asked.value is None and asked.values is None:
        return False
    subject = context.custody.data.pairwise_subject(client.sector, presence.citizen.citizen_id)
    if not is_requested_value(asked, subject):
        return True
    if request.id_token_hint is None:
        return False
    keys = context.published.verification_keys
    try:
        meant = verify_id_token_hint(request.id_token_hint, keys, client, context.policy)
    except InvalidRequestError:
        return True
    return meant != subject


async def _missing_factor(
    context: Context, uow: UnitOfWork, request: AuthorizationRequest, client: Client, presence: Presence
) -> tuple[Method, ...]:
    session = presence.session
    if not rules.needs_enrolled_methods(request, client, session.context):
        return ()
    record = await uow.authenticators.find(session.citizen_id)
    enrolled = await ways_of(context, uow, record)
    return rules.missing_factor(request, client, session, enrolled)


def ways_on(
    context: Context,
    request: AuthorizationRequest | None,
    client: Client | None,
    session: Session,
    enrolled: Sequence[Method],
) -> tuple[Method, ...]:
    """Return the ways to show what this session lacks: for a network's request, or for pages of their own.

    Empty where nothing is missing, or nothing would help: whoever asked for the page then knows what comes.
    """
    if request is None or client is None:
        return lifting_methods(session.context, enrolled)
    request, client = with_demand(request, client, context.feature_policy.policy)
    try:
        return rules.missing_factor(request, client, session, enrolled)
    except (LinkRefusedError, UnmetAuthenticationRequirementsError):
        return ()


async def ways_of(context: Context, uow: UnitOfWork, record: SignInRecord | None) -> tuple[Method, ...]:
    """Return what a person could show to a network, a biometric included."""
    methods = enrolled_methods(record)
    if record is None or Method.PASSKEY not in methods:
        return methods
    if await has_biometric_passkey(context, uow, record.citizen_id):
        return (*methods, Method.BIOMETRIC_PASSKEY)
    return methods


def enrolled_methods(record: SignInRecord | None) -> tuple[Method, ...]:
    """Return what a person could show, the best first."""
    if record is None:
        return ()
    enrolled = {
        Method.PASSKEY: record.has_passkey,
        Method.HARDWARE_PASSKEY: record.has_hardware_passkey,
        Method.APP: record.has_app,
        Method.ONE_TIME_PASSWORD: record.totp_secret is not None,
        Method.PASSWORD: record.password_hash is not None,
    }
    return tuple(method for method, is_enrolled in enrolled.items() if is_enrolled)
