"""Web addresses read strictly. RFC 3986; WHATWG URL Standard; abuse classes 1 and P11."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.web_uris import WebURI, WebURIError, read_web_uri


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        pytest.param(
            "https://network.example/@lan?tab=about",
            WebURI("https", "network.example", None, "/@lan", "tab=about"),
            id="RFC 3986 §3 its parts",
        ),
        pytest.param(
            "http://localhost:8100/u/1",
            WebURI("http", "localhost", 8100, "/u/1", ""),
            id="RFC 8252 §8.3 loopback",
        ),
        pytest.param(
            "http://[::1]:8100", WebURI("http", "[::1]", 8100, "", ""), id="RFC 3986 §3.2.2 IP literal"
        ),
    ],
)
def test_an_address_is_read_into_its_parts(uri: str, expected: WebURI) -> None:
    assert read_web_uri(uri) == expected


@given(st.text() | st.from_regex(r"https?://[^/]*/.*", fullmatch=True))
def test_any_text_is_read_or_refused_with_a_reason(uri: str) -> None:
    reason = "read"
    try:
        read_web_uri(uri)
    except WebURIError as error:
        reason = str(error)
    assert reason
