"""Authorization details of type account_link. RFC 9396; abuse classes P1, P2, P11."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.account_links import AccountLink, AccountLinkRequest, Status
from idp.identity.assurance import Acr, Proofing
from idp.protocol.account_link_details import enriched, read_account_link
from idp.protocol.errors import InvalidAuthorizationDetailsError, ProtocolError

HOSTS = frozenset({"network.example", "localhost"})
FULL = {
    "type": "account_link",
    "account_id": "8c1f",
    "handle": "@lan",
    "profile_uri": "https://network.example/@lan",
    "purpose": "livestream_commerce",
}


def read(**members: object) -> AccountLinkRequest:
    """Read one object of our type; a member that is an ellipsis is left out."""
    details = {"type": "account_link", "account_id": "8c1f"} | members
    return read_account_link(json.dumps([{n: v for n, v in details.items() if v is not ...}]), HOSTS)


def test_every_member_is_read() -> None:
    assert read_account_link(json.dumps([FULL]), HOSTS) == AccountLinkRequest(
        account_id="8c1f",
        handle="@lan",
        profile_uri="https://network.example/@lan",
        purpose="livestream_commerce",
    )


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({}, id="RFC 9396 §2 the required members alone"),
        pytest.param({"account_id": "a" * 255}, id="the longest account_id"),
        pytest.param({"account_id": "người/1?x=<2>"}, id="account_id is opaque"),
        pytest.param({"handle": "ễ" * 64}, id="the longest handle, in characters"),
        pytest.param({"handle": "<b>lan</b>"}, id="P11 markup is plain text"),
        pytest.param({"profile_uri": "http://localhost:8100/u/1"}, id="RFC 8252 §8.3 loopback profile"),
        pytest.param({"purpose": "a" * 40}, id="the longest purpose"),
    ],
)
def test_an_honest_request_is_read(members: dict[str, object]) -> None:
    assert isinstance(read(**members), AccountLinkRequest)


@pytest.mark.parametrize(
    ("members", "description"),
    [
        pytest.param(
            {"type": "payment_initiation"},
            "the only type of authorization_details is account_link",
            id="RFC 9396 §5 unknown type",
        ),
        pytest.param(
            {"type": ...}, "the only type of authorization_details is account_link", id="RFC 9396 §2 no type"
        ),
        pytest.param(
            {"type": ["account_link"]},
            "the only type of authorization_details is account_link",
            id="RFC 9396 §2 type of a wrong type",
        ),
        pytest.param(
            {"acount_id": "1"},
            "account_link has no member acount_id; "
            "its members are account_id, handle, profile_uri, purpose, type",
            id="RFC 9396 §5 unknown member",
        ),
        pytest.param(
            {'"\r\n': 1},
            "account_link has no member ???; its members are account_id, handle, profile_uri, purpose, type",
            id="RFC 6749 §4.1.2.1 hostile member name",
        ),
        pytest.param({"account_id": ...}, "account_id is required", id="P2 no account_id"),
        pytest.param({"account_id": None}, "account_id must be a string", id="RFC 9396 §5 null"),
        pytest.param({"account_id": 17}, "account_id must be a string", id="RFC 9396 §5 wrong type"),
        pytest.param(
            {"account_id": ""},
            "account_id must be 1 to 255 characters, all visible",
            id="P2 empty account_id",
        ),
        pytest.param(
            {"account_id": " \t"},
            "account_id must be 1 to 255 characters, all visible",
            id="P2 blank account_id",
        ),
        pytest.param(
            {"account_id": "a\u200b"},
            "account_id must be 1 to 255 characters, all visible",
            id="P2 account_id that looks like another",
        ),
        pytest.param(
            {"account_id": "a" * 256},
            "account_id must be 1 to 255 characters, all visible",
            id="P2 account_id too long",
        ),
        pytest.param(
            {"handle": "@lan\u202e"}, "handle must be 1 to 64 characters, all visible", id="P11 bidi control"
        ),
        pytest.param(
            {"handle": "a" * 65}, "handle must be 1 to 64 characters, all visible", id="P11 handle too long"
        ),
        pytest.param({"handle": ["@lan"]}, "handle must be a string", id="P11 handle of a wrong type"),
        pytest.param(
            {"profile_uri": "javascript:alert(1)"},
            "profile_uri: it must begin with https:// (or http:// for a loopback host), in lower case",
            id="P11 script",
        ),
        pytest.param(
            {"profile_uri": "https://evil.example/@lan"},
            "profile_uri has a host that the client did not register",
            id="P11 another host",
        ),
        pytest.param(
            {"profile_uri": "https://a.network.example/"},
            "profile_uri has a host that the client did not register",
            id="P11 a name below the host",
        ),
        pytest.param(
            {"profile_uri": "https://network.example@evil.example/"},
            "profile_uri: it must not have user information",
            id="P11 user information",
        ),
        pytest.param(
            {"profile_uri": "http://network.example/@lan"},
            "profile_uri: http is only for localhost, 127.0.0.1 and [::1]",
            id="P11 plain http",
        ),
        pytest.param(
            {"profile_uri": "https://network.example/" + "a" * 480},
            "profile_uri is longer than 500 characters",
            id="P11 profile_uri too long",
        ),
        pytest.param({"profile_uri": {}}, "profile_uri must be a string", id="P11 of a wrong type"),
        pytest.param(
            {"purpose": "Chào bạn"},
            "purpose must be 1 to 40 lower-case letters or underscores",
            id="P11 purpose is a token",
        ),
        pytest.param(
            {"purpose": "post\n"},
            "purpose must be 1 to 40 lower-case letters or underscores",
            id="P11 purpose with a line feed",
        ),
    ],
)
def test_a_wrong_member_is_refused_with_its_reason(members: dict[str, object], description: str) -> None:
    with pytest.raises(InvalidAuthorizationDetailsError) as refusal:
        read(**members)
    assert refusal.value.description == description


@pytest.mark.parametrize(
    ("document", "description"),
    [
        pytest.param("[{]", "authorization_details is not valid JSON", id="RFC 9396 §2 no JSON"),
        pytest.param("{}", "authorization_details must be an array of objects", id="RFC 9396 §2 no array"),
        pytest.param("[1]", "authorization_details must be an array of objects", id="RFC 9396 §2 no object"),
        pytest.param("[]", "authorization_details must hold exactly one account_link", id="RFC 9396 §2 none"),
        pytest.param(
            json.dumps([FULL, FULL]), "authorization_details must hold exactly one account_link", id="P1 two"
        ),
        pytest.param(
            '[{"type":"account_link","account_id":"a","account_id":"b"}]',
            "authorization_details holds the same member name twice",
            id="P2 account_id twice",
        ),
    ],
)
def test_a_wrong_document_is_refused_with_its_reason(document: str, description: str) -> None:
    with pytest.raises(InvalidAuthorizationDetailsError) as refusal:
        read_account_link(document, HOSTS)
    assert refusal.value.description == description


def test_the_token_response_adds_the_link_id() -> None:
    """RFC 9396 §7.1."""
    link = AccountLink(
        link_id="lnk_1",
        client_id="network",
        account_id="8c1f",
        citizen_id="citizen",
        subject="sub",
        status=Status.ACTIVE,
        proofing=Proofing.VN2,
        acr=Acr.VN_2,
        requested_at=datetime(2026, 11, 1, tzinfo=UTC),
        handle="@lan",
    )
    assert enriched(link) == [
        {"type": "account_link", "link_id": "lnk_1", "account_id": "8c1f", "handle": "@lan"}
    ]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(FULL)) | st.text(), inner),
    max_leaves=10,
)


@given(
    st.text()
    | JSON_VALUES.map(json.dumps)
    | st.fixed_dictionaries(
        {"type": st.just("account_link"), "account_id": st.text()},
        optional={"handle": JSON_VALUES, "profile_uri": st.text(), "purpose": JSON_VALUES},
    ).map(lambda details: json.dumps([details]))
)
def test_any_document_is_read_or_refused(document: str) -> None:
    description = ""
    try:
        read_account_link(document, HOSTS)
    except ProtocolError as error:
        description = error.description
    assert description.isascii()
    assert '"' not in description
