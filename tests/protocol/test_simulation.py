"""What a client in its sandbox may simulate: registered codes of the endpoint, in bounds, said strictly."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.errors import InvalidRequestError, OAuthError
from idp.protocol.simulation import (
    ERRORS,
    MAX_DELAY_SECONDS,
    MAX_TIMES,
    SimulatedEndpoint,
    Simulation,
    make_simulation,
    read_simulation,
    simulation_members,
)

SIMULATIONS = st.sampled_from(list(SimulatedEndpoint)).flatmap(
    lambda endpoint: st.builds(
        Simulation,
        st.just(endpoint),
        st.sampled_from(sorted(ERRORS[endpoint])),
        st.integers(0, MAX_DELAY_SECONDS),
        st.integers(1, MAX_TIMES),
    )
)


@given(SIMULATIONS)
def test_what_is_kept_is_what_was_sent(simulation: Simulation) -> None:
    members = simulation_members(simulation)
    assert read_simulation(orjson.dumps(members)) == make_simulation(members) == simulation


@given(SIMULATIONS)
def test_the_error_that_is_raised_has_the_code_that_was_asked_for(simulation: Simulation) -> None:
    error = simulation.to_raise()
    assert isinstance(error, OAuthError)
    assert error.error == simulation.error
    assert "simulated" in error.description


def test_an_answer_may_be_late_and_nothing_else() -> None:
    late = read_simulation(b'{"endpoint": "token", "delay_seconds": 10}')
    assert (late.to_raise(), late.delay_seconds, late.times) == (None, 10, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"token"',
        b"\xff",
        b"{}",
        b'{"endpoint": "token"}',
        b'{"endpoint": "token", "endpoint": "par", "error": "server_error"}',
        b'{"endpoint": "jwks", "error": "server_error"}',
        b'{"endpoint": ["token"], "error": "server_error"}',
        b'{"endpoint": "token", "error": "login_required"}',
        b'{"endpoint": "authorize", "error": "invalid_grant"}',
        b'{"endpoint": "token", "error": "my_own_code"}',
        b'{"endpoint": "token", "error": 7}',
        b'{"endpoint": "token", "error": "server_error", "status": 200}',
        b'{"endpoint": "token", "delay_seconds": 11}',
        b'{"endpoint": "token", "delay_seconds": -1}',
        b'{"endpoint": "token", "delay_seconds": 1.5}',
        b'{"endpoint": "token", "delay_seconds": true}',
        b'{"endpoint": "token", "error": "server_error", "times": 0}',
        b'{"endpoint": "token", "error": "server_error", "times": 101}',
        b'{"endpoint": "token", "error": "server_error", "times": null}',
    ],
)
def test_everything_else_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        read_simulation(body)
