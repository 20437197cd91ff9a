"""The SDK's answer to `may`: the same as the provider's rule for every policy and account."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.relying_party import (
    Account,
    Link,
    Policy,
    PolicyError,
    Reason,
    SignIn,
    Step,
    read_policy,
)
from clients.relying_party.policy import _MESSAGES, _STEPS, Deadline, Requirement
from clients.relying_party.receipts import LinkReceipt, StatusReference
from idp.identity import feature_policy as rule
from idp.identity.account_links import Status
from idp.identity.assurance import Acr, Proofing
from idp.identity.link_status import link_status
from idp.protocol.feature_policy_document import feature_policy_document

CLIENT_ID = "quan-coc"
ISSUER = "https://id.example"
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD = datetime(2019, 5, 1, tzinfo=UTC)


def published(policy: rule.FeaturePolicy, **members: Any) -> str:
    return json.dumps({"version": 1, **feature_policy_document(policy), **members})


DEFAULT = read_policy(published(rule.DEFAULT), CLIENT_ID)


def receipt(**changes: Any) -> LinkReceipt:
    """A receipt that was verified."""
    made = LinkReceipt(
        issuer=ISSUER,
        client_id=CLIENT_ID,
        link_id="link-1",
        account_id="acc_1",
        subject="subject",
        assurance_level="vn2",
        acr="vn-1",
        issued_at=NOW - 30 * DAY,
        linked_at=NOW - 30 * DAY,
        expires_at=NOW + 700 * DAY,
        policy_version=1,
        status=StatusReference(f"{ISSUER}/status-lists/1", 7),
    )
    return replace(made, **changes)


moments = st.integers(-40, 40).map(lambda hours: NOW + hours * HOUR)
spans = st.none() | st.integers(1, 60).map(lambda hours: hours * HOUR)
requirements = st.builds(
    rule.Requirement,
    st.sampled_from(Proofing),
    st.sampled_from(Acr),
    spans,
    st.none() | st.integers(1, 3).map(lambda days: days * DAY),
    st.sampled_from(rule.BeforeDeadline),
)
deadlines = st.builds(
    lambda first, second, days: rule.Deadline(min(first, second), max(first, second), days * DAY),
    moments,
    moments,
    st.integers(0, 2),
)
policies = st.builds(
    rule.FeaturePolicy,
    st.fixed_dictionaries({"post": requirements}),
    st.none() | deadlines,
    st.dictionaries(st.sampled_from([CLIENT_ID, "elsewhere"]), st.none() | deadlines),
)
sign_ins = st.lists(st.builds(rule.SignIn, st.sampled_from(Acr), moments), max_size=3).map(tuple)
links = st.none() | st.builds(
    rule.LinkFacts,
    st.sampled_from([status for status in Status if status is not Status.PENDING]),
    st.sampled_from(Proofing),
    sign_ins,
    st.none() | moments,
    st.none() | moments,
)


def told(link: rule.LinkFacts | None) -> Link | None:
    """The same link as a platform holds it: the status from the list, `acr` as the claim's URI."""
    if link is None:
        return None
    return Link(
        status=link_status(link.status),
        assurance_level=link.proofing.value,
        sign_ins=tuple(SignIn(each.acr.uri(ISSUER), each.at) for each in link.sign_ins),
        expires_at=link.expires_at,
        reverify_requested_at=link.reverify_requested_at,
    )


@given(policies, links, moments, moments, st.sampled_from(["post", "dance"]))
def test_platform_and_provider_decide_alike(
    policy: rule.FeaturePolicy,
    link: rule.LinkFacts | None,
    created_at: datetime,
    now: datetime,
    feature: str,
) -> None:
    here = rule.may(policy, feature, rule.AccountFacts(CLIENT_ID, created_at, link), now)
    there = read_policy(published(policy), CLIENT_ID).may(Account(created_at, told(link)), feature, now)
    assert (there.is_allowed, there.reason, there.until) == (here.is_allowed, here.reason, here.until)
    assert (there.lack, there.step) == (here.lack, here.step)


