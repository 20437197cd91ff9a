"""Strict reading of parameters. RFC 6749 §3.1, Appendix B; abuse classes 4 and 25."""

import re
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.errors import InvalidRequestError, ProtocolError
from idp.protocol.parameters import (
    MAX_BYTES,
    MAX_DOCUMENT_LENGTH,
    MAX_PARAMETERS,
    MAX_VALUE_LENGTH,
    check_not_repeated,
    printable,
    read_parameters,
)

ERROR_DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]*")


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        pytest.param(b"a=1&b=2", {"a": "1", "b": "2"}, id="RFC 6749 Appendix B pairs"),
        pytest.param(b"", {}, id="nothing sent"),
        pytest.param(b"a=&b&c=3", {"c": "3"}, id="RFC 6749 §3.1 without a value means omitted"),
        pytest.param(b"a=+%26%25%2B%C2%A3%E2%82%AC", {"a": " &%+£€"}, id="RFC 6749 Appendix B example"),
        pytest.param(b"a=1;b=2", {"a": "1;b=2"}, id="a semicolon separates nothing"),
        pytest.param(b"a=b=c", {"a": "b=c"}, id="only the first equals sign separates"),
        pytest.param(b"%61=1", {"a": "1"}, id="names are decoded too"),
        pytest.param("a=ễ".encode(), {"a": "ễ"}, id="raw UTF-8 is read as it is"),
        pytest.param(b"A=1&a=2", {"A": "1", "a": "2"}, id="names are case sensitive"),
        pytest.param(b"&&a=1&&", {"a": "1"}, id="empty pairs are nothing"),
    ],
)
def test_parameters_are_read(encoded: bytes, expected: dict[str, str]) -> None:
    parameters = read_parameters(encoded)
    check_not_repeated(parameters)
    assert dict(parameters) == expected


@pytest.mark.parametrize(
    ("encoded", "description"),
    [
        pytest.param(b"a=%FF", "the parameters are not UTF-8", id="RFC 6749 Appendix B not UTF-8, encoded"),
        pytest.param(b"a=\xff", "the parameters are not UTF-8", id="RFC 6749 Appendix B not UTF-8, raw"),
        pytest.param(b"%ED%A0%80=1", "the parameters are not UTF-8", id="a lone surrogate in a name"),
        pytest.param(b"state=a%00b", "the request holds a NUL character", id="class 25 encoded NUL"),
        pytest.param(b"state=a\0b", "the request holds a NUL character", id="class 25 raw NUL"),
        pytest.param(b"a=" + b"x" * MAX_BYTES, "the request is too large", id="class 25 whole request"),
        pytest.param(
            b"&".join(b"p%d=1" % n for n in range(MAX_PARAMETERS + 1)),
            "the request has too many parameters",
            id="class 25 number of parameters",
        ),
        pytest.param(
            b"state=" + b"x" * (MAX_VALUE_LENGTH + 1), "parameter state is too long", id="class 25 one value"
        ),
        pytest.param(
            b"claims=" + b"x" * (MAX_DOCUMENT_LENGTH + 1),
            "parameter claims is too long",
            id="class 25 one document",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(encoded: bytes, description: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        read_parameters(encoded)
    assert refusal.value.description == description


@pytest.mark.parametrize("name", ["request", "claims", "authorization_details", "client_assertion"])
def test_documents_may_be_longer(name: str) -> None:
    encoded = f"{name}={'x' * MAX_DOCUMENT_LENGTH}".encode()
    assert len(read_parameters(encoded)[name]) == MAX_DOCUMENT_LENGTH


@pytest.mark.parametrize(
    ("encoded", "description"),
    [
        pytest.param(b"a=1&a=2", "parameter a is repeated", id="RFC 6749 §3.1 repeated parameter"),
        pytest.param(b"a=1&a=1", "parameter a is repeated", id="RFC 6749 §3.1 repeated with the same value"),
        pytest.param(b"a=1&a=", "parameter a is repeated", id="RFC 6749 §3.1 repeated without a value"),
        pytest.param(b"a=1&%61=2", "parameter a is repeated", id="RFC 6749 §3.1 repeated in another writing"),
        pytest.param(b"%22%0d=1&%22%0d=2", "parameter ?? is repeated", id="RFC 6749 §4.1.2.1 hostile name"),
    ],
)
def test_a_repeated_parameter_is_refused_by_name(encoded: bytes, description: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        check_not_repeated(read_parameters(encoded))
    assert refusal.value.description == description


def test_a_repeated_parameter_has_no_value() -> None:
    parameters = read_parameters(b"client_id=a&client_id=b&state=s")
    assert parameters.repeated == {"client_id"}
    assert parameters.get("client_id") is None
    assert dict(parameters) == {"state": "s"}


def test_resource_may_repeat() -> None:
    check_not_repeated(read_parameters(b"resource=https://a.example&resource=https://b.example"))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(encoded: bytes) -> None:
    description = ""
    try:
        check_not_repeated(read_parameters(encoded))
    except ProtocolError as error:
        description = error.description
    assert ERROR_DESCRIPTION.fullmatch(description)


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=20))
def test_what_is_encoded_is_read_back(sent: dict[str, str]) -> None:
    without_nul = {n: v for n, v in sent.items() if "\0" not in n + v}
    assert dict(read_parameters(urlencode(without_nul).encode())) == without_nul


@given(st.text())
def test_anything_becomes_printable(text: str) -> None:
    assert ERROR_DESCRIPTION.fullmatch(printable(text))
