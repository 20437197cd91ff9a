"""What a client is told about a request answered elsewhere. CIBA Core 1.0 §7.1, §11; RFC 8628 §3.5."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from idp.protocol.decoupled_request import (
    DecoupledRequest,
    DeniedByPersonError,
    Kind,
    State,
    UnansweredError,
    check_answered,
    lifetime_of,
    read_asked,
)
from idp.protocol.errors import (
    ExpiredTokenError,
    InvalidGrantError,
    InvalidRequestError,
    OAuthError,
    RequestURINotSupportedError,
)
from idp.protocol.model import AuthorizationRequest
from idp.protocol.parameters import Parameters
from tests.support.protocol_builders import NOW, POLICY, make_client, make_grant

MINUTE = timedelta(minutes=1)
GRANT = make_grant(link_id=None)


def make_request(**changes: Any) -> DecoupledRequest:
    request = DecoupledRequest(
        request_hash=b"h" * 32,
        kind=Kind.CIBA,
        asked=AuthorizationRequest("network", "", frozenset({"openid"}), None),
        interval=timedelta(seconds=5),
        created_at=NOW,
        expires_at=NOW + 5 * MINUTE,
        citizen_id="citizen-1",
    )
    return replace(request, **changes)


APPROVED = make_request(state=State.APPROVED, grant=GRANT)


def told(found: DecoupledRequest | None, later: timedelta = timedelta(0), **client: Any) -> type[OAuthError]:
    with pytest.raises(OAuthError) as refused:
        check_answered(found, Kind.CIBA, make_client(**client), NOW + later)
    return type(refused.value)


def test_what_was_agreed_to_is_returned_with_its_request() -> None:
    answered = check_answered(APPROVED, Kind.CIBA, make_client(), NOW)
    assert (answered.request, answered.grant) == (APPROVED, GRANT)


def test_whose_it_is_comes_before_everything_else() -> None:
    """Abuse class 7: no client learns how another's request stands."""
    for state in (make_request(), APPROVED, make_request(state=State.DENIED)):
        assert told(state, client_id="another") is InvalidGrantError
        assert told(replace(state, kind=Kind.DEVICE)) is InvalidGrantError
    assert told(None) is InvalidGrantError


def test_every_state_has_its_answer() -> None:
    assert told(make_request()) is UnansweredError
    assert told(make_request(), 5 * MINUTE) is ExpiredTokenError
    assert told(APPROVED, 5 * MINUTE) is ExpiredTokenError, "nobody fetched it in time"
    assert told(make_request(state=State.DENIED)) is DeniedByPersonError
    assert told(make_request(state=State.DENIED), 9 * MINUTE) is DeniedByPersonError
    assert told(replace(APPROVED, consumed_at=NOW)) is InvalidGrantError
    assert told(replace(APPROVED, consumed_at=NOW), 9 * MINUTE) is InvalidGrantError


def test_a_refusal_at_the_token_endpoint_has_status_400() -> None:
    """CIBA-14; RFC 6749 §5.2. At the backchannel endpoint it has 403 (CIBA Core §13)."""
    assert (DeniedByPersonError.error, DeniedByPersonError.status) == ("access_denied", 400)


@pytest.mark.parametrize(
    ("wish", "seconds"), [(None, 300), (1, 10), (10, 10), (120, 120), (600, 600), (10**8, 600)]
)
def test_a_wish_for_a_lifetime_is_met_within_bounds(wish: int | None, seconds: int) -> None:
    assert lifetime_of(wish) == timedelta(seconds=seconds)


def test_it_is_open_until_it_is_answered_or_over() -> None:
    assert make_request().is_open(NOW)
    assert not make_request().is_open(NOW + 5 * MINUTE)
    assert not APPROVED.is_open(NOW)


@pytest.mark.parametrize(
    ("name", "error"),
    [("authorization_details", InvalidRequestError), ("request_uri", RequestURINotSupportedError)],
)
def test_what_belongs_to_the_browser_is_refused(name: str, error: type[OAuthError]) -> None:
    """Abuse case P1."""
    with pytest.raises(error):
        read_asked(Parameters({"scope": "openid", name: "x"}), make_client(), POLICY)


def test_only_what_the_client_registered_is_asked_for() -> None:
    client = make_client(scope=frozenset({"openid"}))
    asked = read_asked(Parameters({"scope": "openid unheard-of"}), client, POLICY)
    assert (asked.scope, asked.redirect_uri, asked.code_challenge) == (frozenset({"openid"}), "", None)
