"""Whether an arrival is a person of ours: every pair of number and `sub`, and what was seen before."""

from dataclasses import replace

import pytest

from idp.identity.citizens import CitizenStatus
from idp.store.upstream_accounts import UpstreamAccount
from idp.upstreams.arrival import Arrival, ArrivalRefusal, ArrivalRefusedError, Found, check_arrival
from tests.support.stores import NOW, make_person

LAN = make_person("lan").citizen
HOA = make_person("hoa").citizen
OF_LAN = UpstreamAccount("standard", "lan", NOW, NOW)
LEFT_BY_LAN = replace(OF_LAN, disconnected_at=NOW)

IN: list[tuple[str, Found, Arrival]] = [
    ("first time", Found(LAN, None, None), Arrival.CONNECTED),
    ("again", Found(LAN, OF_LAN, OF_LAN), Arrival.KNOWN),
    ("after it was disconnected", Found(LAN, LEFT_BY_LAN, None, is_signed_in=True), Arrival.RECONNECTED),
    ("nobody yet", Found(None, None, None), Arrival.NEWCOMER),
]
OUT: list[tuple[str, Found, ArrivalRefusal]] = [
    ("the sub of Lan, the number of Hoà", Found(HOA, OF_LAN, None), ArrivalRefusal.PAIR_CHANGED),
    ("the same, after Lan disconnected", Found(HOA, LEFT_BY_LAN, None), ArrivalRefusal.PAIR_CHANGED),
    ("the sub of Lan, a number of nobody", Found(None, OF_LAN, None), ArrivalRefusal.PAIR_CHANGED),
    ("the number of Lan, another sub", Found(LAN, None, OF_LAN), ArrivalRefusal.PAIR_CHANGED),
    ("disconnected, and not signed in", Found(LAN, LEFT_BY_LAN, None), ArrivalRefusal.DISCONNECTED),
    (
        "an older sub of Lan beside the present one",
        Found(LAN, LEFT_BY_LAN, OF_LAN),
        ArrivalRefusal.PAIR_CHANGED,
    ),
]


@pytest.mark.parametrize(("found", "arrival"), [row[1:] for row in IN], ids=[row[0] for row in IN])
def test_who_comes_in(found: Found, arrival: Arrival) -> None:
    assert check_arrival(found, may_create=True) is arrival


@pytest.mark.parametrize(("found", "refusal"), [row[1:] for row in OUT], ids=[row[0] for row in OUT])
@pytest.mark.parametrize("may_create", [True, False])
def test_class_16_who_does_not(found: Found, refusal: ArrivalRefusal, *, may_create: bool) -> None:
    with pytest.raises(ArrivalRefusedError) as refused:
        check_arrival(found, may_create=may_create)
    assert refused.value.refusal is refusal


def test_nobody_is_made_up_where_nobody_may_be() -> None:
    with pytest.raises(ArrivalRefusedError) as refused:
        check_arrival(Found(None, None, None), may_create=False)
    assert refused.value.refusal is ArrivalRefusal.UNKNOWN_PERSON


@pytest.mark.parametrize("status", [CitizenStatus.LOCKED, CitizenStatus.REVOKED, CitizenStatus.DECEASED])
def test_class_17_a_wrong_pair_learns_nothing_about_the_number(status: CitizenStatus) -> None:
    suspended = replace(LAN, status=status)
    for found, refusal in (
        (Found(suspended, OF_LAN, OF_LAN), ArrivalRefusal.NOT_USABLE),
        (Found(suspended, None, None), ArrivalRefusal.NOT_USABLE),
        (Found(suspended, None, OF_LAN), ArrivalRefusal.PAIR_CHANGED),
    ):
        with pytest.raises(ArrivalRefusedError) as refused:
            check_arrival(found, may_create=True)
        assert refused.value.refusal is refusal
