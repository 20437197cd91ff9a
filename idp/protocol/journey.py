"""The way from an authorization request to its answer: which page comes next, or none.

OpenID Connect Core §3.1.2.3, §3.1.2.4. One question a page, and never a page whose answer is known:
a session that is good enough is not asked again, a person who lacks one factor is asked for that one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from idp.identity.account_links import (
    LIVE,
    AccountLink,
    Applicant,
    LinkRefusedError,
    Refusal,
    Status,
    check_holder,
    check_policy,
    free_place,
    occupied_places,
)
from idp.identity.assurance import AuthenticationContext, Method, methods_to_reach
from idp.identity.citizens import Citizen, age_on
from idp.identity.consents import AskReason, Consent, reason_to_ask
from idp.identity.freezes import check_not_frozen
from idp.identity.sessions import Session, is_fresh
from idp.protocol.claims import requested_items
from idp.protocol.errors import (
    AccessDeniedError,
    AccountSelectionRequiredError,
    ConsentRequiredError,
    InteractionRequiredError,
    LoginRequiredError,
    OAuthError,
    UnmetAuthenticationRequirementsError,
)
from idp.protocol.model import AuthorizationRequest, Client


class Page(StrEnum):
    """The pages of a journey; the value is the first part of the page's path."""

    ENROLMENT = "enrolment"
    SIGN_IN = "sign-in"
    ACCOUNT_CHOICE = "account-choice"
    SECOND_FACTOR = "second-factor"
    REFUSED = "refused"
    CONSENT = "consent"
    GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is there: a living session and its person."""

    session: Session
    citizen: Citizen
    consent: Consent | None
    """The person's latest consent for this client."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What already happened on this journey."""

    started_at: datetime | None = None
    chosen_session_id: str | None = None
    consent_id: str | None = None


@dataclass(frozen=True, slots=True)
class NextStep:
    """What comes next; with no page the request can be answered, by a code or by the error."""

    page: Page | None
    methods: tuple[Method, ...] = ()
    """The ways to show what is missing, the best first; one of them is enough."""
    reason: AskReason | None = None
    """Why consent is asked."""
    refusal: Refusal | None = None
    error: OAuthError | None = None
    """What the platform is told at once, because no page could change it."""


_ANSWERED = NextStep(None)


def step_before_person(
    request: AuthorizationRequest,
    presence: Presence | None,
    progress: Progress,
    now: datetime,
    *,
    is_somebody_else: bool = False,
) -> NextStep | None:
    """Return the step that settles who is there; None when that is settled.

    OpenID Connect Core §3.1.2.1: `prompt=login`, `prompt=select_account`, `max_age`. `is_somebody_else` says
    that the platform means another person than the one who is signed in, by `id_token_hint` or by a value for
    `sub`: they may sign in, but nobody else is answered for (§3.1.2.2). `prompt=create` means a person
    without an account, and so nobody who is here already.
    """
    first = NextStep(Page.ENROLMENT if "create" in request.prompt else Page.SIGN_IN)
    if presence is None:
        return first
    context = presence.session.context
    signed_in_here = progress.started_at is not None and context.auth_time >= progress.started_at
    if signed_in_here:
        return _for_nobody_else() if is_somebody_else else None
    if is_somebody_else or "create" in request.prompt:
        return first
    not_before = (progress.started_at or now) if "login" in request.prompt else None
    if not is_fresh(context, max_age=request.max_age, not_before=not_before, now=now):
        return NextStep(Page.SIGN_IN)
    if "select_account" in request.prompt and progress.chosen_session_id != presence.session.session_id:
        return NextStep(Page.ACCOUNT_CHOICE)
    return None


def _for_nobody_else() -> NextStep:
    error = LoginRequiredError("somebody else signed in than the person who was asked for")
    return NextStep(None, error=error)


