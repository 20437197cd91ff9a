"""Where a guardian stands in a journey: rules alone. R10; abuse case P10."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.account_links import AccountLinkRequest, Status
from idp.identity.assurance import Proofing
from idp.identity.citizens import Citizen, CitizenStatus, PersonalData
from idp.identity.consents import AskReason, Decision
from idp.identity.guardian_requests import GuardianRequest, RequestStatus
from idp.identity.guardians import Oversight
from idp.protocol.guardian_step import (
    claims_to_approve,
    consent_to_build_on,
    guarded_step,
    needed_oversight,
    offered_items,
    still_answers,
)
from idp.protocol.journey import NextStep, Page, error_instead_of
from idp.protocol.model import AuthorizationRequest, ClaimsRequest, RequestedClaim
from tests.support.protocol_builders import make_link
from tests.support.stores import REQUEST, make_consent

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACCOUNT = AccountLinkRequest("an-0601", "an.be")
CLAIMS = ClaimsRequest(
    userinfo={
        "name": RequestedClaim(essential=True),
        "email": RequestedClaim(),
        "age_over_14": RequestedClaim(),
    }
)
ASKED = replace(REQUEST, account_link=ACCOUNT, claims=CLAIMS)
ESSENTIAL = frozenset({"name", "age_over_14"})
ANSWERED, CONSENT = NextStep(None), NextStep(Page.CONSENT, reason=AskReason.NEW_ACCOUNT)


def born(birthdate: str) -> Citizen:
    data = PersonalData(name="Trần Bảo An", birthdate=birthdate)
    return Citizen("child", CitizenStatus.ACTIVE, Proofing.VN2, NOW, data)


CHILD, YOUNG, ADULT = born("2015-03-04"), born("2011-12-24"), born("1990-01-02")


def approval(**changes: Any) -> GuardianRequest:
    request = GuardianRequest(
        request_id="request-1",
        child_citizen_id="child",
        client_id="network",
        account=ACCOUNT,
        claims=ESSENTIAL,
        created_at=NOW,
        expires_at=NOW + timedelta(days=30),
        status=RequestStatus.APPROVED,
        guardianship_id="guardianship-1",
        decided_at=NOW,
    )
    return replace(request, **changes)


def step_of(
    oversight: Oversight, asked: list[GuardianRequest], step: NextStep, claims: frozenset[str] | None
) -> tuple[NextStep, GuardianRequest | None]:
    consent = None if claims is None else make_consent(citizen_id="child", claims=claims)
    return guarded_step(ASKED, oversight, asked, consent, step, NOW)


@pytest.mark.parametrize(
    ("request_", "citizen", "link", "oversight"),
    [
        pytest.param(ASKED, CHILD, None, Oversight.GUARDIAN_FIRST, id="under 14"),
        pytest.param(ASKED, YOUNG, None, Oversight.BOTH, id="14"),
        pytest.param(ASKED, ADULT, None, Oversight.NONE, id="an adult"),
        pytest.param(REQUEST, CHILD, None, Oversight.NONE, id="nothing is linked"),
        pytest.param(
            ASKED, CHILD, make_link(status=Status.ACTIVE), Oversight.NONE, id="linked already, and in force"
        ),
        pytest.param(
            ASKED, CHILD, make_link(status=Status.LAPSED), Oversight.GUARDIAN_FIRST, id="a link that lapsed"
        ),
        pytest.param(
            ASKED,
            CHILD,
            make_link(status=Status.ACTIVE, expires_at=NOW),
            Oversight.GUARDIAN_FIRST,
            id="one whose time is over",
        ),
    ],
)
def test_r10_when_a_guardian_is_needed(
    request_: AuthorizationRequest, citizen: Citizen, link: Any, oversight: Oversight
) -> None:
    assert needed_oversight(request_, citizen, link, NOW) is oversight


@pytest.mark.parametrize(
    ("oversight", "asked", "step", "claims", "page"),
    [
        pytest.param(Oversight.NONE, [], CONSENT, None, Page.CONSENT, id="an adult is asked alone"),
        pytest.param(Oversight.NONE, [], ANSWERED, None, None, id="and answered alone"),
        pytest.param(Oversight.GUARDIAN_FIRST, [], CONSENT, None, Page.GUARDIAN, id="before consent"),
        pytest.param(Oversight.GUARDIAN_FIRST, [], ANSWERED, None, Page.GUARDIAN, id="P10: an old consent"),
        pytest.param(
            Oversight.GUARDIAN_FIRST, [approval()], CONSENT, None, Page.CONSENT, id="then the child"
        ),
        pytest.param(Oversight.GUARDIAN_FIRST, [approval()], ANSWERED, ESSENTIAL, None, id="both agreed"),
        pytest.param(
            Oversight.GUARDIAN_FIRST,
            [approval()],
            ANSWERED,
            ESSENTIAL | {"email"},
            Page.GUARDIAN,
            id="P10: the child agreed to more",
        ),
        pytest.param(
            Oversight.GUARDIAN_FIRST,
            [approval(claims=frozenset())],
            CONSENT,
            None,
            Page.GUARDIAN,
            id="P10: the network asks for more",
        ),
        pytest.param(Oversight.BOTH, [], CONSENT, None, Page.CONSENT, id="at 14 consent comes first"),
        pytest.param(Oversight.BOTH, [], ANSWERED, ESSENTIAL, Page.GUARDIAN, id="and then the guardian"),
        pytest.param(Oversight.BOTH, [approval()], ANSWERED, ESSENTIAL, None, id="at 14 both agreed"),
        pytest.param(
            Oversight.BOTH,
            [approval()],
            ANSWERED,
            ESSENTIAL | {"email"},
            Page.GUARDIAN,
            id="P10: at 14 more than approved",
        ),
    ],
)
def test_r10_what_comes_next(
    oversight: Oversight,
    asked: list[GuardianRequest],
    step: NextStep,
    claims: frozenset[str] | None,
    page: Page | None,
) -> None:
    found, rests_on = step_of(oversight, asked, step, claims)
    assert found.page is page
    if page is None and oversight is not Oversight.NONE:
        assert rests_on == asked[0]


@given(
    st.sampled_from([Oversight.GUARDIAN_FIRST, Oversight.BOTH]),
    st.lists(
        st.builds(
            approval,
            status=st.sampled_from(RequestStatus),
            claims=st.sampled_from([frozenset(), ESSENTIAL, ESSENTIAL | {"email"}]),
            account=st.sampled_from([ACCOUNT, replace(ACCOUNT, account_id="an-0602")]),
            expires_at=st.sampled_from([NOW, NOW + timedelta(days=1)]),
            used_at=st.sampled_from([None, NOW]),
            is_backed=st.booleans(),
        ),
        max_size=4,
    ),
    st.sampled_from([ANSWERED, CONSENT]),
    st.sampled_from([None, frozenset(), ESSENTIAL, ESSENTIAL | {"email"}]),
)
def test_p10_no_minor_is_answered_without_an_approval_of_just_that(
    oversight: Oversight, asked: list[GuardianRequest], step: NextStep, claims: frozenset[str] | None
) -> None:
    found, rests_on = step_of(oversight, asked, step, claims)
    if found.page is not None:
        return
    assert step is ANSWERED
    assert rests_on is not None
    assert (rests_on.status, rests_on.account, rests_on.used_at) == (RequestStatus.APPROVED, ACCOUNT, None)
    assert rests_on.is_backed
    assert rests_on.expires_at > NOW
    assert (claims or frozenset()) <= rests_on.claims


def test_r7_a_child_is_offered_what_a_guardian_agreed_to_and_no_choices() -> None:
    def names(citizen: Citizen, approved: frozenset[str]) -> set[str]:
        return {item.name for item in offered_items(ASKED, citizen, approved, NOW)}

    assert names(CHILD, frozenset()) == {"age_over_14"}, "levels and ages alone"
    assert names(CHILD, ESSENTIAL) == ESSENTIAL
    assert names(YOUNG, frozenset()) == names(ADULT, frozenset()) == ESSENTIAL | {"email"}


def test_what_a_guardian_is_asked_about() -> None:
    consent = make_consent(claims=frozenset({"email"}))
    assert claims_to_approve(ASKED, Oversight.GUARDIAN_FIRST, None) == ESSENTIAL
    assert claims_to_approve(ASKED, Oversight.BOTH, consent) == frozenset({"email"})
    assert claims_to_approve(ASKED, Oversight.BOTH, None) == frozenset()


def test_an_earlier_consent_answers_for_the_same_account_alone() -> None:
    asked = [approval(consent_id="consent-1")]
    assert consent_to_build_on(asked, ASKED) == "consent-1"
    other = replace(ASKED, account_link=replace(ACCOUNT, handle="an.lon"))
    assert consent_to_build_on(asked, other) is None
    assert consent_to_build_on([approval()], ASKED) is None
    assert consent_to_build_on(asked, replace(ASKED, prompt=frozenset({"consent"}))) is None


@pytest.mark.parametrize(
    ("changes", "answers"),
    [
        pytest.param({}, True, id="given"),
        pytest.param({"citizen_id": "mother"}, False, id="P10: an adult's"),
        pytest.param({"decision": Decision.DENY.value}, False, id="refused"),
        pytest.param({"withdrawn_at": NOW}, False, id="taken back"),
    ],
)
def test_p10_only_the_childs_own_consent_answers(changes: dict[str, Any], *, answers: bool) -> None:
    assert still_answers(make_consent(**({"citizen_id": "child"} | changes)), "child") is answers
    assert not still_answers(None, "child")


def test_prompt_none_is_answered_as_for_any_other_page() -> None:
    told = {error_instead_of(NextStep(page)).description for page in (Page.GUARDIAN, Page.SECOND_FACTOR)}
    assert len(told) == 1
