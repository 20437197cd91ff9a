"""Levels of sign-in: wished for, essential, told. OpenID Connect Core §5.5.1.1; RFC 9470."""

from typing import Any

import pytest

from idp.identity.assurance import Acr, AcrValue, PhishingResistance
from idp.protocol.errors import UnmetAuthenticationRequirementsError
from idp.protocol.model import ClaimsRequest, RequestedClaim
from idp.protocol.parameters import Parameters
from idp.protocol.requested_acr import essential_acrs, granted_acr_claim, told_acr, wished_acrs
from tests.support.protocol_builders import ISSUER, make_client, make_grant


def claims(**asked: Any) -> ClaimsRequest:
    return ClaimsRequest(id_token={"acr": RequestedClaim(**asked)})


def wished(parameters: dict[str, str], asked: ClaimsRequest | None = None) -> tuple[Acr, ...]:
    client = make_client(default_acr_values=(Acr.VN_3,))
    return wished_acrs(Parameters(parameters), client, ISSUER, asked or ClaimsRequest())


def test_wishes_come_from_the_request_or_else_from_the_registration() -> None:
    assert wished({}) == (Acr.VN_3,)
    assert wished({"acr_values": "urn:x vn-2 vn-1 vn-2"}) == (Acr.VN_2, Acr.VN_1)
    assert wished({}, claims(values=("vn-2", 7))) == (Acr.VN_2,)
    assert wished({}, claims(value=f"{ISSUER}/acr/vn-2")) == (Acr.VN_2,)
    assert wished({}, claims()) == ()


def test_only_an_essential_acr_with_values_is_a_condition() -> None:
    assert essential_acrs(ClaimsRequest(), ISSUER) == ()
    assert essential_acrs(claims(essential=True), ISSUER) == ()
    assert essential_acrs(claims(value="vn-2"), ISSUER) == ()
    assert essential_acrs(claims(essential=True, value="vn-2"), ISSUER) == (Acr.VN_2,)
    assert essential_acrs(claims(essential=True, values=("x", "vn-3", "vn-2")), ISSUER) == (
        Acr.VN_3,
        Acr.VN_2,
    )


@pytest.mark.parametrize("value", ["urn:mace:incommon:iap:silver", 7, "vn-9", ""])
def test_a_condition_that_nobody_knows_is_unmet(value: object) -> None:
    with pytest.raises(UnmetAuthenticationRequirementsError):
        essential_acrs(claims(essential=True, value=value), ISSUER)


@pytest.mark.parametrize(
    ("happened", "asked", "told"),
    [
        pytest.param(Acr.VN_2, (), Acr.VN_2, id="nothing was asked"),
        pytest.param(Acr.VN_2, (Acr.VN_1, Acr.VN_2), Acr.VN_2, id="what happened was asked"),
        pytest.param(Acr.VN_3, (Acr.VN_1, Acr.VN_2), Acr.VN_2, id="the strongest that is covered"),
        pytest.param(Acr.VN_1, (Acr.VN_2,), Acr.VN_1, id="never more than what happened"),
    ],
)
def test_what_is_told_is_one_of_the_levels_asked_for(
    happened: Acr, asked: tuple[Acr, ...], told: Acr
) -> None:
    kept = ClaimsRequest(id_token=granted_acr_claim(asked))
    assert told_acr(make_grant(acr=happened, claims=kept)) is told


@pytest.mark.parametrize(
    ("amr", "wished", "told"),
    [
        pytest.param(
            ("swk", "user", "mfa", "phr"), (PhishingResistance.PHR,), PhishingResistance.PHR, id="phr"
        ),
        pytest.param(
            ("swk", "user", "mfa", "phr"),
            (PhishingResistance.PHRH, Acr.VN_2),
            Acr.VN_2,
            id="not what did not happen",
        ),
        pytest.param(("swk", "user", "mfa", "phr"), (Acr.VN_2,), Acr.VN_2, id="nobody asked for it"),
        pytest.param(
            ("swk", "user", "mfa", "phr"), (Acr.VN_2, PhishingResistance.PHR), Acr.VN_2, id="in their order"
        ),
        pytest.param(
            ("pwd", "otp", "mfa"), (PhishingResistance.PHR,), Acr.VN_2, id="a wish that was not met"
        ),
    ],
)
def test_eap_whoever_asks_for_resistance_is_told_of_it(
    amr: tuple[str, ...], wished: tuple[AcrValue, ...], told: AcrValue
) -> None:
    for asked in (granted_acr_claim((), wished), granted_acr_claim(wished)):
        assert told_acr(make_grant(acr=Acr.VN_2, amr=amr, claims=ClaimsRequest(id_token=asked))) is told
