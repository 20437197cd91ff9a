"""Consent: when the person is asked again, and that the reason has a name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypedDict, Unpack

import pytest

from idp.identity.consents import TEXT_VERSION, VALIDITY, AskReason, Consent, Decision, reason_to_ask

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
REMEMBERED = Consent(
    consent_id="consent-1",
    citizen_id="citizen-1",
    client_id="social-network",
    decision=Decision.ALLOW,
    reason=AskReason.FIRST_TIME,
    purpose="post",
    scope=frozenset({"openid", "profile"}),
    claims=frozenset({"age_over_16"}),
    offered=frozenset({"age_over_16", "name"}),
    text_version=TEXT_VERSION,
    ui_locale="vi",
    decided_at=NOW,
)


class Request(TypedDict, total=False):
    scope: frozenset[str]
    claims: frozenset[str]
    purpose: str | None
    links_new_account: bool
    consent_prompted: bool
    now: datetime


def asked(remembered: Consent | None = REMEMBERED, **changes: Unpack[Request]) -> AskReason | None:
    request: Request = {
        "scope": frozenset({"openid"}),
        "claims": frozenset({"age_over_16"}),
        "purpose": "post",
        "links_new_account": False,
        "consent_prompted": False,
        "now": NOW + timedelta(days=1),
        **changes,
    }
    return reason_to_ask(
        remembered,
        scope=request["scope"],
        claims=request["claims"],
        purpose=request["purpose"],
        links_new_account=request["links_new_account"],
        consent_prompted=request["consent_prompted"],
        now=request["now"],
    )


def test_a_remembered_consent_answers() -> None:
    assert asked() is None


def test_what_was_offered_and_not_ticked_counts_as_answered() -> None:
    assert asked(claims=frozenset({"age_over_16", "name"})) is None


def test_less_than_was_granted_is_granted() -> None:
    assert asked(claims=frozenset(), scope=frozenset()) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"links_new_account": True}, AskReason.NEW_ACCOUNT, id="a new account"),
        pytest.param({"consent_prompted": True}, AskReason.REQUESTED, id="prompt=consent"),
        pytest.param({"now": NOW + VALIDITY}, AskReason.EXPIRED, id="a year later"),
        pytest.param({"now": NOW + VALIDITY - timedelta(microseconds=1)}, None, id="a moment less"),
        pytest.param({"claims": frozenset({"address"})}, AskReason.NEW_CLAIMS, id="a new claim"),
        pytest.param({"scope": frozenset({"openid", "phone"})}, AskReason.NEW_CLAIMS, id="a new scope"),
        pytest.param({"purpose": "livestream_commerce"}, AskReason.NEW_PURPOSE, id="a new purpose"),
        pytest.param({"purpose": None}, None, id="no purpose beyond what was agreed to"),
    ],
)
def test_r7_a_changed_request_asks_for_a_named_reason(changes: Request, reason: AskReason | None) -> None:
    assert asked(**changes) is reason


def test_r7_who_never_agreed_is_asked() -> None:
    assert asked(None) is AskReason.FIRST_TIME


def test_r8_a_withdrawn_consent_answers_nothing() -> None:
    assert asked(replace(REMEMBERED, withdrawn_at=NOW)) is AskReason.WITHDRAWN


def test_r7_a_new_text_asks_everybody_again() -> None:
    assert asked(replace(REMEMBERED, text_version="2020-01")) is AskReason.NEW_TEXT


def test_a_new_account_is_the_reason_whatever_else_changed() -> None:
    assert asked(None, links_new_account=True, consent_prompted=True) is AskReason.NEW_ACCOUNT


def test_prompt_consent_is_the_reason_for_who_never_agreed() -> None:
    assert asked(None, consent_prompted=True) is AskReason.REQUESTED