def test_the_codes_are_the_same_on_both_sides() -> None:
    assert list(Reason) == [each.value for each in rule.Reason]
    assert list(Step) == [each.value for each in rule.Step]
    assert _STEPS == rule.STEPS
    assert _MESSAGES.keys() == {*_STEPS, Reason.UNKNOWN_FEATURE}


class TestAsAPlatformUsesIt:
    def test_a_member_of_old_may_post_and_is_told_until_when(self) -> None:
        decision = DEFAULT.may(Account(OLD), "post", NOW)
        assert (decision.is_allowed, decision.reason) == (True, Reason.NOT_DUE_YET)
        assert decision.until == datetime(2026, 12, 30, 17, tzinfo=UTC)
        assert decision.step is Step.LINK
        assert decision.message == "This needs an account that is linked to a verified person."

    def test_a_new_member_links_first(self) -> None:
        decision = DEFAULT.may(Account(NOW - DAY), "post", NOW)
        assert (decision.is_allowed, decision.step) == (False, Step.LINK)

    def test_a_seller_steps_up_with_what_the_decision_says(self) -> None:
        link = Link.of_receipt(receipt(), 0)
        weak = DEFAULT.may(Account(OLD, link), "livestream_commerce", NOW)
        assert (weak.is_allowed, weak.reason, weak.step) == (False, Reason.ACR_TOO_LOW, Step.SIGN_IN)
        assert (weak.acr_values, weak.max_age) == (("vn-2",), 900)
        stepped_up = Link.of_receipt(receipt(), 0, [SignIn("vn-2", NOW)])
        strong = DEFAULT.may(Account(OLD, stepped_up), "livestream_commerce", NOW)
        assert (strong.is_allowed, strong.until) == (True, NOW + timedelta(minutes=15))
        assert (strong.step, strong.message) == (None, None)

    @pytest.mark.parametrize(
        ("status", "reason"),
        [
            (0, Reason.MET),
            (1, Reason.LINK_NEEDED),
            (2, Reason.LINK_SUSPENDED),
            (3, Reason.LINK_LAPSED),
            (7, Reason.LINK_NEEDED),
        ],
    )
    def test_the_status_list_has_the_last_word(self, status: int, reason: Reason) -> None:
        account = Account(NOW - DAY, Link.of_receipt(receipt(), status))
        assert DEFAULT.may(account, "post", NOW).reason is reason

    def test_a_suspended_link_leads_to_the_provider_and_no_deadline_helps(self) -> None:
        decision = DEFAULT.may(Account(OLD, Link.of_receipt(receipt(), 2)), "post", NOW)
        assert (decision.is_allowed, decision.step) == (False, Step.ASK_PROVIDER)

    def test_a_request_to_confirm_is_answered_by_a_sign_in(self) -> None:
        asked = Link.of_receipt(receipt(), 0, reverify_requested_at=NOW - DAY)
        assert DEFAULT.may(Account(NOW - DAY, asked), "post", NOW).reason is Reason.REVERIFY_DUE
        came = replace(asked, sign_ins=(*asked.sign_ins, SignIn("vn-1", NOW)))
        assert DEFAULT.may(Account(NOW - DAY, came), "post", NOW).is_allowed

    @pytest.mark.parametrize("changes", [{"assurance_level": "vn9"}, {"acr": "vn-9"}, {"acr": ""}], ids=str)
    def test_a_level_that_is_not_known_counts_as_none(self, changes: dict[str, str]) -> None:
        account = Account(NOW - DAY, Link.of_receipt(receipt(**changes), 0))
        assert not DEFAULT.may(account, "post", NOW).is_allowed

    def test_what_the_policy_does_not_name_is_not_allowed(self) -> None:
        decision = DEFAULT.may(Account(OLD), "POST", NOW)
        assert (decision.is_allowed, decision.step) == (False, None)
        assert (decision.acr_values, decision.max_age) == ((), None)
        assert decision.message == "This is not available at the moment."

    def test_a_platform_abroad_waits_until_it_is_connected(self) -> None:
        policy = read_policy(published(replace(rule.DEFAULT, cross_border={CLIENT_ID: None})), CLIENT_ID)
        assert policy.is_waiting
        decision = policy.may(Account(NOW), "post", NOW + 900 * DAY)
        assert (decision.is_allowed, decision.reason, decision.until) == (True, Reason.NOT_DUE_YET, None)

    def test_an_answer_does_not_outlive_the_version(self) -> None:
        following = {"version": 2, "effective_at": "2026-11-21T00:00:00Z"}
        policy = read_policy(published(rule.DEFAULT, next=following), CLIENT_ID)
        account = Account(OLD, Link.of_receipt(receipt(), 0))
        assert policy.next_at == datetime(2026, 11, 21, tzinfo=UTC)
        assert policy.may(account, "post", NOW).until == policy.next_at
        assert policy.may(Account(OLD), "post", NOW).until == policy.next_at


