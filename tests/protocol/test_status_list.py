"""Status lists: the published vectors, the packing, the token, and how it is asked for."""

import base64
import json
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.status_list import (
    SIZE,
    accepts_jwt,
    changed_array,
    empty_array,
    is_due_to_sign,
    status_claim,
    status_list_claims,
    value_at,
)
from tests.support.protocol_builders import ISSUER, NOW

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "token_status_list_c.json").read_text())


def packed(lst: str) -> bytes:
    return base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4))


def test_the_array_of_section_4_1_is_made_and_read_bit_by_bit() -> None:
    """Indexes count from the least significant bit of a byte: getting that wrong reads another's status."""
    [vector] = [vector for vector in VECTORS["4.1"] if vector["bits"] == 2]
    made = changed_array(empty_array(len(vector["statuses"])), dict(enumerate(vector["statuses"])))
    assert zlib.decompress(made) == zlib.decompress(packed(vector["lst"])) == bytes.fromhex("c944f9")
    assert [value_at(packed(vector["lst"]), at) for at in range(12)] == vector["statuses"]


def test_the_list_of_appendix_c_2_is_made_and_read() -> None:
    [vector] = [vector for vector in VECTORS["appendix_c"] if vector["bits"] == 2]
    statuses = {int(index): value for index, value in vector["statuses"].items()}
    made = changed_array(empty_array(vector["size"]), statuses)
    assert zlib.decompress(made) == zlib.decompress(packed(vector["lst"]))
    assert {index: value_at(made, index) for index in statuses} == statuses
    assert value_at(made, 1) == value_at(made, SIZE - 1) == 0


@given(st.lists(st.dictionaries(st.integers(0, 63), st.integers(0, 3)), max_size=6))
def test_any_changes_leave_what_was_written_last(rounds: list[dict[int, int]]) -> None:
    array, expected = empty_array(64), dict.fromkeys(range(64), 0)
    for changes in rounds:
        array = changed_array(array, changes)
        expected |= changes
    assert {index: value_at(array, index) for index in range(64)} == expected


def test_what_changes_nothing_makes_no_new_list() -> None:
    array = changed_array(empty_array(64), {3: 2})
    assert changed_array(array, {3: 2, 4: 0}) is array


@pytest.mark.parametrize(("index", "value"), [(-1, 1), (64, 1), (0, 4), (0, -1)])
def test_what_does_not_fit_is_refused(index: int, value: int) -> None:
    with pytest.raises(IndexError):
        changed_array(empty_array(64), {index: value})


@pytest.mark.parametrize("index", [-1, 64])
def test_outside_the_list_nothing_is_said(index: int) -> None:
    with pytest.raises(IndexError):
        value_at(empty_array(64), index)


def test_the_token_tells_of_the_moment_up_to_which_it_is_complete() -> None:
    claims = status_list_claims(ISSUER, "list-1", empty_array(64), NOW)
    assert claims == {
        "iss": ISSUER,
        "sub": f"{ISSUER}/status-lists/list-1",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 86400,
        "ttl": 20,
        "status_list": {
            "bits": 2,
            "lst": claims["status_list"]["lst"],
            "aggregation_uri": f"{ISSUER}/account-links/status-lists",
        },
    }
    assert zlib.decompress(packed(claims["status_list"]["lst"])) == bytes(16)


def test_a_receipt_names_the_list_by_the_address_it_has() -> None:
    """§6.2, §8.3 (4a): `uri` and `sub` are compared as they are."""
    reference = status_claim(ISSUER, "list-1", 7)["status_list"]
    assert reference == {"idx": 7, "uri": status_list_claims(ISSUER, "list-1", b"", NOW)["sub"]}


def test_a_list_that_does_not_change_is_signed_anew_once_an_hour() -> None:
    assert not is_due_to_sign(NOW, NOW + timedelta(minutes=59))
    assert is_due_to_sign(NOW, NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "application/statuslist+jwt",
        "Application/StatusList+JWT",
        "*/*",
        "application/*",
        "text/html, */*;q=0.1",
        "application/statuslist+cwt, application/statuslist+jwt; q=0.5",
        "application/statuslist+jwt;q=nonsense",
        "*/*;q=0, application/statuslist+jwt",
    ],
)
def test_who_takes_a_jwt_gets_one(accept: str | None) -> None:
    assert accepts_jwt(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "application/statuslist+cwt",
        "text/html",
        "application/statuslist+jwt;q=0",
        "*/*, application/statuslist+jwt;q=0",
        ";;,,",
    ],
)
def test_who_takes_something_else_gets_none(accept: str) -> None:
    assert not accepts_jwt(accept)
