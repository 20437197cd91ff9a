"""The claims parameter. OpenID Connect Core §5.5; OpenID Connect for Identity Assurance §6."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.claims_parameter import MAX_CLAIMS, read_claims
from idp.protocol.errors import InvalidRequestError, ProtocolError
from idp.protocol.model import ClaimsRequest, RequestedClaim, VerifiedClaimsRequest

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
                verified_in_id_token=VerifiedClaimsRequest(claims={"age_over_16": RequestedClaim()})
            ),
            id="OIDC4IA §6 in the ID token",
        ),
        pytest.param(
            {"userinfo": {"verified_claims": [ASKED], "name": None}},
            ClaimsRequest(
                userinfo={"name": RequestedClaim()},
                verified_in_userinfo=VerifiedClaimsRequest(claims={"age_over_16": RequestedClaim()}),
            ),
            id="OIDC4IA §6 an array of one",
        ),
        pytest.param(
            {
                "id_token": {
                    "verified_claims": {
                        "verification": {
                            "trust_framework": {"value": "vn_nd69_2024"},
                            "assurance_level": {"essential": True, "values": ["vn2", "vnf"]},
                            "time": {"max_age": 1},
                        },
                        "claims": {"name": {"essential": True, "purpose": "Để xác nhận tên"}},
                    }
                }
            },
            ClaimsRequest(
                verified_in_id_token=VerifiedClaimsRequest(
                    claims={"name": RequestedClaim(essential=True, purpose="Để xác nhận tên")},
                    trust_framework=RequestedClaim(value="vn_nd69_2024"),
                    assurance_level=RequestedClaim(essential=True, values=("vn2", "vnf")),
                )
            ),
            id="OIDC4IA §6 every constraint",
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
            id="OIDC4IA §6 purpose too short",
        ),
        pytest.param(
            json.dumps({"userinfo": {"name": {"purpose": "a" * 301}}}),
            "the request for claim name: purpose must be 3 to 300 characters, all visible",
            id="OIDC4IA §6 purpose too long",
        ),
        pytest.param(
            json.dumps({"userinfo": {"name": {"purpose": "abc\u202e"}}}),
            "the request for claim name: purpose must be 3 to 300 characters, all visible",
            id="P11 purpose with a bidi control",
        ),
        pytest.param(
            '{"userinfo":{"name":{"purpose":null}}}',
            "the request for claim name: purpose must be a string",
            id="OIDC4IA §6 purpose of a wrong type",
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
            json.dumps({"userinfo": {f"c{n}": None for n in range(MAX_CLAIMS + 1)}}),
            "claims.userinfo has more than 100 members",
            id="class 25 too many claims",
        ),
        pytest.param(
            '{"id_token":{"verified_claims":null}}',
            "verified_claims must be a JSON object",
            id="OIDC4IA §6 null",
        ),
        pytest.param(
            json.dumps({"id_token": {"verified_claims": [ASKED, ASKED]}}),
            "verified_claims must be one object, or an array of one",
            id="OIDC4IA §6 alternatives",
        ),
        pytest.param(
            '{"id_token":{"verified_claims":{"claims":{"name":null}}}}',
            "verified_claims.verification must be a JSON object",
            id="OIDC4IA §6 no verification",
        ),
        pytest.param(
            '{"id_token":{"verified_claims":{"verification":{"trust_framework":null}}}}',
            "verified_claims.claims must be a JSON object",
            id="OIDC4IA §6 no claims",
        ),
        pytest.param(
            '{"id_token":{"verified_claims":{"verification":{"trust_framework":null},"claims":{}}}}',
            "verified_claims.claims must name a claim",
            id="OIDC4IA §6 empty claims",
        ),
        pytest.param(
            '{"id_token":{"verified_claims":{"verification":{"trust_framework":"x"},"claims":{"name":null}}}}',
            "the request for claim trust_framework must be a JSON object",
            id="OIDC4IA §6 trust_framework of a wrong type",
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
