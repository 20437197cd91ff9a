"""Proof key for code exchange. RFC 7636; abuse class 9."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.errors import InvalidGrantError, InvalidRequestError
from idp.protocol.pkce import check_code_challenge, verify_code_verifier

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "rfc7636_b.json").read_text())
CHALLENGE = VECTOR["code_challenge"]


def test_the_published_vector_is_verified() -> None:
    """RFC 7636 Appendix B."""
    check_code_challenge(CHALLENGE, VECTOR["code_challenge_method"])
    verify_code_verifier(VECTOR["code_verifier"], CHALLENGE)


@pytest.mark.parametrize(
    ("challenge", "method"),
    [
        pytest.param(None, None, id="RFC 9700 §2.1.1 no challenge"),
        pytest.param(None, "S256", id="RFC 9700 §2.1.1 a method without a challenge"),
        pytest.param(CHALLENGE, "plain", id="class 9 downgrade to plain"),
        pytest.param(CHALLENGE, None, id="RFC 7636 §4.3 no method means plain"),
        pytest.param(CHALLENGE, "s256", id="RFC 7636 §4.3 the method is case sensitive"),
        pytest.param(CHALLENGE, "S512", id="RFC 7636 §4.4.1 unknown method"),
        pytest.param(CHALLENGE[:-1], "S256", id="RFC 7636 §4.2 one character short"),
        pytest.param(CHALLENGE + "A", "S256", id="RFC 7636 §4.2 one character long"),
        pytest.param(CHALLENGE + "=", "S256", id="RFC 7636 Appendix A padding"),
        pytest.param(CHALLENGE + "\n", "S256", id="class 9 a line feed behind it"),
        pytest.param(CHALLENGE[:-1] + "+", "S256", id="RFC 7636 Appendix A base64 is not base64url"),
    ],
)
def test_a_weak_or_malformed_challenge_is_refused(challenge: str | None, method: str | None) -> None:
    with pytest.raises(InvalidRequestError):
        check_code_challenge(challenge, method)


@pytest.mark.parametrize(
    "verifier",
    [
        pytest.param(None, id="class 9 CVE-2023-48228 verifier omitted"),
        pytest.param("", id="class 9 empty verifier"),
        pytest.param("a" * 42, id="RFC 7636 §4.1 too short"),
        pytest.param("a" * 129, id="RFC 7636 §4.1 too long"),
        pytest.param("a" * 43, id="RFC 7636 §4.6 another verifier"),
        pytest.param(CHALLENGE, id="RFC 7636 §4.6 the challenge itself"),
        pytest.param(VECTOR["code_verifier"] + "\n", id="RFC 7636 §4.1 a line feed behind it"),
        pytest.param("ễ" * 43, id="RFC 7636 §4.1 not ASCII"),
    ],
)
def test_a_wrong_verifier_is_refused(verifier: str | None) -> None:
    with pytest.raises(InvalidGrantError):
        verify_code_verifier(verifier, CHALLENGE)


@given(st.text())
def test_no_other_text_verifies(verifier: str) -> None:
    with pytest.raises(InvalidGrantError):
        verify_code_verifier(verifier, CHALLENGE)
