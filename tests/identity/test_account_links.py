"""The account link: its moves as a state machine, its places, its policy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.account_links import (
    LIVE,
    MOVES,
    AccountLink,
    Applicant,
    IllegalMoveError,
    LinkPolicy,
    LinkRefusedError,
    Refusal,
    Status,
    activate,
    check_holder,
    check_policy,
    free_place,
    move,
)
from idp.identity.assurance import Acr, Proofing

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CITIZEN = Actor(ActorKind.CITIZEN, "citizen-1")
POLICY = LinkPolicy()
LINK = AccountLink(
    link_id="link-1",
    client_id="social-network",
    account_id="account-1",
    citizen_id="citizen-1",
    subject="pairwise-1",
    status=Status.PENDING,
    proofing=Proofing.VN2,
    acr=Acr.VN_2,
    requested_at=NOW,
)
ACTIVE, _ = activate(LINK, 1, POLICY, CITIZEN, NOW)
APPLICANT = Applicant("citizen-1", Proofing.VN2, Acr.VN_2, age=30)
STATES = st.sampled_from(Status)


class LifeOfALink(RuleBasedStateMachine):
    """Any moves in any order: the table decides, and every move leaves its event."""

    def __init__(self) -> None:
        super().__init__()
        self.link = LINK
        self.now = NOW
        self.events: list[Event] = []

    @rule(to=STATES, because=st.sampled_from(["linked", "citizen", "operator", "expired"]))
    def move(self, to: Status, because: str) -> None:
        before = self.link
        self.now += timedelta(hours=1)
        if to not in MOVES[before.status]:
            with pytest.raises(IllegalMoveError) as refused:
                move(before, to, CITIZEN, because, self.now)
            assert (refused.value.link, refused.value.to) == (before, to)
            return
        self.link, event = move(before, to, CITIZEN, because, self.now)
        assert self.link.status is to
        assert event.details == {"because": because}
        self.events.append(event)

    @rule(place=st.integers(min_value=1, max_value=3))
    def link_again(self, place: int) -> None:
        before = self.link
        self.now += timedelta(hours=1)
        if before.status not in {Status.PENDING, Status.LAPSED}:
            with pytest.raises(IllegalMoveError):
                activate(before, place, POLICY, CITIZEN, self.now)
            return
        self.link, event = activate(before, place, POLICY, CITIZEN, self.now)
        assert self.link.place == place
        assert self.link.expires_at == self.now + POLICY.link_validity
        assert self.link.linked_at == (before.linked_at or self.now)
        self.events.append(event)

    @invariant()
    def what_the_link_is_never_changes(self) -> None:
        for name in ("link_id", "client_id", "account_id", "citizen_id", "subject", "requested_at"):
            assert getattr(self.link, name) == getattr(LINK, name)

    @invariant()
    def an_ended_link_says_when_and_why_and_frees_its_place(self) -> None:
        is_ended = self.link.status is Status.ENDED
        assert (self.link.ended_at is not None) == is_ended
        assert (self.link.ended_because is not None) == is_ended
        assert not (is_ended and self.link.place is not None)

    @invariant()
    def only_a_suspended_link_says_why_it_is(self) -> None:
        assert (self.link.suspended_because is not None) == (self.link.status is Status.SUSPENDED)

    @invariant()
    def every_event_is_about_this_link_and_in_order(self) -> None:
        assert all(event.link_id == "link-1" for event in self.events)
        times = [event.occurred_at for event in self.events]
        assert times == sorted(times)


TestLifeOfALink = LifeOfALink.TestCase


@given(STATES, STATES)
def test_the_table_is_what_the_domain_says(origin: Status, to: Status) -> None:
    legal = {
        (Status.PENDING, Status.ACTIVE),
        (Status.ACTIVE, Status.SUSPENDED),
        (Status.SUSPENDED, Status.ACTIVE),
        (Status.ACTIVE, Status.LAPSED),
        (Status.LAPSED, Status.ACTIVE),
    } | {(state, Status.ENDED) for state in Status if state is not Status.ENDED}
    assert (to in MOVES[origin]) == ((origin, to) in legal)


@pytest.mark.parametrize(
    ("origin", "to", "event_type"),
    [
        (Status.PENDING, Status.ACTIVE, "account_link:activated"),
        (Status.PENDING, Status.ENDED, "account_link:abandoned"),
        (Status.ACTIVE, Status.SUSPENDED, "account_link:suspended"),
        (Status.ACTIVE, Status.LAPSED, "account_link:lapsed"),
        (Status.ACTIVE, Status.ENDED, "account_link:ended"),
        (Status.SUSPENDED, Status.ACTIVE, "account_link:reinstated"),
        (Status.SUSPENDED, Status.ENDED, "account_link:ended"),
        (Status.LAPSED, Status.ACTIVE, "account_link:renewed"),
        (Status.LAPSED, Status.ENDED, "account_link:ended"),
    ],
)
def test_every_legal_move_has_its_event(origin: Status, to: Status, event_type: str) -> None:
    _, event = move(replace(LINK, status=origin), to, CITIZEN, "because", NOW)
    assert (event.type, event.actor, event.occurred_at) == (event_type, CITIZEN, NOW)
    assert (event.client_id, event.citizen_id, event.link_id) == ("social-network", "citizen-1", "link-1")


def test_a_reinstated_link_keeps_its_place_and_its_end() -> None:
    suspended, _ = move(ACTIVE, Status.SUSPENDED, CITIZEN, "operator", NOW)
    reinstated, _ = move(suspended, Status.ACTIVE, CITIZEN, "operator", NOW + timedelta(days=1))
    assert reinstated == ACTIVE


def test_linking_again_is_no_way_round_a_suspension() -> None:
    suspended, _ = move(ACTIVE, Status.SUSPENDED, CITIZEN, "operator", NOW)
    with pytest.raises(IllegalMoveError, match="suspended cannot become active"):
        activate(suspended, 1, POLICY, CITIZEN, NOW)


def test_a_renewed_link_is_as_old_as_it_was_and_valid_anew() -> None:
    lapsed, _ = move(ACTIVE, Status.LAPSED, CITIZEN, "expired", NOW)
    later = NOW + timedelta(days=800)
    renewed, event = activate(lapsed, 2, POLICY, CITIZEN, later)
    assert (renewed.linked_at, renewed.last_used_at, renewed.place) == (NOW, later, 2)
    assert renewed.expires_at == later + POLICY.link_validity
    assert event.type == "account_link:renewed"


def test_a_link_expires_at_its_last_moment() -> None:
    assert not LINK.is_expired(NOW)
    assert ACTIVE.expires_at == NOW + timedelta(days=730)
    assert not ACTIVE.is_expired(NOW + timedelta(days=730) - timedelta(microseconds=1))
    assert ACTIVE.is_expired(NOW + timedelta(days=730))


def refusal_of(policy: LinkPolicy, applicant: Applicant = APPLICANT) -> Refusal:
    with pytest.raises(LinkRefusedError) as refused:
        check_policy(policy, applicant)
    return refused.value.refusal


def test_the_default_policy_takes_everybody() -> None:
    check_policy(POLICY, Applicant("citizen-1", Proofing.VN1, Acr.VN_1, age=None))


def test_the_policy_names_what_is_missing() -> None:
    weak = Applicant("citizen-1", Proofing.VN1, Acr.VN_1, age=15)
    assert refusal_of(LinkPolicy(min_proofing=Proofing.VN2), weak) is Refusal.PROOFING_TOO_LOW
    assert refusal_of(LinkPolicy(min_acr=Acr.VN_2), weak) is Refusal.ACR_TOO_LOW
    assert refusal_of(LinkPolicy(min_age=16), weak) is Refusal.UNDER_AGE


def test_a_foreigner_is_proofed_as_well_as_vn2() -> None:
    foreigner = replace(APPLICANT, proofing=Proofing.VNF)
    check_policy(LinkPolicy(min_proofing=Proofing.VN2), foreigner)


def test_abuse_p10_who_has_no_birth_date_is_under_every_age() -> None:
    assert refusal_of(LinkPolicy(min_age=1), replace(APPLICANT, age=None)) is Refusal.UNDER_AGE


def test_the_birthday_itself_is_old_enough() -> None:
    check_policy(LinkPolicy(min_age=16), replace(APPLICANT, age=16))


@pytest.mark.parametrize("status", sorted(set(Status) - LIVE))
def test_an_account_is_free_when_no_live_link_holds_it(status: Status) -> None:
    check_holder(None, "citizen-2")
    check_holder(replace(LINK, status=status), "citizen-2")


@pytest.mark.parametrize("status", sorted(LIVE))
def test_abuse_p3_an_account_belongs_to_one_person(status: Status) -> None:
    with pytest.raises(LinkRefusedError, match=Refusal.ACCOUNT_TAKEN):
        check_holder(replace(LINK, status=status), "citizen-2")


def test_the_holder_may_link_again_unless_suspended() -> None:
    check_holder(ACTIVE, "citizen-1")
    check_holder(replace(LINK, status=Status.LAPSED), "citizen-1")
    with pytest.raises(LinkRefusedError, match=Refusal.LINK_SUSPENDED):
        check_holder(replace(LINK, status=Status.SUSPENDED), "citizen-1")


@given(st.sets(st.integers(min_value=1, max_value=12)), st.integers(min_value=0, max_value=10))
def test_abuse_p4_the_lowest_free_place_within_the_cap(occupied: set[int], cap: int) -> None:
    policy = LinkPolicy(max_links_per_citizen=cap)
    free = set(range(1, cap + 1)) - occupied
    if free:
        assert free_place(occupied, policy) == min(free)
        return
    with pytest.raises(LinkRefusedError, match=Refusal.LIMIT_REACHED):
        free_place(occupied, policy)
