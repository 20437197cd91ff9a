"""At 16 a link becomes the young person's own, or lapses. R10."""

from datetime import UTC, datetime, timedelta

import pytest

from idp.audit.events import PROVIDER, ActorKind
from idp.identity.account_links import LIVE, IllegalMoveError, Status
from idp.identity.hand_over import OWN_CONSENT_MISSING, ask_own_consent, is_asked, let_lapse, take_over
from tests.support.protocol_builders import make_link

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
GRACE = timedelta(days=60)


def test_a_link_is_asked_for_and_counts_until_the_grace_is_over() -> None:
    link = make_link(guardianship_id="guardianship-1")
    asked, event = ask_own_consent(link, GRACE, NOW)
    assert (asked.status, asked.guardianship_id) == (link.status, "guardianship-1")
    assert asked.own_consent_due_at == NOW + GRACE
    assert (event.type, event.actor) == ("account_link:own_consent_asked", PROVIDER)
    assert event.details == {}


@pytest.mark.parametrize(
    ("birthdate", "is_of_age"),
    [
        pytest.param("2010-11-21", True, id="16 today"),
        pytest.param("2010-11-22", False, id="P10: 16 tomorrow, as the register says meanwhile"),
        pytest.param("2010", False, id="some day this year"),
    ],
)
@pytest.mark.parametrize("status", Status)
def test_only_whoever_is_16_answers_for_a_live_link(
    birthdate: str, status: Status, *, is_of_age: bool
) -> None:
    link = make_link(status=status, own_consent_due_at=NOW + GRACE)
    assert is_asked(link, birthdate, NOW) is (is_of_age and status in LIVE)
    assert not is_asked(make_link(status=status), birthdate, NOW), "nothing was asked"


def test_a_link_that_was_taken_over_names_no_guardian() -> None:
    link = make_link(guardianship_id="guardianship-1", own_consent_due_at=NOW)
    own, event = take_over(link, NOW)
    assert (own.guardianship_id, own.own_consent_due_at, own.status) == (None, None, link.status)
    assert (event.type, event.actor.kind) == ("account_link:taken_over", ActorKind.CITIZEN)


def test_a_link_that_nobody_answers_for_lapses() -> None:
    link = make_link(guardianship_id="guardianship-1", own_consent_due_at=NOW)
    lapsed, event = let_lapse(link, NOW)
    assert (lapsed.status, lapsed.guardianship_id, lapsed.own_consent_due_at) == (Status.LAPSED, None, None)
    assert (event.type, event.details) == ("account_link:lapsed", {"because": OWN_CONSENT_MISSING})
    with pytest.raises(IllegalMoveError):
        let_lapse(make_link(status=Status.SUSPENDED), NOW)
