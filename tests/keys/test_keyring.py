from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from keys import Custody, KeyState, LifecycleError, UnknownKeyError
from keys.key_pairs import thumbprint

RETIRING_FOR = timedelta(days=30)


def states(custody: Custody, algorithm: str) -> list[KeyState]:
    return [record.state for record in custody.signing.list() if record.algorithm == algorithm]


def test_the_first_opening_gives_each_algorithm_an_active_and_a_next_key(
    full_directory: Path, now: datetime
) -> None:
    custody = Custody.open(full_directory, None, now)
    for algorithm in ("ES256", "RS256", "EdDSA"):
        assert states(custody, algorithm) == [KeyState.ACTIVE, KeyState.NEXT]


def test_the_key_set_is_public_and_complete(full_directory: Path, now: datetime) -> None:
    keys = Custody.open(full_directory, None, now).signing.public_jwks()["keys"]
    assert sorted(key["alg"] for key in keys) == sorted(["ES256", "RS256", "PS256", "EdDSA"] * 2)
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert key["use"] == "sig"
        assert key["kid"].removesuffix(".PS256") == thumbprint(key)
        assert key.keys() <= {"kty", "crv", "x", "y", "n", "e", "use", "alg", "kid"}


def test_a_caller_cannot_change_the_key_set_of_others(custody: Custody) -> None:
    custody.signing.public_jwks()["keys"][0]["kid"] = "mine"
    assert "mine" not in {key["kid"] for key in custody.signing.public_jwks()["keys"]}


def test_rotation_promotes_the_key_that_verifiers_already_hold(custody: Custody, now: datetime) -> None:
    before = custody.signing.signer("ES256").kid
    announced = {key["kid"] for key in custody.signing.public_jwks()["keys"]}
    custody.signing.rotate(now)
    after = custody.signing.signer("ES256").kid
    assert after != before
    assert after in announced
    assert custody.signing.verification_key(before) is not None
    assert states(custody, "ES256") == [KeyState.RETIRING, KeyState.ACTIVE, KeyState.NEXT]
    assert states(custody, "EdDSA") == [KeyState.RETIRING, KeyState.ACTIVE, KeyState.NEXT]


def test_one_algorithm_can_be_rotated_alone(custody: Custody, now: datetime) -> None:
    custody.signing.rotate(now, "EdDSA")
    assert states(custody, "ES256") == [KeyState.ACTIVE, KeyState.NEXT]
    assert states(custody, "EdDSA") == [KeyState.RETIRING, KeyState.ACTIVE, KeyState.NEXT]


def test_rsa_rotates_under_both_of_its_names(full_directory: Path, now: datetime) -> None:
    custody = Custody.open(full_directory, None, now)
    before = custody.signing.signer("PS256").kid
    custody.signing.rotate(now, "RS256")
    rs256, ps256 = custody.signing.signer("RS256").kid, custody.signing.signer("PS256").kid
    assert ps256 == f"{rs256}.PS256"
    assert ps256 != before
    custody.signing.compromise(before, now)
    assert custody.signing.verification_key(before) is None
    assert custody.signing.verification_key(before.removesuffix(".PS256")) is None


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "none"])
def test_an_algorithm_without_keys_here_is_not_rotated(
    custody: Custody, now: datetime, algorithm: str
) -> None:
    before = custody.signing.list()
    with pytest.raises(UnknownKeyError):
        custody.signing.rotate(now, algorithm)
    assert custody.signing.list() == before


def test_a_retired_key_is_no_longer_published(custody: Custody, now: datetime) -> None:
    kid = custody.signing.signer("ES256").kid
    custody.signing.rotate(now)
    assert not custody.reload_if_changed(now + RETIRING_FOR - timedelta(seconds=1))
    assert custody.signing.verification_key(kid) is not None
    assert custody.reload_if_changed(now + RETIRING_FOR)
    assert custody.signing.verification_key(kid) is None
    assert kid not in {key["kid"] for key in custody.signing.public_jwks()["keys"]}
    assert states(custody, "ES256")[0] is KeyState.RETIRED
    assert not custody.reload_if_changed(now + RETIRING_FOR)


def test_a_retired_key_does_not_come_back_when_another_process_changes_the_ring(
    open_custody: Callable[..., Custody], now: datetime
) -> None:
    custody, other = open_custody(), open_custody()
    kid = custody.signing.signer("ES256").kid
    custody.signing.rotate(now)
    custody.reload_if_changed(now + RETIRING_FOR)
    other.data.rotate(now)
    assert custody.reload_if_changed(now + RETIRING_FOR)
    assert custody.signing.verification_key(kid) is None


def test_an_opening_after_the_retention_does_not_publish_the_old_key(
    open_custody: Callable[..., Custody], now: datetime
) -> None:
    custody = open_custody()
    kid = custody.signing.signer("ES256").kid
    custody.signing.rotate(now)
    assert open_custody(at=now + RETIRING_FOR).signing.verification_key(kid) is None


def test_retirement_is_written_down_with_the_next_rotation(
    custody: Custody, open_custody: Callable[..., Custody], now: datetime
) -> None:
    custody.signing.rotate(now)
    custody.signing.rotate(now + RETIRING_FOR)
    assert states(open_custody(), "ES256")[:2] == [KeyState.RETIRED, KeyState.RETIRING]