class TestReading:
    def test_the_document_as_it_comes(self) -> None:
        assert read_policy(published(rule.DEFAULT).encode(), CLIENT_ID) == DEFAULT
        assert DEFAULT.features["livestream_commerce"] == Requirement(
            "vn2", "vn-2", timedelta(minutes=15), is_put_off=False
        )
        due_at = datetime(2026, 12, 30, 17, tzinfo=UTC)
        assert DEFAULT.deadline == Deadline(datetime(2026, 9, 27, 17, tzinfo=UTC), due_at, due_at)

    def test_what_is_added_beside_is_passed_over(self) -> None:
        assert read_policy(published(rule.DEFAULT, colour="blue"), CLIENT_ID) == DEFAULT

    @pytest.mark.parametrize(
        "changes",
        [
            {"version": None},
            {"version": True},
            {"features": []},
            {"features": {"post": 3}},
            {"features": {"post": {"min_age": 16}}},
            {"features": {"post": {"min_proofing": "vn3"}}},
            {"features": {"post": {"min_acr": ["vn-1"]}}},
            {"features": {"post": {"max_age": 1e9}}},
            {"features": {"post": {"max_age": 10**10}}},
            {"features": {"post": {"reverify_after": 10**6}}},
            {"features": {"post": {"before_deadline": "perhaps"}}},
            {"deadlines": {"abroad": {}}},
            {"deadlines": {"domestic": {"due_at": "2026-12-31T00:00:00Z"}}},
            {"deadlines": {"domestic": {"created_before": "2026-12-31", "due_at": "2026-12-31"}}},
            {"deadlines": {"domestic": {"created_before": "x", "due_at": "x"}}},
            {"deadlines": {"domestic": {"consequence": "delete"}}},
            {"deadlines": {"domestic": {"threat": 1}}},
            {"deadlines": {"cross_border": []}},
            {"next": 3},
            {"next": {"effective_at": 3}},
        ],
        ids=json.dumps,
    )
    def test_a_demand_that_is_not_understood_is_not_taken_for_none(self, changes: Mapping[str, Any]) -> None:
        with pytest.raises(PolicyError):
            read_policy(published(rule.DEFAULT, **changes), CLIENT_ID)

    @pytest.mark.parametrize("text", ["", "[]", "null", "{", b"\xff", "[" * 100_000, '{"version":1}'])
    def test_what_is_no_policy_is_refused(self, text: str | bytes) -> None:
        with pytest.raises(PolicyError):
            read_policy(text, CLIENT_ID)


def test_a_policy_made_by_hand_decides_too() -> None:
    assert Policy(1, {"post": Requirement()}).may(Account(OLD), "post", NOW).reason is Reason.LINK_NEEDED
