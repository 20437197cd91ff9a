"""The authorization response. RFC 6749 §4.1.2; RFC 9207; abuse classes 1, 26, 29."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.authorization_response import (
    error_parameters,
    redirect_location,
    signed_response_algorithm,
    signed_response_claims,
    success_parameters,
)
from idp.protocol.errors import AccessDeniedError, InvalidRequestError
from idp.protocol.parameters import Parameters
from idp.protocol.profiles import Profile
from idp.protocol.response_modes import (
    RESPONSE_MODES,
    check_response_mode,
    error_response_mode,
    is_form_post,
    is_signed,
    is_signed_response_required,
)
from tests.support.protocol_builders import NOW, make_client

ISSUER = "https://id.example"
SIGNED_ONLY = make_client(profile=Profile.FAPI2_MESSAGE_SIGNING, authorization_signed_response_alg="PS256")


def test_a_success_holds_code_state_and_iss() -> None:
    """RFC 9207 §2; AUTHZ-06."""
    assert success_parameters("c0de", "s", ISSUER) == {"code": "c0de", "state": "s", "iss": ISSUER}
    assert success_parameters("c0de", None, ISSUER) == {"code": "c0de", "iss": ISSUER}


def test_an_error_holds_iss_too() -> None:
    """RFC 9207 §2; AUTHZ-29; class 29."""
    denied = AccessDeniedError("the person refused", detail="never sent")
    assert error_parameters(denied, "s", ISSUER) == {
        "error": "access_denied",
        "error_description": "the person refused",
        "state": "s",
        "iss": ISSUER,
    }
    assert "state" not in error_parameters(denied, None, ISSUER)


@pytest.mark.parametrize(
    ("response_mode", "expected"),
    [
        pytest.param({}, "query", id="the default of response_type code"),
        pytest.param({"response_mode": "form_post"}, "form_post", id="AUTHZ-28 errors too"),
        pytest.param({"response_mode": "fragment"}, "query", id="RFC 9700 §4.3 never into a fragment"),
    ],
)
def test_an_error_goes_back_as_asked_where_possible(response_mode: dict[str, str], expected: str) -> None:
    assert error_response_mode(Parameters(response_mode), make_client()) == expected
    assert error_response_mode(Parameters(response_mode), SIGNED_ONLY) == f"{expected}.jwt"


@pytest.mark.parametrize("mode", ["fragment", "fragment.jwt", "web_message", "QUERY"])
def test_a_mode_that_is_not_offered_is_refused(mode: str) -> None:
    """RFC 9700 §4.3."""
    with pytest.raises(InvalidRequestError):
        check_response_mode(Parameters({"response_mode": mode}), make_client())


@pytest.mark.parametrize("mode", RESPONSE_MODES)
def test_who_takes_signed_responses_alone_asks_for_nothing_else(mode: str) -> None:
    check_response_mode(Parameters({"response_mode": mode}), make_client())
    if is_signed(mode):
        check_response_mode(Parameters({"response_mode": mode}), SIGNED_ONLY)
        return
    for parameters in (Parameters({"response_mode": mode}), Parameters({})):
        with pytest.raises(InvalidRequestError):
            check_response_mode(parameters, SIGNED_ONLY)


@pytest.mark.parametrize(
    ("redirect_uri", "location"),
    [
        pytest.param("https://a.example/cb", "https://a.example/cb?code=c%20d", id="RFC 6749 §4.1.2"),
        pytest.param("https://a.example", "https://a.example?code=c%20d", id="RFC 3986 §3.3 no path"),
        pytest.param("https://a.example/cb?x=%41", "https://a.example/cb?x=%41&code=c%20d", id="§3.1.2 kept"),
        pytest.param("https://a.example/cb?", "https://a.example/cb?code=c%20d", id="empty query"),
        pytest.param("https://a.example/cb?x=1&", "https://a.example/cb?x=1&code=c%20d", id="open query"),
        pytest.param("http://[::1]:1/cb", "http://[::1]:1/cb?code=c%20d", id="RFC 8252 §7.3 IPv6 loopback"),
        pytest.param("example.app:/cb", "example.app:/cb?code=c%20d", id="RFC 8252 §7.1 private-use scheme"),
        pytest.param(
            "https://a.example/\r\nX: y", "https://a.example/%0D%0AX:%20y?code=c%20d", id="class 26"
        ),
    ],
)
def test_the_registered_query_is_retained(redirect_uri: str, location: str) -> None:
    assert redirect_location(redirect_uri, {"code": "c d"}) == location


@given(st.text(min_size=1))
def test_any_state_returns_byte_for_byte_and_breaks_nothing(state: str) -> None:
    """AUTHZ-02; class 26."""
    location = redirect_location("https://a.example/cb?x=1", success_parameters("c", state, ISSUER))
    assert location.isascii()
    assert location.isprintable()
    assert " " not in location
    assert parse_qs(urlsplit(location).query) == {
        "x": ["1"],
        "code": ["c"],
        "state": [state],
        "iss": [ISSUER],
    }


def test_jarm_2_1_a_signed_response_names_its_issuer_its_reader_and_its_end() -> None:
    """AUTHZ-37: 10 seconds to 10 minutes ahead."""
    claims = signed_response_claims(success_parameters("c", "s", ISSUER), make_client(), ISSUER, NOW)
    assert claims == {
        "code": "c",
        "state": "s",
        "iss": ISSUER,
        "aud": "network",
        "exp": int(NOW.timestamp()) + 60,
    }


def test_no_parameter_replaces_what_a_signed_response_says_of_itself() -> None:
    claims = signed_response_claims({"aud": "x", "exp": "1", "iss": "y"}, make_client(), ISSUER, NOW)
    assert (claims["iss"], claims["aud"], claims["exp"]) == (ISSUER, "network", int(NOW.timestamp()) + 60)


@pytest.mark.parametrize(
    ("mode", "traits"),
    [
        ("query", (False, False)),
        ("form_post", (False, True)),
        ("jwt", (True, False)),
        ("query.jwt", (True, False)),
        ("form_post.jwt", (True, True)),
    ],
)
def test_jarm_2_3_the_modes(mode: str, traits: tuple[bool, bool]) -> None:
    assert (is_signed(mode), is_form_post(mode)) == traits


def test_jarm_3_the_algorithm_is_the_registered_one_or_that_of_id_tokens() -> None:
    assert signed_response_algorithm(make_client(id_token_signed_response_alg="PS256")) == "PS256"
    client = make_client(authorization_signed_response_alg="EdDSA", id_token_signed_response_alg="PS256")
    assert signed_response_algorithm(client) == "EdDSA"


def test_signed_responses_are_the_only_ones_where_message_signing_registers_them() -> None:
    assert is_signed_response_required(SIGNED_ONLY)
    assert not is_signed_response_required(make_client(authorization_signed_response_alg="PS256"))
    assert not is_signed_response_required(make_client(profile=Profile.FAPI2_MESSAGE_SIGNING))