def test_a_compromised_active_key_is_unpublished_at_once_and_the_next_one_signs(
    custody: Custody, now: datetime
) -> None:
    lost = custody.signing.signer("ES256").kid
    waiting = next(
        r.kid for r in custody.signing.list() if r.state is KeyState.NEXT and r.algorithm == "ES256"
    )
    custody.signing.compromise(lost, now)
    assert custody.signing.verification_key(lost) is None
    assert custody.signing.signer("ES256").kid == waiting
    assert states(custody, "ES256") == [KeyState.COMPROMISED, KeyState.ACTIVE, KeyState.NEXT]


def test_a_compromised_next_key_is_replaced_and_never_signs(custody: Custody, now: datetime) -> None:
    signing = custody.signing.signer("ES256").kid
    lost = next(r.kid for r in custody.signing.list() if r.state is KeyState.NEXT and r.algorithm == "ES256")
    custody.signing.compromise(lost, now)
    assert custody.signing.signer("ES256").kid == signing
    assert states(custody, "ES256") == [KeyState.ACTIVE, KeyState.COMPROMISED, KeyState.NEXT]
    custody.signing.rotate(now)
    assert custody.signing.signer("ES256").kid != lost


def test_a_compromised_retiring_key_is_unpublished_before_its_time(custody: Custody, now: datetime) -> None:
    lost = custody.signing.signer("ES256").kid
    custody.signing.rotate(now)
    custody.signing.compromise(lost, now)
    assert custody.signing.verification_key(lost) is None
    with pytest.raises(LifecycleError, match="cannot become"):
        custody.signing.compromise(lost, now)


def test_an_unknown_kid_verifies_nothing_and_cannot_be_compromised(custody: Custody, now: datetime) -> None:
    assert custody.signing.verification_key("nobody") is None
    with pytest.raises(UnknownKeyError):
        custody.signing.compromise("nobody", now)


def test_a_rotation_is_due_when_the_active_key_is_as_old_as_the_policy_says(
    custody: Custody, now: datetime
) -> None:
    assert custody.signing.algorithms_due(now + timedelta(days=89)) == ()
    assert custody.signing.algorithms_due(now + timedelta(days=90)) == ("ES256", "EdDSA")
    custody.signing.rotate(now + timedelta(days=90), "ES256")
    assert custody.signing.algorithms_due(now + timedelta(days=90)) == ("EdDSA",)


class TestHistory:
    """OpenID Federation 1.0 §8.7: what keys of former times signed is verified for years."""

    def test_a_key_is_told_of_once_it_is_retired_with_the_end_of_its_time(
        self, custody: Custody, now: datetime
    ) -> None:
        kid = custody.signing.signer("ES256").kid
        custody.signing.rotate(now)
        assert custody.signing.historical_jwks() == (), "it still stands in the key set"
        custody.reload_if_changed(now + RETIRING_FOR)
        former = {key["kid"]: key for key in custody.signing.historical_jwks()}
        assert former[kid]["exp"] == int((now + RETIRING_FOR).timestamp())
        assert former[kid]["nbf"] <= former[kid]["exp"]
        assert "revoked" not in former[kid]
        assert custody.signing.changed_at() == now + RETIRING_FOR

    def test_both_names_of_an_rsa_key_stay_known(self, full_directory: Path, now: datetime) -> None:
        custody = Custody.open(full_directory, None, now)
        kid = custody.signing.signer("RS256").kid
        custody.signing.rotate(now)
        custody.reload_if_changed(now + RETIRING_FOR)
        former = {key["kid"]: key["alg"] for key in custody.signing.historical_jwks()}
        assert (former[kid], former[f"{kid}.PS256"]) == ("RS256", "PS256")

    def test_a_key_that_was_lost_is_told_of_at_once_as_revoked(self, custody: Custody, now: datetime) -> None:
        kid = custody.signing.signer("ES256").kid
        custody.signing.compromise(kid, now)
        [former] = custody.signing.historical_jwks()
        assert (former["kid"], former["exp"]) == (kid, int(now.timestamp()))
        assert former["revoked"] == {"revoked_at": int(now.timestamp()), "reason": "compromised"}

    def test_a_retired_key_is_revoked_when_it_turns_out_to_have_been_lost(
        self, custody: Custody, now: datetime
    ) -> None:
        kid = custody.signing.signer("ES256").kid
        custody.signing.rotate(now)
        custody.reload_if_changed(now + RETIRING_FOR)
        later = now + 2 * RETIRING_FOR
        custody.signing.compromise(kid, later)
        former = {key["kid"]: key for key in custody.signing.historical_jwks()}
        assert former[kid]["revoked"]["revoked_at"] == int(later.timestamp())

    def test_a_key_that_never_signed_is_not_told_of(self, custody: Custody, now: datetime) -> None:
        waiting = next(record for record in custody.signing.list() if record.state is KeyState.NEXT)
        custody.signing.compromise(waiting.kid, now)
        assert custody.signing.historical_jwks() == ()

    def test_nothing_private_is_among_it(self, custody: Custody, now: datetime) -> None:
        custody.signing.rotate(now)
        custody.reload_if_changed(now + RETIRING_FOR)
        assert not {"d", "p", "q", "k"} & {name for key in custody.signing.historical_jwks() for name in key}
