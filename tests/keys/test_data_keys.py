from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import Custody, SealedDataError
from keys.data_keys import _joined

NUMBER = "000203001234"


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_two_different_pairs_never_give_the_same_bytes(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (_joined(*one) == _joined(*other)) == (one == other)


@pytest.mark.parametrize("plaintext", [b"", NUMBER.encode(), b"\x00" * 5000])
def test_what_is_sealed_opens_in_its_context(custody: Custody, plaintext: bytes) -> None:
    sealed = custody.data.seal(plaintext, b"citizens/number/42")
    assert custody.data.open(sealed, b"citizens/number/42") == plaintext
    assert not plaintext or plaintext not in sealed


def test_the_same_value_never_looks_the_same_twice(custody: Custody) -> None:
    assert custody.data.seal(b"value", b"context") != custody.data.seal(b"value", b"context")


def test_a_value_moved_to_another_context_does_not_open(custody: Custody) -> None:
    sealed = custody.data.seal(b"value", b"citizens/number/42")
    with pytest.raises(SealedDataError, match="another context"):
        custody.data.open(sealed, b"citizens/number/43")


@pytest.mark.parametrize("position", [4, 15, 16, -1])
def test_an_altered_value_does_not_open(custody: Custody, position: int) -> None:
    sealed = bytearray(custody.data.seal(b"value", b"context"))
    sealed[position] ^= 1
    with pytest.raises(SealedDataError, match="altered"):
        custody.data.open(bytes(sealed), b"context")


@pytest.mark.parametrize("length", [0, 3, 4, 31])
def test_a_value_cut_short_does_not_open(custody: Custody, length: int) -> None:
    with pytest.raises(SealedDataError, match="cut short"):
        custody.data.open(custody.data.seal(b"", b"context")[:length], b"context")


def test_a_value_of_an_unknown_key_does_not_open(custody: Custody) -> None:
    sealed = bytearray(custody.data.seal(b"value", b"context"))
    sealed[0] ^= 1
    with pytest.raises(SealedDataError, match="not in this ring"):
        custody.data.open(bytes(sealed), b"context")


def test_lookup_and_pairwise_keys_do_not_decrypt(custody: Custody) -> None:
    sealed = custody.data.seal(b"value", b"context")
    for record in custody.data.list()[1:]:
        with pytest.raises(SealedDataError, match="not in this ring"):
            custody.data.open(bytes.fromhex(record.id) + sealed[4:], b"context")


def test_an_old_key_still_opens_after_rotation_and_a_new_one_seals(custody: Custody, now: datetime) -> None:
    old = custody.data.seal(b"value", b"context")
    custody.data.rotate(now)
    new = custody.data.seal(b"value", b"context")
    assert old[:4] != new[:4]
    assert custody.data.open(old, b"context") == custody.data.open(new, b"context") == b"value"


def test_rotation_leaves_lookup_and_pairwise_keys_alone(custody: Custody, now: datetime) -> None:
    digest = custody.data.lookup("number", NUMBER)
    subject = custody.data.pairwise_subject("feed.example", "citizen-1")
    custody.data.rotate(now)
    custody.signing.rotate(now)
    assert custody.data.lookup("number", NUMBER) == digest
    assert custody.data.pairwise_subject("feed.example", "citizen-1") == subject


def test_a_value_sealed_by_another_process_after_its_rotation_opens_without_delay(
    open_custody: Callable[..., Custody], now: datetime
) -> None:
    custody, other = open_custody(), open_custody()
    other.data.rotate(now)
    assert custody.data.open(other.data.seal(b"value", b"context"), b"context") == b"value"


def test_a_lookup_is_the_same_in_every_process_and_differs_by_purpose(
    open_custody: Callable[..., Custody],
) -> None:
    custody, other = open_custody(), open_custody()
    digest = custody.data.lookup("number", NUMBER)
    assert len(digest) == 32
    assert digest == other.data.lookup("number", NUMBER)
    assert digest != custody.data.lookup("phone", NUMBER)
    assert custody.data.lookup("ab", "c") != custody.data.lookup("a", "bc")


def test_a_pairwise_subject_is_stable_in_a_sector_and_unlinkable_across_sectors(custody: Custody) -> None:
    subject = custody.data.pairwise_subject("feed.example", "citizen-1")
    assert subject == custody.data.pairwise_subject("feed.example", "citizen-1")
    assert subject != custody.data.pairwise_subject("shop.example", "citizen-1")
    assert subject != custody.data.pairwise_subject("feed.example", "citizen-2")
    assert len(subject) == 43


def test_a_new_encryption_key_is_due_after_the_period_of_the_policy(custody: Custody, now: datetime) -> None:
    assert not custody.data.is_rotation_due(now + timedelta(days=364))
    assert custody.data.is_rotation_due(now + timedelta(days=365))
