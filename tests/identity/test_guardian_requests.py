"""What is asked of a guardian, what stands for how long, and what an approval covers. R10, P2, P10."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.audit.events import Actor, ActorKind
from idp.identity.account_links import AccountLinkRequest
from idp.identity.guardian_requests import (
    ANSWER_WITHIN,
    APPROVAL_VALIDITY,
    GuardianRequest,
    Outlook,
    RequestStatus,
    Verdict,
    asked_event,
    decided_until,
    find_approval,
    is_covered,
    outlook,
    verdict_event,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACCOUNT = AccountLinkRequest("an-0601", "an.be", "https://network.example/an", "post")
CLAIMS = frozenset({"assurance_level"})


def make_request(**changes: Any) -> GuardianRequest:
    return replace(
        GuardianRequest(
            request_id="request-1",
            child_citizen_id="child",
            client_id="network",
            account=ACCOUNT,
            claims=CLAIMS,
            created_at=NOW,
            expires_at=NOW + ANSWER_WITHIN,
        ),
        **changes,
    )


APPROVED = make_request(
    status=RequestStatus.APPROVED,
    guardianship_id="guardianship-1",
    decided_at=NOW,
    expires_at=NOW + APPROVAL_VALIDITY,
)
REFUSED = make_request(status=RequestStatus.REFUSED, decided_at=NOW)


@pytest.mark.parametrize(
    ("requests", "stands"),
    [
        pytest.param([], Outlook.NOT_ASKED, id="nothing asked"),
        pytest.param([make_request()], Outlook.WAITING, id="asked"),
        pytest.param([make_request(expires_at=NOW)], Outlook.NOT_ASKED, id="nobody answered in time"),
        pytest.param([APPROVED], Outlook.APPROVED, id="approved"),
        pytest.param([replace(APPROVED, expires_at=NOW)], Outlook.NOT_ASKED, id="approved too long ago"),
        pytest.param([replace(APPROVED, used_at=NOW)], Outlook.NOT_ASKED, id="used: good for one link"),
        pytest.param([replace(APPROVED, is_backed=False)], Outlook.NOT_ASKED, id="by an ex-guardian"),
        pytest.param([REFUSED], Outlook.REFUSED, id="refused"),
        pytest.param([replace(REFUSED, expires_at=NOW)], Outlook.NOT_ASKED, id="refused long ago"),
        pytest.param([make_request(), APPROVED], Outlook.APPROVED, id="an approval comes first"),
        pytest.param([make_request(), REFUSED], Outlook.REFUSED, id="no wearing down after a refusal"),
    ],
)
def test_how_it_stands_with_an_account(requests: list[GuardianRequest], stands: Outlook) -> None:
    assert outlook(requests, ACCOUNT, CLAIMS, NOW)[0] is stands
    assert (find_approval(requests, ACCOUNT, CLAIMS, NOW) is not None) is (stands is Outlook.APPROVED)


@pytest.mark.parametrize(
    ("account", "claims"),
    [
        pytest.param(replace(ACCOUNT, account_id="an-0602"), CLAIMS, id="P10: another account"),
        pytest.param(replace(ACCOUNT, handle="an.lon"), CLAIMS, id="P2: another handle"),
        pytest.param(replace(ACCOUNT, profile_uri=None), CLAIMS, id="P2: without its address"),
        pytest.param(replace(ACCOUNT, purpose="livestream"), CLAIMS, id="another purpose"),
        pytest.param(ACCOUNT, CLAIMS | {"name"}, id="more than the guardian saw"),
    ],
)
def test_p10_an_approval_is_for_what_the_guardian_saw(
    account: AccountLinkRequest, claims: frozenset[str]
) -> None:
    assert outlook([APPROVED], account, claims, NOW) == (Outlook.NOT_ASKED, None)
    assert outlook([make_request()], account, claims, NOW) == (Outlook.NOT_ASKED, None)


def test_less_than_the_guardian_saw_is_covered() -> None:
    assert is_covered(APPROVED, ACCOUNT, frozenset())


def test_a_refusal_is_not_undone_by_asking_in_another_way() -> None:
    other = replace(ACCOUNT, handle="an.lon", purpose=None)
    assert outlook([REFUSED], other, CLAIMS | {"name"}, NOW) == (Outlook.REFUSED, REFUSED)
    elsewhere = replace(ACCOUNT, account_id="an-0602")
    assert outlook([REFUSED], elsewhere, CLAIMS, NOW) == (Outlook.NOT_ASKED, None)


@given(
    st.lists(
        st.builds(
            make_request,
            status=st.sampled_from(RequestStatus),
            expires_at=st.sampled_from([NOW, NOW + timedelta(days=1)]),
            used_at=st.sampled_from([None, NOW]),
            claims=st.sampled_from([CLAIMS, frozenset()]),
            account=st.sampled_from([ACCOUNT, replace(ACCOUNT, account_id="an-0602")]),
        ),
        max_size=6,
    )
)
def test_nothing_but_a_standing_approval_of_just_this_approves(requests: list[GuardianRequest]) -> None:
    found = find_approval(requests, ACCOUNT, CLAIMS, NOW)
    stands, because = outlook(requests, ACCOUNT, CLAIMS, NOW)
    assert (stands is Outlook.APPROVED) is (found is not None)
    if found is not None:
        assert because == found
        assert (found.status, found.account, found.used_at) == (RequestStatus.APPROVED, ACCOUNT, None)
        assert found.claims >= CLAIMS
        assert found.expires_at > NOW


def test_an_approval_stands_longer_than_a_refusal() -> None:
    assert decided_until(Verdict.APPROVE, NOW) == NOW + APPROVAL_VALIDITY
    assert decided_until(Verdict.REFUSE, NOW) == NOW + ANSWER_WITHIN


@pytest.mark.parametrize(("verdict", "verb"), [(Verdict.APPROVE, "approved"), (Verdict.REFUSE, "refused")])
def test_r7_the_log_tells_who_decided_what_before_which_words(verdict: Verdict, verb: str) -> None:
    event = verdict_event(make_request(), "guardianship-1", "mother", verdict, "vi", NOW)
    assert (event.type, event.actor) == (f"guardian_request:{verb}", Actor(ActorKind.GUARDIAN, "mother"))
    assert (event.citizen_id, event.client_id) == ("child", "network")
    assert event.details == {
        "request_id": "request-1",
        "guardianship_id": "guardianship-1",
        "claims": "assurance_level",
        "text_version": "2026-11",
        "ui_locale": "vi",
    }


def test_the_log_tells_of_a_question_without_the_account() -> None:
    event = asked_event(make_request())
    assert (event.type, event.actor.id) == ("guardian_request:asked", "child")
    assert event.details == {"request_id": "request-1", "claims": "assurance_level"}
