"""Link this account? What is shared, with its values; and what is not. PDPL Art. 9, rules R4, R5, R7, R22."""

import secrets
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.account_links import Refusal
from idp.identity.consents import TEXT_VERSION, AskReason, Consent, Decision, decision_event
from idp.identity.register import shown_name
from idp.pages.frame import check_same_origin, client_header, locale_of, show
from idp.pages.views import AccountCard, ClaimValue, ConsentItem, ConsentPage, RefusedPage
from idp.protocol.claims import (
    ASSURANCE_LEVEL,
    VERIFICATION_ITEMS,
    RequestedItem,
    agreed_items,
    item_value,
    requested_items,
)
from idp.protocol.guardian_step import offered_items
from idp.protocol.journey import Page, Presence
from idp.protocol.model import AuthorizationRequest
from idp.store.interactions import Interaction
from idp.web.answers import see_other
from idp.web.failures import new_reference, note
from idp.web.journey import Standing, assess, commit_step, load_interaction
from idp.web.refusals import record_refusal
from idp.web.requests import read_form_with_choices
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)


async def _stand(context: Context, http: Request, interaction_id: str) -> tuple[Interaction, Standing]:
    uow = context.unit_of_work()
    now = context.clock()
    interaction, client = await load_interaction(context, uow, http, interaction_id, now)
    standing = await assess(context, uow, http, interaction.request, client, interaction, now)
    return interaction, standing


@router.get("/consent/{interaction_id}")
async def consent_page(http: Request, interaction_id: str) -> Response:
    """Show what would be shared."""
    context = context_of(http)
    _, standing = await _stand(context, http, interaction_id)
    presence, reason = standing.presence, standing.step.reason
    if standing.step.page is not Page.CONSENT or presence is None or reason is None:
        return see_other(f"{context.issuer}/authorize/{interaction_id}")
    return show(http, _view(context, standing, presence, reason, interaction_id), request=standing.request)


def _view(
    context: Context, standing: Standing, presence: Presence, reason: AskReason, interaction_id: str
) -> ConsentPage:
    request, client, now = standing.request, standing.client, context.clock()
    own_link = standing.own_link
    valid_until = None
    if request.account_link is not None:
        valid_until = own_link.expires_at if own_link is not None else now + client.policy.link_validity
    return ConsentPage(
        client=client_header(context, client, interaction_id),
        action=f"{context.issuer}/consent/{interaction_id}",
        account=account_card(request),
        proofing=presence.citizen.proofing,
        acr=presence.session.context.acr,
        reason=reason,
        purpose=None if request.account_link is None else request.account_link.purpose,
        items=consent_items(context, request, presence, approved_by_guardian(standing)),
        link_valid_until=valid_until,
        my_accounts_uri=f"{context.issuer}/my/accounts",
        text_version=TEXT_VERSION,
    )


def account_card(request: AuthorizationRequest) -> AccountCard | None:
    """Return the account as its holder would recognise it."""
    asked = request.account_link
    if asked is None:
        return None
    return AccountCard(account_id=asked.account_id, handle=asked.handle, profile_uri=asked.profile_uri)


def consent_items(
    context: Context,
    request: AuthorizationRequest,
    presence: Presence,
    approved: frozenset[str] = frozenset(),
) -> tuple[ConsentItem, ...]:
    """Return each data item with the value as it will be sent; what there is no value for is not offered.

    `approved` is what a guardian agreed to, for a child who is offered nothing else.
    """
    items = []
    for item in offered_items(request, presence.citizen, approved, context.clock()):
        if item.name == ASSURANCE_LEVEL:
            continue  # the page names the level in words already
        value = _value_of(item, request, presence, context.clock())
        if value is None:
            continue
        items.append(
            ConsentItem(
                claim=item.name,
                value=_shown(item.name, value, is_demo=context.mode != "production"),
                purpose=item.purpose,
                is_essential=item.essential,
            )
        )
    return tuple(items)


def approved_by_guardian(standing: Standing) -> frozenset[str]:
    """Return the names of the items that a guardian agreed to; empty where none was asked."""
    approval = None if standing.guarded is None else standing.guarded.approval
    return frozenset() if approval is None else approval.claims


