"""What a feature needs, until when an account may go on without, and what it is never threatened with."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from idp.identity.account_links import AccountLink, Status
from idp.identity.assurance import Acr, Proofing
from idp.identity.feature_policy import (
    DEFAULT,
    STEPS,
    AccountFacts,
    BeforeDeadline,
    Consequence,
    Deadline,
    FeaturePolicy,
    LinkFacts,
    Mode,
    Reason,
    Requirement,
    SignIn,
    Step,
    link_facts,
    may,
)

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD = datetime(2019, 5, 1, tzinfo=UTC)
DUE_AT = datetime(2026, 12, 30, 17, tzinfo=UTC)


def link(**changes: object) -> LinkFacts:
    facts = LinkFacts(
        Status.ACTIVE, Proofing.VN2, (SignIn(Acr.VN_2, NOW - HOUR),), expires_at=NOW + 700 * DAY
    )
    return replace(facts, **changes)


def account(of_link: LinkFacts | None = None, *, created_at: datetime = NOW - DAY) -> AccountFacts:
    return AccountFacts("quan-coc", created_at, of_link)


class TestDefaults:
    def test_posting_needs_a_link_of_the_first_level(self) -> None:
        assert DEFAULT.features["post"] == Requirement(Proofing.VN1, Acr.VN_1)
        assert not may(DEFAULT, "post", account(), NOW).is_allowed
        assert may(DEFAULT, "post", account(link(proofing=Proofing.VN1)), NOW).is_allowed

    def test_selling_in_a_livestream_needs_the_second_level_and_two_fresh_factors(self) -> None:
        needs = DEFAULT.features["livestream_commerce"]
        assert (needs.min_proofing, needs.min_acr) == (Proofing.VN2, Acr.VN_2)
        assert needs.max_age is not None
        stale = may(DEFAULT, "livestream_commerce", account(link()), NOW)
        assert (stale.is_allowed, stale.reason, stale.step) == (False, Reason.NOT_FRESH, Step.SIGN_IN)
        fresh = link(sign_ins=(SignIn(Acr.VN_2, NOW - timedelta(minutes=1)),))
        assert may(DEFAULT, "livestream_commerce", account(fresh), NOW).is_allowed

    def test_the_deadline_is_that_of_the_decree_in_vietnamese_time(self) -> None:
        assert DEFAULT.domestic is not None
        vietnam = [(at + 7 * HOUR).date().isoformat() for at in (DEFAULT.domestic.created_before, DUE_AT)]
        assert vietnam == ["2026-09-28", "2026-12-31"]
        assert DEFAULT.domestic.due_at == DUE_AT

    def test_selling_does_not_wait_for_the_deadline(self) -> None:
        decision = may(DEFAULT, "livestream_commerce", account(created_at=OLD), NOW)
        assert (decision.is_allowed, decision.reason) == (False, Reason.LINK_NEEDED)

    def test_no_consequence_can_be_configured_but_to_restrict(self) -> None:
        assert [each.value for each in Consequence] == ["restrict"]


LACKS = [
    pytest.param(None, Reason.LINK_NEEDED, id="never linked"),
    pytest.param(link(status=Status.ENDED), Reason.LINK_NEEDED, id="ended"),
    pytest.param(link(status=Status.PENDING), Reason.LINK_NEEDED, id="not redeemed"),
    pytest.param(link(status=Status.LAPSED), Reason.LINK_LAPSED, id="lapsed"),
    pytest.param(link(expires_at=NOW), Reason.LINK_LAPSED, id="validity over, housekeeping not here yet"),
    pytest.param(link(proofing=Proofing.VN1), Reason.PROOFING_TOO_LOW, id="proofed remotely"),
    pytest.param(link(sign_ins=(SignIn(Acr.VN_1, NOW),)), Reason.ACR_TOO_LOW, id="one factor"),
    pytest.param(link(sign_ins=()), Reason.REVERIFY_DUE, id="no sign-in known"),
    pytest.param(
        link(sign_ins=(SignIn(Acr.VN_2, NOW - 2 * DAY), SignIn(Acr.VN_1, NOW))),
        Reason.NOT_FRESH,
        id="strong long ago and weak just now is not both",
    ),
    pytest.param(link(reverify_requested_at=NOW), Reason.REVERIFY_DUE, id="asked to confirm again"),
    pytest.param(
        link(reverify_requested_at=NOW, sign_ins=()), Reason.REVERIFY_DUE, id="asked, and never here"
    ),
    pytest.param(link(status=Status.SUSPENDED), Reason.LINK_SUSPENDED, id="suspended"),
]
STRICT = Requirement(Proofing.VN2, Acr.VN_2, max_age=DAY, reverify_after=90 * DAY)


def policy(requirement: Requirement = STRICT, **changes: object) -> FeaturePolicy:
    return replace(FeaturePolicy({"post": requirement}, DEFAULT.domestic), **changes)


@pytest.mark.parametrize(("facts", "reason"), LACKS)
class TestWhatIsMissing:
    def test_a_new_account_is_restricted_and_told_what_helps(
        self, facts: LinkFacts | None, reason: Reason
    ) -> None:
        decision = may(policy(), "post", account(facts), NOW)
        assert (decision.is_allowed, decision.reason, decision.lack) == (False, reason, reason)
        assert decision.step is STEPS[reason]

    def test_an_old_account_waits_for_its_deadline_unless_its_link_was_suspended(
        self, facts: LinkFacts | None, reason: Reason
    ) -> None:
        decision = may(policy(), "post", account(facts, created_at=OLD), NOW)
        if reason is Reason.LINK_SUSPENDED:
            assert (decision.is_allowed, decision.until) == (False, None)
        else:
            assert (decision.is_allowed, decision.reason) == (True, Reason.NOT_DUE_YET)
            assert (decision.lack, decision.step, decision.until) == (reason, STEPS[reason], DUE_AT)

    def test_a_feature_with_a_ground_of_its_own_waits_for_nothing(
        self, facts: LinkFacts | None, reason: Reason
    ) -> None:
        strict = replace(STRICT, before_deadline=BeforeDeadline.RESTRICT)
        assert may(policy(strict), "post", account(facts, created_at=OLD), NOW).reason is reason


def test_where_nothing_is_to_be_confirmed_a_sign_in_is_needed_all_the_same() -> None:
    assert may(policy(Requirement()), "post", account(link(sign_ins=())), NOW).reason is Reason.ACR_TOO_LOW


class TestWhatIsMet:
    @pytest.mark.parametrize(
        ("requirement", "until"),
        [
            (Requirement(), NOW + 700 * DAY),
            (Requirement(max_age=2 * HOUR), NOW + HOUR),
            (Requirement(reverify_after=90 * DAY), NOW - HOUR + 90 * DAY),
            (STRICT, NOW - HOUR + DAY),
        ],
    )
    def test_it_is_said_until_when(self, requirement: Requirement, until: datetime) -> None:
        decision = may(policy(requirement), "post", account(link()), NOW)
        assert (decision.is_allowed, decision.reason, decision.until) == (True, Reason.MET, until)
        assert decision.step is None

    def test_a_link_without_an_end_holds_without_one(self) -> None:
        assert may(policy(Requirement()), "post", account(link(expires_at=None)), NOW).until is None

    def test_the_newest_of_the_strong_sign_ins_counts(self) -> None:
        facts = link(sign_ins=(SignIn(Acr.VN_3, NOW), SignIn(Acr.VN_2, NOW - 9 * DAY)))
        assert may(policy(), "post", account(facts), NOW).until == NOW + DAY

    def test_max_age_is_counted_as_at_the_authorization_endpoint(self) -> None:
        """OpenID Connect Core §3.1.2.1: elapsed time greater than max_age."""
        just_now = may(policy(Requirement(max_age=HOUR)), "post", account(link()), NOW)
        too_late = may(policy(Requirement(max_age=HOUR)), "post", account(link()), NOW + timedelta(seconds=1))
        assert (just_now.reason, too_late.reason) == (Reason.MET, Reason.NOT_FRESH)

    def test_whoever_was_asked_to_confirm_and_came_has_confirmed(self) -> None:
        facts = link(reverify_requested_at=NOW - 2 * HOUR)
        assert may(policy(), "post", account(facts), NOW).is_allowed

    def test_a_foreigner_proofed_in_person_counts_as_the_second_level(self) -> None:
        assert may(policy(), "post", account(link(proofing=Proofing.VNF)), NOW).is_allowed


class TestDeadlines:
    GRACE = replace(DEFAULT, domestic=Deadline(OLD + DAY, DUE_AT, grace=30 * DAY))

    @pytest.mark.parametrize(
        ("now", "reason", "until"),
        [
            (DUE_AT - timedelta(seconds=1), Reason.NOT_DUE_YET, DUE_AT),
            (DUE_AT, Reason.IN_GRACE, DUE_AT + 30 * DAY),
            (DUE_AT + 30 * DAY - timedelta(seconds=1), Reason.IN_GRACE, DUE_AT + 30 * DAY),
            (DUE_AT + 30 * DAY, Reason.LINK_NEEDED, None),
        ],
    )
    def test_due_then_grace_then_restricted(
        self, now: datetime, reason: Reason, until: datetime | None
    ) -> None:
        decision = may(self.GRACE, "post", account(created_at=OLD), now)
        assert (decision.reason, decision.until) == (reason, until)
        assert decision.is_allowed is (until is not None)

    def test_an_account_made_at_the_very_moment_is_a_new_one(self) -> None:
        assert not may(self.GRACE, "post", account(created_at=OLD + DAY), NOW).is_allowed

    def test_without_a_deadline_nothing_waits(self) -> None:
        none = replace(DEFAULT, domestic=None)
        assert may(none, "post", account(created_at=OLD), NOW).reason is Reason.LINK_NEEDED

    def test_nothing_is_due_at_a_cross_border_platform_that_is_not_connected(self) -> None:
        abroad = replace(DEFAULT, cross_border={"quan-coc": None})
        assert abroad.mode_of("quan-coc") is Mode.CROSS_BORDER
        for now in (NOW, DUE_AT, DUE_AT + 900 * DAY):
            for created_at in (OLD, now):
                decision = may(abroad, "post", account(created_at=created_at), now)
                assert (decision.reason, decision.until) == (Reason.NOT_DUE_YET, None)

    def test_a_connected_cross_border_platform_has_its_own_date(self) -> None:
        own = Deadline(created_before=NOW, due_at=NOW + 90 * DAY)
        abroad = replace(DEFAULT, cross_border={"quan-coc": own, "elsewhere": None})
        assert may(abroad, "post", account(created_at=OLD), NOW).until == NOW + 90 * DAY
        assert not may(abroad, "post", account(created_at=NOW), NOW).is_allowed
        assert not may(abroad, "post", account(created_at=OLD), NOW + 90 * DAY).is_allowed

    def test_others_are_domestic(self) -> None:
        assert DEFAULT.mode_of("quan-coc") is Mode.DOMESTIC


def test_a_feature_that_the_policy_does_not_name_is_not_allowed() -> None:
    decision = may(DEFAULT, "Post", account(link(), created_at=OLD), NOW)
    assert (decision.is_allowed, decision.reason, decision.step) == (False, Reason.UNKNOWN_FEATURE, None)


def test_a_link_says_what_the_question_needs() -> None:
    made = AccountLink(
        "link", "quan-coc", "acc_1", "citizen", "subject", Status.ACTIVE, Proofing.VN1, Acr.VN_2, OLD,
        linked_at=NOW, expires_at=NOW + DAY,
    )  # fmt: skip
    assert link_facts(made) == LinkFacts(
        Status.ACTIVE, Proofing.VN1, (SignIn(Acr.VN_2, NOW),), expires_at=NOW + DAY
    )
    assert link_facts(replace(made, linked_at=None)).sign_ins == ()


def test_every_reason_that_restricts_says_what_helps() -> None:
    allowing = {Reason.MET, Reason.NOT_DUE_YET, Reason.IN_GRACE, Reason.UNKNOWN_FEATURE}
    assert STEPS.keys() == set(Reason) - allowing
