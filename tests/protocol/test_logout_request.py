"""RP-Initiated Logout 1.0, rule by rule: what is believed, and where a browser may be sent."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.jose import parse_jwk_set
from idp.protocol.logout_request import (
    LogoutHint,
    LogoutRequest,
    UntrustedLogoutError,
    check_post_logout_redirect_uri,
    is_meant,
    read_logout_request,
    verify_logout_hint,
)
from idp.protocol.model import ClientStatus
from idp.protocol.parameters import Parameters, read_parameters
from idp.protocol.tokens import pairwise_sid
from tests.support.protocol_builders import ISSUER, JWKS, NOW, OTHER, POLICY, base64url, make_client, sign

KEYS = parse_jwk_set(JWKS)
AFTER = "https://network.example/signed-out"
CLIENT = make_client(post_logout_redirect_uris=(AFTER,))
HINT = LogoutHint("network", "subject-1", "sid-1")


def id_token(**changes: Any) -> dict[str, Any]:
    issued_at = int(NOW.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": "network",
        "sub": "subject-1",
        "sid": "sid-1",
        "iat": issued_at,
        "exp": issued_at + 600,
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def hint_of(token: str) -> LogoutHint:
    return verify_logout_hint(token, KEYS, POLICY)


def read(hint: LogoutHint | None = HINT, **parameters: str) -> LogoutRequest:
    return read_logout_request(Parameters(parameters), hint, CLIENT if hint else None)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
def test_an_id_token_of_ours_is_a_hint(algorithm: str) -> None:
    assert hint_of(sign(id_token(), algorithm)) == HINT


def test_end_07_an_expired_id_token_is_a_hint_all_the_same() -> None:
    long_ago = int((NOW - timedelta(days=400)).timestamp())
    assert hint_of(sign(id_token(iat=long_ago, exp=long_ago + 600))) == HINT


def test_an_id_token_without_sid_is_a_hint() -> None:
    assert hint_of(sign(id_token(sid=None))).sid is None


def unsigned(header: bytes) -> str:
    payload = sign(id_token()).split(".")[1]
    return f"{base64url(header)}.{payload}."


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(unsigned(b'{"alg":"none"}'), id="END-04 alg none"),
        pytest.param(unsigned(b'{"alg":"nOnE","typ":"JWT"}'), id="END-04 alg none in disguise"),
        pytest.param(sign(id_token())[:-4], id="END-04 a signature cut short"),
        pytest.param(sign(id_token(), headers={"kid": "unknown"}), id="END-04 an unknown key"),
        pytest.param(sign(id_token(), headers={"typ": "at+jwt"}), id="an access token"),
        pytest.param(sign(id_token(), headers={"typ": "logout+jwt"}), id="a logout token"),
        pytest.param(sign(id_token(iss="https://other.example")), id="another issuer"),
        pytest.param(sign(id_token(aud=["network"])), id="an audience that is a list"),
        pytest.param(sign(id_token(aud=None)), id="no audience"),
        pytest.param(sign(id_token(sub=7)), id="a subject that is no text"),
        pytest.param(sign(id_token(sid=7)), id="a sid that is no text"),
        pytest.param(sign(id_token(exp=None)), id="no end"),
        pytest.param("", id="nothing"),
        pytest.param("a.b", id="no token"),
    ],
)
def test_end_04_what_is_no_id_token_of_ours_is_no_hint(token: str) -> None:
    with pytest.raises(UntrustedLogoutError):
        hint_of(token)


def test_end_04_a_foreign_signature_is_no_hint() -> None:
    foreign = jwt.encode(id_token(), OTHER, "ES256", {"kid": "ec"})
    with pytest.raises(UntrustedLogoutError):
        hint_of(foreign)


def test_end_01_a_registered_address_with_a_hint_is_where_the_browser_goes() -> None:
    state = "x" * 128
    assert read(post_logout_redirect_uri=AFTER, state=state, ui_locales="en vi") == LogoutRequest(
        HINT, AFTER, state, ("en", "vi")
    )
    assert read(post_logout_redirect_uri=AFTER, client_id="network").state is None


@pytest.mark.parametrize(
    "uri",
    [
        f"{AFTER}?a=b",
        f"{AFTER}/",
        f"{AFTER}#",
        AFTER.upper(),
        "https://network.example/",
        "https://network.example/callback",
        "https://network.example/signed-out/../elsewhere",
        "https://network.example%2fsigned-out",
        "https://network.example@evil.example/signed-out",
        "https://evil.example/https://network.example/signed-out",
        "//network.example/signed-out",
        "\t//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        " " + AFTER,
        AFTER + " ",
        AFTER + "\r\nX: y",
    ],
)
def test_end_03_an_address_that_is_not_registered_byte_for_byte_is_refused(uri: str) -> None:
    """CVE-2024-39694: there is no reading of an address here, only comparing."""
    with pytest.raises(UntrustedLogoutError, match="not registered"):
        check_post_logout_redirect_uri(uri, CLIENT)
    with pytest.raises(UntrustedLogoutError):
        read(post_logout_redirect_uri=uri)


def test_end_05_an_address_without_a_hint_is_ignored() -> None:
    asked = read(None, post_logout_redirect_uri=AFTER, client_id="network", state="s", logout_hint="lan")
    assert asked == LogoutRequest(ui_locales=("",))


def test_end_06_nothing_at_all_and_a_state_alone_are_wishes_too() -> None:
    assert read(None) == read(None, state="s") == LogoutRequest(ui_locales=("",))
    assert read(state="s").state is None


def test_a_hint_of_another_client_than_client_id_is_refused() -> None:
    with pytest.raises(UntrustedLogoutError, match="another client"):
        read(client_id="somebody-else")


def test_a_hint_of_a_client_that_is_gone_is_refused() -> None:
    with pytest.raises(UntrustedLogoutError, match="not registered"):
        read_logout_request(Parameters({}), HINT, None)
    with pytest.raises(UntrustedLogoutError, match="not registered"):
        read_logout_request(Parameters({}), HINT, make_client(client_id="another"))


def test_a_suspended_client_gets_no_browser() -> None:
    suspended = replace(CLIENT, status=ClientStatus.SUSPENDED)
    with pytest.raises(UntrustedLogoutError, match="suspended"):
        read_logout_request(Parameters({"post_logout_redirect_uri": AFTER}), HINT, suspended)
    assert read_logout_request(Parameters({}), HINT, suspended).hint == HINT


@pytest.mark.parametrize("state", ["a\nb", "ü", "\x7f", "x" * 2049])
def test_a_state_that_could_break_something_is_refused(state: str) -> None:
    with pytest.raises(UntrustedLogoutError, match="state"):
        read(post_logout_redirect_uri=AFTER, state=state)


def test_a_repeated_parameter_is_refused() -> None:
    for query in (b"state=a&state=b", b"id_token_hint=a&id_token_hint=b", b"x=1&x=2"):
        with pytest.raises(UntrustedLogoutError, match="repeated"):
            read_logout_request(read_parameters(query), None, None)


def test_a_session_is_meant_when_person_client_and_session_are() -> None:
    hint = LogoutHint("network", "subject-1", pairwise_sid("session-1", CLIENT.sector))
    assert is_meant(hint, CLIENT, subject="subject-1", session_id="session-1")
    assert is_meant(replace(hint, sid=None), CLIENT, subject="subject-1", session_id="session-2")
    assert not is_meant(hint, CLIENT, subject="subject-2", session_id="session-1")
    assert not is_meant(hint, CLIENT, subject="subject-1", session_id="session-2")
    assert not is_meant(hint, make_client(client_id="b"), subject="subject-1", session_id="session-1")


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_whatever_is_sent_no_address_but_a_registered_one_comes_out(
    uri: str, state: str, client_id: str
) -> None:
    parameters = Parameters({"post_logout_redirect_uri": uri, "state": state, "client_id": client_id})
    for hint in (HINT, None):
        try:
            asked = read_logout_request(parameters, hint, CLIENT)
        except UntrustedLogoutError:
            continue
        assert asked.post_logout_redirect_uri in {AFTER, None}


@given(st.text(max_size=300))
def test_any_text_is_a_hint_or_refused(token: str) -> None:
    with pytest.raises(UntrustedLogoutError):
        hint_of(token)
