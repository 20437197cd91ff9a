"""JSON documents read strictly. RFC 8259; RFC 7493 §2.3; abuse class 25."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.strict_json import MAX_DEPTH, MAX_LENGTH, StrictJSONError, read_json

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param('{"a":1,"a":2}', "holds the same member name twice", id="RFC 7493 §2.3 duplicate"),
        pytest.param('[{"b":{"a":1,"\\u0061":1}}]', "holds the same member name twice", id="RFC 7493 nested"),
        pytest.param("", "is not valid JSON", id="RFC 8259 §2 empty"),
        pytest.param("{", "is not valid JSON", id="RFC 8259 §2 unfinished"),
        pytest.param("[1,]", "is not valid JSON", id="RFC 8259 §5 trailing comma"),
        pytest.param("[1] x", "is not valid JSON", id="RFC 8259 §2 something behind it"),
        pytest.param("NaN", "is not valid JSON", id="RFC 8259 §6 not a number"),
        pytest.param("[1e999]", "is not valid JSON", id="RFC 8259 §6 infinity"),
        pytest.param('"\\ud800"', "is not valid JSON", id="RFC 7493 §2.1 lone surrogate"),
        pytest.param("\ufeff{}", "is not valid JSON", id="RFC 8259 §8.1 byte order mark"),
        pytest.param("1" * 5000, "is not valid JSON", id="class 25 endless number"),
        pytest.param("[" * 5000 + "]" * 5000, "is not valid JSON", id="class 25 nested thousands deep"),
        pytest.param(
            "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), "is nested too deeply", id="class 25 nested"
        ),
        pytest.param('"' + "x" * MAX_LENGTH + '"', "is too long", id="class 25 too long"),
    ],
)
def test_a_document_that_readers_disagree_about_is_refused(text: str, reason: str) -> None:
    with pytest.raises(StrictJSONError, match=reason):
        read_json(text)


@given(st.dictionaries(st.text(), VALUES | st.lists(VALUES, max_size=4), max_size=6))
def test_what_is_written_is_read(document: object) -> None:
    assert read_json(orjson.dumps(document).decode()) == document


@given(st.text(alphabet='[]{}",:\\u0d81e.- \n', max_size=60) | st.text())
def test_any_text_is_read_or_refused_with_a_reason(text: str) -> None:
    reason = "read"
    try:
        read_json(text)
    except StrictJSONError as error:
        reason = str(error)
    assert reason