def agreed_to(
    request: AuthorizationRequest,
    presence: Presence,
    decision: Decision,
    ticked: frozenset[str],
    now: datetime,
    approved: frozenset[str] = frozenset(),
) -> frozenset[str]:
    """Return the items that a decision grants: of those that were on the page, and nothing for a refusal.

    What the register holds nothing of was not on the page: should it know more one day, nobody agreed.
    """
    if decision is Decision.DENY:
        return frozenset()
    offered = offered_items(request, presence.citizen, approved, now)
    shown = (item for item in offered if _value_of(item, request, presence, now) is not None)
    return agreed_items(tuple(shown), ticked)


def _value_of(
    item: RequestedItem, request: AuthorizationRequest, presence: Presence, now: datetime
) -> object:
    return item_value(item.name, request, presence.citizen, now)


def _shown(name: str, value: object, *, is_demo: bool) -> ClaimValue:
    if isinstance(value, bool | datetime):
        return value
    if name in VERIFICATION_ITEMS and isinstance(value, list):
        return tuple(value)
    return shown_name(str(value), is_demo=is_demo) if name == "name" else _text_of(value)


def _text_of(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(str(part) for part in value.values())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


@router.post("/consent/{interaction_id}")
async def consent(http: Request, interaction_id: str) -> Response:
    """Keep what was shown and decided as the proof of consent, and go on."""
    context = context_of(http)
    interaction, standing = await _stand(context, http, interaction_id)
    check_same_origin(http)
    form, ticked = await read_form_with_choices(http, "claim")
    presence, reason = standing.presence, standing.step.reason
    if standing.step.page is not Page.CONSENT or presence is None or reason is None:
        return see_other(f"{context.issuer}/authorize/{interaction_id}")
    if form.get("decision") not in set(Decision):
        return see_other(f"{context.issuer}/consent/{interaction_id}")
    now = context.clock()
    request, decision = standing.request, Decision(form["decision"])
    agreed = agreed_to(request, presence, decision, ticked, now, approved_by_guardian(standing))
    decided = Consent(
        consent_id=secrets.token_urlsafe(16),
        citizen_id=presence.citizen.citizen_id,
        client_id=request.client_id,
        decision=decision,
        reason=reason,
        purpose=None if request.account_link is None else request.account_link.purpose,
        scope=request.scope,
        claims=agreed,
        offered=frozenset(item.name for item in requested_items(request)),
        text_version=TEXT_VERSION,
        ui_locale=locale_of(http, request),
        decided_at=now,
    )
    uow = context.unit_of_work()
    uow.interactions.decide(
        interaction,
        consent_id=decided.consent_id,
        denied_because=None if decision is Decision.ALLOW else "denied_by_person",
    )
    uow.consents.add(decided)
    uow.ledger.append(decision_event(decided))
    await commit_step(uow, request.client_id)
    note(http, consent_id=decided.consent_id, decision=decision.value)
    return see_other(f"{context.issuer}/authorize/{interaction_id}")


@router.get("/refused/{interaction_id}")
async def refused_page(http: Request, interaction_id: str) -> Response:
    """Say why not, and what now."""
    context = context_of(http)
    interaction, standing = await _stand(context, http, interaction_id)
    refusal, policy = standing.step.refusal, standing.client.policy
    if refusal is None:
        return see_other(f"{context.issuer}/authorize/{interaction_id}")
    reference = new_reference(refusal)
    note(http, refused=refusal.value, reference=reference)
    if standing.presence is not None:
        await record_refusal(
            context.unit_of_work(),
            interaction.interaction_hash.hex(),
            standing.presence.citizen.citizen_id,
            standing.client.client_id,
            refusal,
            until=interaction.expires_at,
            now=context.clock(),
        )
    view = RefusedPage(
        client=client_header(context, standing.client, interaction_id),
        refusal=refusal,
        reference=reference,
        account=account_card(standing.request),
        min_proofing=policy.min_proofing,
        min_age=policy.min_age,
        max_links=policy.max_links_per_citizen,
        freeze_uri=f"{context.issuer}/my/freeze",
        my_accounts_uri=f"{context.issuer}/my/accounts",
        dispute_action=(
            f"{context.issuer}/dispute/{interaction_id}" if refusal is Refusal.ACCOUNT_TAKEN else None
        ),
    )
    return show(http, view, request=standing.request, status=403)
