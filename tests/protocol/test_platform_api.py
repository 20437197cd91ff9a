"""The rules of the platform API that need no server: problems, keys, bodies, pages, tags."""

import contextlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.account_link_requests import read_due_at, read_suspicion
from idp.protocol.account_link_resource import check_precondition, entity_tag
from idp.protocol.errors import InvalidRequestError
from idp.protocol.idempotency import check_same_request, key_hash, read_idempotency_key, request_hash
from idp.protocol.platform_api import openapi_document
from idp.protocol.problems import (
    OAUTH_PROBLEMS,
    PROBLEMS,
    Problem,
    ProblemError,
    find_problem_type,
)
from idp.protocol.result_pages import position_content, read_position

ISSUER = "https://id.example"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def test_every_problem_has_a_status_and_a_remedy() -> None:
    """RFC 9457 §3.1."""
    assert set(PROBLEMS) == set(Problem)
    for name in (*Problem, *OAUTH_PROBLEMS):
        found = find_problem_type(name)
        assert found is not None
        assert 400 <= found.status < 600
        assert found.remedy.endswith(".")
    assert find_problem_type("nothing") is None
    document = ProblemError(Problem.STATE_CONFLICT, "the link is ended", link_status="ended").as_document(
        ISSUER
    )
    assert document == {
        "type": "https://id.example/problems/state_conflict",
        "title": "Not possible in this state of the link",
        "status": 409,
        "detail": "the link is ended",
        "link_status": "ended",
    }


def test_the_description_names_every_problem_it_may_answer_with() -> None:
    told = str(openapi_document(ISSUER)["paths"])
    unnamed = {Problem.NO_SUCH_ADDRESS, Problem.METHOD_NOT_ALLOWED}
    assert [name for name in set(Problem) - unnamed if name not in told] == []


@pytest.mark.parametrize(
    ("sent", "key"),
    [('"a"', "a"), (' "a b" ', "a b"), (r'"a\"b\\"', r"a\"b\\"), ('"' + "x" * 255 + '"', "x" * 255)],
)
def test_an_idempotency_key_is_a_string_of_structured_fields(sent: str, key: str) -> None:
    """RFC 9651 §3.3.3."""
    assert read_idempotency_key(sent) == key


@given(st.text(max_size=300))
def test_any_key_is_read_or_refused(sent: str) -> None:
    with contextlib.suppress(ProblemError):
        assert f'"{read_idempotency_key(sent)}"' == sent.strip()


def test_a_key_belongs_to_a_client_and_a_request() -> None:
    assert key_hash("a", "bc") != key_hash("ab", "c")
    assert request_hash("POST", "/a", b"b") != request_hash("POST", "/a/b", b"")
    check_same_request(request_hash("POST", "/a", b""), request_hash("POST", "/a", b""))
    with pytest.raises(ProblemError) as refused:
        check_same_request(request_hash("POST", "/a", b"1"), request_hash("POST", "/a", b"2"))
    assert refused.value.problem is Problem.IDEMPOTENCY_KEY_REUSED


@given(st.integers(0, 2**63 - 1))
def test_a_position_is_found_again_and_shows_no_size(position: int) -> None:
    content = position_content(position)
    assert (len(content), read_position(content)) == (8, position)


def test_a_date_gives_people_time() -> None:
    assert read_due_at(b"", NOW) == NOW + timedelta(days=30)
    for days, is_taken in ((6, False), (7, True), (365, True), (366, False)):
        body = b'{"due_at": %d}' % int((NOW + timedelta(days=days)).timestamp())
        if is_taken:
            assert read_due_at(body, NOW) == NOW + timedelta(days=days)
        else:
            with pytest.raises(InvalidRequestError, match="7 to 365 days"):
                read_due_at(body, NOW)


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    for read in (read_suspicion, lambda sent: read_due_at(sent, NOW)):
        with contextlib.suppress(InvalidRequestError):
            assert read(body) is not None


def test_an_entity_tag_is_compared_strongly() -> None:
    """RFC 9110 §13.1.1, §8.8.3.2."""
    present = entity_tag(b"{}")
    for sent in (None, "*", present, f'"x", {present}', f'{present} , W/"y"'):
        check_precondition(sent, present)
    for sent in ("", '"x"', f"W/{present}", present.strip('"')):
        with pytest.raises(ProblemError):
            check_precondition(sent, present)


def test_the_page_for_platforms_lists_every_problem() -> None:
    page = (Path(__file__).resolve().parents[2] / "clients" / "ACCOUNT_LINKS.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \| (\d+) \| (.*) \|$", page, re.MULTILINE)
    kinds = {**{problem.value: kind for problem, kind in PROBLEMS.items()}, **OAUTH_PROBLEMS}
    assert listed == [(name, str(kind.status), kind.remedy) for name, kind in kinds.items()]
