"""The claims parameter. OpenID Connect Core §5.5. Verified claims in it: test_verified_claims_request."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.claims_parameter import read_claims
from idp.protocol.errors import InvalidRequestError, ProtocolError
from idp.protocol.model import ClaimsRequest, RequestedClaim, VerifiedClaimsRequest
from idp.protocol.requested_claim import MAX_MEMBERS

ASKED = {"verification": {"trust_framework": None}, "claims": {"age_over_16": None}}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param({}, ClaimsRequest(), id="Core §5.5 nothing asked"),
        pytest.param({"extra": 1}, ClaimsRequest(), id="Core §5.5 unknown members are ignored"),
        pytest.param(
            {"userinfo": {"name": None}, "id_token": {"auth_time": {"essential": True}}},
            ClaimsRequest(
                id_token={"auth_time": RequestedClaim(essential=True)}, userinfo={"name": RequestedClaim()}
            ),
            id="Core §5.5.1 null and essential",
        ),
        pytest.param(
            {"id_token": {"acr": {"values": ["a", "b"], "value": "c", "new": []}}},
            ClaimsRequest(id_token={"acr": RequestedClaim(value="c", values=("a", "b"))}),
            id="Core §5.5.1 value and values",
        ),
        pytest.param(
            {"userinfo": {"http://x.example/♥#vi": {}}},
            ClaimsRequest(userinfo={"http://x.example/♥#vi": RequestedClaim()}),
            id="IDA-03 unknown claims are kept",
        ),
        pytest.param(
            {"id_token": {"verified_claims": ASKED}},
            ClaimsRequest(
                verified_in_id_token=(VerifiedClaimsRequest(claims={"age_over_16": RequestedClaim()}),)
            ),
            id="Identity Assurance §5.3 in the ID token",
        ),
        pytest.param(
            {"userinfo": {"verified_claims": [ASKED], "name": None}},
            ClaimsRequest(
                userinfo={"name": RequestedClaim()},
                verified_in_userinfo=(VerifiedClaimsRequest(claims={"age_over_16": RequestedClaim()}),),
            ),
            id="Identity Assurance §5.6 an array",
        ),
    ],
)
def test_requested_claims_are_read(document: object, expected: ClaimsRequest) -> None:
    assert read_claims(json.dumps(document)) == expected


@pytest.mark.parametrize(
    ("document", "description"),
    [
        pytest.param("{", "claims is not valid JSON", id="Core §5.5 no JSON"),
        pytest.param("[]", "claims must be a JSON object", id="Core §5.5 no object"),
        pytest.param('{"userinfo":null}', "claims.userinfo must be a JSON object", id="Core §5.5 null"),
        pytest.param('{"id_token":[]}', "claims.id_token must be a JSON object", id="Core §5.5 array"),
        pytest.param(
            '{"userinfo":{"name":true}}',
            "the request for claim name must be a JSON object",
            id="Core §5.5.1 neither null nor object",
        ),
        pytest.param(
            '{"userinfo":{"name":{"essential":"yes"}}}',
            "the request for claim name: essential must be true or false",
            id="Core §5.5.1 essential of a wrong type",
        ),
        pytest.param(
            '{"userinfo":{"name":{"values":"x"}}}',
            "the request for claim name: values must be an array that is not empty",
            id="Core §5.5.1 values of a wrong type",
        ),
        pytest.param(
            '{"userinfo":{"name":{"values":[]}}}',
            "the request for claim name: values must be an array that is not empty",
            id="Core §5.5.1 no values",
        ),
        pytest.param(
            '{"userinfo":{"\\"\\r\\n":1}}',
            "the request for claim ??? must be a JSON object",
            id="RFC 6749 §4.1.2.1 hostile name",
        ),
        pytest.param(
            '{"userinfo":{"name":{"purpose":"ab"}}}',
            "the request for claim name: purpose must be 3 to 300 characters, all visible",
            id="Identity Assurance purpose too short",
        ),
        pytest.param(
            json.dumps({"userinfo": {"name": {"purpose": "a" * 301}}}),
            "the request for claim name: purpose must be 3 to 300 characters, all visible",
            id="Identity Assurance purpose too long",
        ),
        pytest.param(
            json.dumps({"userinfo": {"name": {"purpose": "abc\u202e"}}}),
            "the request for claim name: purpose must be 3 to 300 characters, all visible",
            id="P11 purpose with a bidi control",
        ),
        pytest.param(
            '{"userinfo":{"name":{"purpose":null}}}',
            "the request for claim name: purpose must be a string",
            id="Identity Assurance purpose of a wrong type",
        ),
        pytest.param(
            '{"userinfo":{"name":null,"name":null}}',
            "claims holds the same member name twice",
            id="RFC 7493 §2.3 duplicate",
        ),
        pytest.param(
            '{"userinfo":{"a":{"value":' + "[" * 20 + "]" * 20 + "}}}",
            "claims is nested too deeply",
            id="class 25 nested",
        ),
        pytest.param(
            json.dumps({"userinfo": {f"c{n}": None for n in range(MAX_MEMBERS + 1)}}),
            "claims.userinfo has more than 100 members",
            id="class 25 too many claims",
        ),
        pytest.param(
            '{"userinfo":{"birthdate":{"max_age":-1}}}',
            "the request for claim birthdate: max_age must be a number of seconds",
            id="Identity Assurance §5.5.2 max_age below zero",
        ),
        pytest.param(
            '{"userinfo":{"birthdate":{"max_age":true}}}',
            "the request for claim birthdate: max_age must be a number of seconds",
            id="Identity Assurance §5.5.2 max_age of a wrong type",
        ),
    ],
)
def test_a_wrong_document_is_refused_with_its_reason(document: str, description: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        read_claims(document)
    assert refusal.value.description == description


NAMES = st.sampled_from(
    [
        "id_token",
        "userinfo",
        "verified_claims",
        "verification",
        "claims",
        "value",
        "values",
        "essential",
        "acr",
    ]
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(st.text() | DOCUMENTS.map(json.dumps))
def test_any_document_is_read_or_refused(document: str) -> None:
    description = ""
    try:
        read_claims(document)
    except ProtocolError as error:
        description = error.description
    assert description.isascii()
    assert '"' not in description