def missing_factor(
    request: AuthorizationRequest, client: Client, have: Session, enrolled: Iterable[Method]
) -> tuple[Method, ...]:
    """Return the ways to show the factor that is missing: RFC 9470, OpenID Connect Core §3.1.2.1, §5.5.1.1.

    Empty when nothing is missing. Essential levels are a condition: one of them holds or is reached.
    `acr_values` are wishes in order of preference: the first that holds or can be reached decides. The
    client's `min_acr` is a condition, too. Raises UnmetAuthenticationRequirementsError, LinkRefusedError
    when this person cannot meet them.
    """
    possible = tuple(enrolled)
    context = have.context
    if not _holds_essential(request, context):
        reached = (methods_to_reach(context, acr, possible) for acr in request.essential_acrs)
        methods = next(filter(None, reached), ())
        if not methods:
            raise UnmetAuthenticationRequirementsError(
                "the person cannot sign in at a level that was asked for"
            )
        return methods
    for wish in request.acr_values:
        if context.satisfies(wish):
            break
        methods = methods_to_reach(context, wish, possible)
        if methods:
            return methods
    minimum = client.policy.min_acr
    if context.satisfies(minimum):
        return ()
    methods = methods_to_reach(context, minimum, possible)
    if not methods:
        raise LinkRefusedError(Refusal.ACR_TOO_LOW)
    return methods


def needs_enrolled_methods(
    request: AuthorizationRequest, client: Client, have: AuthenticationContext
) -> bool:
    """Tell whether it matters which factors the person has: only when the session's level falls short."""
    wished = all(have.satisfies(acr) for acr in (client.policy.min_acr, *request.acr_values[:1]))
    return not (wished and _holds_essential(request, have))


def _holds_essential(request: AuthorizationRequest, have: AuthenticationContext) -> bool:
    return not request.essential_acrs or any(have.satisfies(acr) for acr in request.essential_acrs)


def check_person(
    request: AuthorizationRequest,
    client: Client,
    presence: Presence,
    neighbours: Iterable[AccountLink],
    now: datetime,
) -> AccountLink | None:
    """Check the person, and the account they want linked, against the platform's policy.

    Returns the person's own live link to that account, if there is one. Raises LinkRefusedError.
    """
    citizen = presence.citizen
    applicant = Applicant(
        citizen.citizen_id,
        citizen.proofing,
        presence.session.context.acr,
        age_on(citizen.personal_data.birthdate, now),
    )
    check_policy(client.policy, applicant)
    if request.account_link is None:
        return None
    live = [link for link in neighbours if link.status in LIVE]
    holder = next((link for link in live if link.account_id == request.account_link.account_id), None)
    check_holder(holder, citizen.citizen_id)
    check_not_frozen(citizen, holder, now)
    if holder is None:
        free_place(occupied_places(live, citizen.citizen_id), client.policy)
    return holder


def consent_step(
    request: AuthorizationRequest,
    presence: Presence,
    progress: Progress,
    own_link: AccountLink | None,
    now: datetime,
) -> NextStep:
    """Return the consent page with the reason for it, or that everything is answered (rule R7)."""
    consent = presence.consent
    if consent is not None and consent.consent_id == progress.consent_id:
        return _ANSWERED
    reason = reason_to_ask(
        consent,
        scope=request.scope,
        claims={item.name for item in requested_items(request)},
        purpose=None if request.account_link is None else request.account_link.purpose,
        links_new_account=request.account_link is not None and not is_in_force(own_link, now),
        consent_prompted="consent" in request.prompt,
        now=now,
    )
    return _ANSWERED if reason is None else NextStep(Page.CONSENT, reason=reason)


def is_in_force(link: AccountLink | None, now: datetime) -> bool:
    """Tell whether a link needs no new decision; one that lapsed is made anew by its person, not by habit."""
    return link is not None and link.status is Status.ACTIVE and not link.is_expired(now)


def error_instead_of(step: NextStep) -> OAuthError:
    """Return what `prompt=none` gets where a page would have been shown: OIDC Core §3.1.2.6."""
    if step.error is not None:
        return step.error
    match step.page:
        case Page.SIGN_IN | Page.ENROLMENT:
            return LoginRequiredError("nobody is signed in, or not recently enough")
        case Page.ACCOUNT_CHOICE:
            return AccountSelectionRequiredError("the person must choose an account")
        case Page.CONSENT:
            return ConsentRequiredError("the person must be asked for consent")
        case Page.SECOND_FACTOR | Page.GUARDIAN:
            # One answer for both: that somebody has a guardian is nobody's to learn before they agreed.
            return InteractionRequiredError("a page must be shown to the person")
        case _:
            return AccessDeniedError("the request was refused")
