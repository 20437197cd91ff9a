"""Views of every page of the phone as authenticator, in every state, for `sample_views`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from idp.authenticators.phone_approvals import AskedFrom
from idp.pages.phone_views import (
    AddPhonePage,
    AnsweredState,
    AnswerProblem,
    AppDoorPage,
    AppOfflinePage,
    AskingState,
    AskPhonePage,
    EnrolledPage,
    EnrolPage,
    EnrolProblem,
    PhoneAnsweredPage,
    PhoneCard,
    PhoneHerePage,
    PhoneRequestCard,
    PhoneRequestPage,
    PhoneRequestsPage,
    PhonesNotice,
    PhonesPage,
)
from idp.pages.views import ClientHeader, Page

ASKED_FROM = AskedFrom("203.0.113.7", "Firefox, Windows", "Quán Gió", "quangio.example", "@lan.tran")


def phone_views(network: ClientHeader, now: datetime) -> Mapping[str, Page]:
    """Return them with ordinary phones and networks in them."""
    return {**_asking(network, now), **_app(now), **_requests(now), **_own(now)}


def _asking(network: ClientHeader, now: datetime) -> Mapping[str, Page]:
    begin = AskPhonePage(
        client=network,
        state=AskingState.BEGIN,
        mark="begin",
        action="/sign-in/7c1e/phone",
        finish_action="/sign-in/7c1e/phone/finish",
        state_uri="/sign-in/7c1e/phone/state",
        other_ways_uri="/sign-in/7c1e",
    )
    pages: dict[str, Page] = {
        f"ask_phone_{state}": replace(begin, state=state, mark=state.value, retry_at=now)
        for state in sorted(set(AskingState) - {AskingState.OPEN, AskingState.CLAIMED})
    }
    shown = replace(
        begin,
        state=AskingState.OPEN,
        code="BCDF-GHJK",
        code_uri="https://id.lienket.example/app#BCDFGHJK",
        here_uri="/app/here/7c1e",
    )
    return pages | {
        "ask_phone_open": shown,
        "ask_phone_claimed": replace(begin, state=AskingState.CLAIMED, number="42"),
        "ask_phone_step_up": replace(shown, is_step_up=True, client=None),
    }


def _app(now: datetime) -> Mapping[str, Page]:
    enrol = EnrolPage(action="/app/enrol")
    pages: dict[str, Page] = {
        f"app_enrol_{problem}": replace(enrol, code="BCDF-GHJK", name="Máy cũ", problem=problem, retry_at=now)
        for problem in EnrolProblem
    }
    return pages | {
        "app_enrol": enrol,
        "app_door": AppDoorPage(enrol_uri="/app/enrol", phones_uri="/my/phones", scan_action="/app/requests"),
        "app_offline": AppOfflinePage(),
        "app_enrolled": EnrolledPage(device_id="device", number="42"),
        "app_enrolled_here": EnrolledPage(device_id="device", number=None),
    }


def _requests(now: datetime) -> Mapping[str, Page]:
    card = PhoneRequestCard(
        network="Quán Gió", domain="quangio.example", asked_at=now, uri="/app/requests/a/open", is_form=True
    )
    call = replace(card, binding_message="Đơn hàng 1234", uri="/app/here/approvals.a", is_form=False)
    own = replace(card, network=None, domain=None, uri="/app/requests/b", is_form=False)
    listed = PhoneRequestsPage(
        requests=(card, call, own),
        mark="mark",
        state_uri="/app/requests/state",
        scan_action="/app/requests",
        my_uri="/app/here/security",
        csrf="token",
    )
    request = PhoneRequestPage(
        action="/app/requests/a",
        device_id="device",
        fields='["a", "1"]',
        asked_from=ASKED_FROM,
        asked_at=now,
        is_step_up=False,
        is_same_network=False,
        csrf="token",
    )
    here = PhoneHerePage(
        action="/app/here/my",
        device_id="device",
        fields='["c", "my"]',
        challenge="c",
        other_ways_uri="/sign-in/my",
        csrf="token",
    )
    pages: dict[str, Page] = {}
    for problem in AnswerProblem:
        pages[f"app_request_{problem}"] = replace(
            request, number="42", problem=problem, tries_left=3, retry_at=now
        )
        pages[f"app_here_{problem}"] = replace(here, problem=problem, tries_left=3, retry_at=now)
    for state in AnsweredState:
        pages[f"app_answered_{state}"] = PhoneAnsweredPage(state=state, requests_uri="/app/requests")
    own_place = replace(ASKED_FROM, network=None, domain=None, account=None, browser="")
    return pages | {
        "app_requests": listed,
        "app_requests_empty": replace(listed, requests=()),
        "app_requests_wrong_code": replace(listed, is_wrong_code=True),
        "app_requests_throttled": replace(listed, retry_at=now),
        "app_request": request,
        "app_request_own": replace(request, asked_from=own_place, is_same_network=True, is_step_up=True),
        "app_here": here,
    }


def _own(now: datetime) -> Mapping[str, Page]:
    card = PhoneCard(device_id="1", name="Máy của Lan", added_at=now, last_used_at=now, is_waiting=False)
    new = replace(card, device_id="2", name="", last_used_at=None)
    phones = PhonesPage(
        phones=(card, new, replace(card, device_id="3", is_waiting=True)),
        can_add=True,
        add_action="/my/phones/add",
        confirm_action="/my/phones/confirm",
        remove_action="/my/phones/remove",
        csrf="token",
    )
    pages: dict[str, Page] = {
        f"phones_{notice}": replace(phones, phones=(card,), notice=notice) for notice in PhonesNotice
    }
    return pages | {
        "phones": phones,
        "phones_none": replace(phones, phones=()),
        "phones_enough": replace(phones, phones=(card,), can_add=False),
        "phone_add": AddPhonePage(
            code="BCDF-GHJK",
            code_uri="https://id.lienket.example/app/enrol#BCDFGHJK",
            phones_uri="/my/phones",
            expires_at=now + timedelta(minutes=10),
            csrf="token",
        ),
    }
