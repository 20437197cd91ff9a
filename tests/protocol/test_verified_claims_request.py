"""How verified claims are asked for. OpenID Connect for Identity Assurance 1.0 §5.3 to §5.6."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.claims_parameter import read_claims
from idp.protocol.errors import InvalidRequestError, OAuthError
from idp.protocol.model import (
    ClaimsRequest,
    RequestedCheck,
    RequestedClaim,
    RequestedEvidence,
    VerifiedClaimsRequest,
)
from idp.protocol.stored_request import dump_claims, load_claims
from idp.protocol.verified_claims_request import MAX_ENTRIES, MAX_FILTERS, read_verified_claims

PLAIN = RequestedClaim()


def entry(claims: object = None, **verification: Any) -> dict[str, Any]:
    return {"verification": {"trust_framework": None, **verification}, "claims": claims or {"name": None}}


def with_evidence(**members: Any) -> dict[str, Any]:
    return entry(evidence=[{"type": {"value": "document"}, **members}])


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        pytest.param(entry(), VerifiedClaimsRequest({"name": PLAIN}), id="§5.3 the least"),
        pytest.param(
            {"verification": {"trust_framework": {}}, "claims": {"name": {}}},
            VerifiedClaimsRequest({"name": PLAIN}),
            id="IDA-02 empty objects",
        ),
        pytest.param(
            entry({"name": {"essential": False}}, trust_framework={"essential": False}),
            VerifiedClaimsRequest({"name": PLAIN}),
            id="IDA-02 essential false",
        ),
        pytest.param(
            entry({"claim%1/a&,.b": None, "name": {"essential": True, "purpose": "Để ký hợp đồng"}}),
            VerifiedClaimsRequest(
                {"claim%1/a&,.b": PLAIN, "name": RequestedClaim(essential=True, purpose="Để ký hợp đồng")}
            ),
            id="IDA-03 unknown claims are kept",
        ),
        pytest.param(
            {"verification": {"trust_framework": None, "assurance_level": None}, "claims": None},
            VerifiedClaimsRequest({}, assurance_level=PLAIN),
            id="Schema §5.3 the verification alone",
        ),
        pytest.param(
            entry(
                {"birthdate": {"max_age": 1.5}},
                trust_framework={"values": ["gold", "vn_nd69_2024"]},
                assurance_level={"value": "vn2", "essential": True},
                time={"max_age": 63113852},
            ),
            VerifiedClaimsRequest(
                {"birthdate": RequestedClaim(max_age=1.5)},
                trust_framework=RequestedClaim(values=("gold", "vn_nd69_2024")),
                assurance_level=RequestedClaim(value="vn2", essential=True),
                time=RequestedClaim(max_age=63113852),
            ),
            id="§5.5 constraints",
        ),
        pytest.param(
            with_evidence(
                document_details={"type": {"values": ["idcard", "passport"]}, "document_number": None},
                check_details=[{"check_method": {"value": "vpip"}, "time": None}, {"check_method": None}],
            ),
            VerifiedClaimsRequest(
                {"name": PLAIN},
                evidence=(
                    RequestedEvidence(
                        RequestedClaim(value="document"),
                        RequestedClaim(values=("idcard", "passport")),
                        (
                            RequestedCheck(RequestedClaim(value="vpip"), PLAIN),
                            RequestedCheck(PLAIN),
                        ),
                    ),
                ),
            ),
            id="§5.4 a document, and a number that we never hold",
        ),
        pytest.param(
            entry(evidence=[{"type": {"value": "electronic_record"}, "record": {"type": None}}]),
            VerifiedClaimsRequest(
                {"name": PLAIN},
                evidence=(RequestedEvidence(RequestedClaim(value="electronic_record"), PLAIN),),
            ),
            id="§5.4 an electronic record",
        ),
        pytest.param(
            entry(evidence=[{"type": {"value": "vouch"}, "attestation": {"type": None}}]),
            VerifiedClaimsRequest(
                {"name": PLAIN}, evidence=(RequestedEvidence(RequestedClaim(value="vouch")),)
            ),
            id="IDA-06 a type that we do not have",
        ),
        pytest.param(
            entry(verification_process=None, assurance_process={"policy": None}),
            VerifiedClaimsRequest({"name": PLAIN}),
            id="§5.7.2 what we do not hold, asked for plainly",
        ),
        pytest.param(
            entry(assurance_process={"policy": {"value": "gpg45"}}),
            VerifiedClaimsRequest({"name": PLAIN}, is_unmeetable=True),
            id="§5.5.1 a constraint on what we do not hold",
        ),
        pytest.param(
            with_evidence(document_details={"issuer": {"country_code": {"value": "VNM"}}}),
            VerifiedClaimsRequest(
                {"name": PLAIN},
                evidence=(RequestedEvidence(RequestedClaim(value="document"), is_unmeetable=True),),
            ),
            id="§5.5.1 a constraint on the issuer",
        ),
        pytest.param(
            with_evidence(method={"value": "pipp"}),
            VerifiedClaimsRequest(
                {"name": PLAIN},
                evidence=(RequestedEvidence(RequestedClaim(value="document"), is_unmeetable=True),),
            ),
            id="§5.5.1 a constraint on a member of the drafts",
        ),
        pytest.param(
            with_evidence(check_details=[{"check_method": None, "organization": {"values": ["x"]}}]),
            VerifiedClaimsRequest(
                {"name": PLAIN},
                evidence=(
                    RequestedEvidence(
                        RequestedClaim(value="document"), checks=(RequestedCheck(PLAIN, is_unmeetable=True),)
                    ),
                ),
            ),
            id="§5.5.1 a constraint on who checked",
        ),
    ],
)
def test_a_request_is_read(requested: object, expected: VerifiedClaimsRequest) -> None:
    assert read_verified_claims(requested) == (expected,)
    document = json.dumps({"id_token": {"verified_claims": requested}})
    assert read_claims(document).verified_in_id_token == (expected,)


def test_every_entry_of_an_array_is_read_on_its_own() -> None:
    """§5.6."""
    requested = [entry(), entry({"birthdate": None}, assurance_level={"value": "vn2"})]
    assert read_verified_claims(requested) == tuple(
        one for each in requested for one in read_verified_claims(each)
    )


@pytest.mark.parametrize(
    ("requested", "description"),
    [
        pytest.param(None, "verified_claims must be a JSON object", id="null"),
        pytest.param(
            [], f"verified_claims must be an array of 1 to {MAX_ENTRIES} entries", id="an empty array"
        ),
        pytest.param(
            [entry()] * (MAX_ENTRIES + 1),
            f"verified_claims must be an array of 1 to {MAX_ENTRIES} entries",
            id="too many entries",
        ),
        pytest.param([None], "verified_claims must be a JSON object", id="null in an array"),
        pytest.param(
            {"claims": {"name": None}},
            "verified_claims.verification must be a JSON object",
            id="no verification",
        ),
        pytest.param(
            {"verification": {}, "claims": {"name": None}},
            "verified_claims.verification must name trust_framework",
            id="no trust framework",
        ),
        pytest.param(
            {"verification": {"trust_framework": None}},
            "verified_claims.claims must be a JSON object",
            id="no claims",
        ),
        pytest.param(
            {"verification": {"trust_framework": None}, "claims": {}},
            "verified_claims.claims must name a claim, or be null",
            id="empty claims",
        ),
        pytest.param(
            {"verification": {"trust_framework": None}, "claims": ["name"]},
            "verified_claims.claims must be a JSON object",
            id="claims of a wrong type",
        ),
        pytest.param(
            entry(trust_framework="vn_nd69_2024"),
            "verified_claims.verification.trust_framework must be a JSON object",
            id="a bare trust framework",
        ),
        pytest.param(
            entry(assurance_level={"value": 2}),
            "verified_claims.verification.assurance_level: value and values must be strings",
            id="a level that is no string",
        ),
        pytest.param(
            entry(time={"max_age": "1"}),
            "verified_claims.verification.time: max_age must be a number of seconds",
            id="a max_age that is no number",
        ),
        pytest.param(
            entry({"name": {"purpose": "ab"}}),
            "the request for claim name: purpose must be 3 to 300 characters, all visible",
            id="a purpose too short",
        ),
        pytest.param(
            entry(assurance_level={"purpose": "a" * 301}),
            "verified_claims.verification.assurance_level: purpose must be 3 to 300 characters, all visible",
            id="a purpose too long",
        ),
        pytest.param(
            entry(evidence=[]),
            f"verified_claims.verification.evidence must be an array of 1 to {MAX_FILTERS} entries",
            id="no evidence",
        ),
        pytest.param(
            entry(evidence={"type": {"value": "document"}}),
            f"verified_claims.verification.evidence must be an array of 1 to {MAX_FILTERS} entries",
            id="evidence that is no array",
        ),
        pytest.param(
            entry(evidence=[{"document_details": {"type": None}}]),
            "verified_claims.verification.evidence.type must have a value, and no values",
            id="evidence without type",
        ),
        pytest.param(
            entry(evidence=[{"type": None}]),
            "verified_claims.verification.evidence.type must have a value, and no values",
            id="evidence of any type",
        ),
        pytest.param(
            entry(evidence=[{"type": {"values": ["document"]}}]),
            "verified_claims.verification.evidence.type must have a value, and no values",
            id="evidence of several types",
        ),
        pytest.param(
            with_evidence(document_details=None),
            "verified_claims.verification.evidence.document_details must be a JSON object",
            id="details that are no object",
        ),
        pytest.param(
            with_evidence(document_details={"type": "idcard"}),
            "verified_claims.verification.evidence.document_details.type must be a JSON object",
            id="a bare document type",
        ),
        pytest.param(
            with_evidence(check_details={"check_method": None}),
            "verified_claims.verification.evidence.check_details must be an array of 1 to 20 entries",
            id="checks that are no array",
        ),
        pytest.param(
            with_evidence(check_details=[{"time": None}]),
            "verified_claims.verification.evidence.check_details must name check_method",
            id="a check without method",
        ),
    ],
)
def test_what_the_schema_does_not_allow_is_refused(requested: object, description: str) -> None:
    for place in ("id_token", "userinfo"):
        with pytest.raises(InvalidRequestError) as refusal:
            read_claims(json.dumps({place: {"verified_claims": requested}}))
        assert refusal.value.description == description


NAMES = st.sampled_from(
    [
        "assurance_level",
        "check_details",
        "check_method",
        "claims",
        "document_details",
        "essential",
        "evidence",
        "max_age",
        "name",
        "purpose",
        "record",
        "time",
        "trust_framework",
        "type",
        "value",
        "values",
        "verification",
    ]
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["document", "vpip", "vn2", "vn_nd69_2024"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)
ELEMENT = ANYTHING | st.fixed_dictionaries(
    {},
    optional={
        "value": st.sampled_from(["document", "electronic_record", "idcard", "vpip", "vn2"]) | ANYTHING,
        "values": st.lists(st.text(max_size=4), max_size=2) | ANYTHING,
        "essential": st.booleans() | ANYTHING,
        "max_age": st.integers() | st.floats() | ANYTHING,
        "purpose": st.text(max_size=10) | ANYTHING,
    },
)
CHECKS = st.lists(
    st.fixed_dictionaries({"check_method": ELEMENT}, optional={"time": ELEMENT, "check_id": ELEMENT}),
    max_size=2,
)
EVIDENCE = st.lists(
    st.fixed_dictionaries(
        {"type": ELEMENT},
        optional={
            "document_details": st.fixed_dictionaries({}, optional={"type": ELEMENT, "issuer": ELEMENT}),
            "record": st.fixed_dictionaries({}, optional={"type": ELEMENT}) | ANYTHING,
            "check_details": CHECKS | ANYTHING,
        },
    ),
    max_size=2,
)
ENTRY = st.fixed_dictionaries(
    {
        "verification": st.fixed_dictionaries(
            {"trust_framework": ELEMENT},
            optional={
                "assurance_level": ELEMENT,
                "time": ELEMENT,
                "evidence": EVIDENCE | ANYTHING,
                "verification_process": ELEMENT,
            },
        )
        | ANYTHING,
        "claims": st.dictionaries(st.sampled_from(["name", "birthdate"]), ELEMENT, max_size=2) | ANYTHING,
    }
)


@given(ENTRY | st.lists(ENTRY, max_size=2) | ANYTHING, st.sampled_from(["id_token", "userinfo"]))
def test_any_request_is_read_and_stored_or_refused(requested: object, place: str) -> None:
    """No document raises anything but a registered error, and what is read survives storage."""
    refusal, claims = "", ClaimsRequest()
    try:
        claims = read_claims(json.dumps({place: {"verified_claims": requested}}))
    except OAuthError as error:
        refusal = error.description
    assert refusal.isascii()
    assert '"' not in refusal
    assert load_claims(dump_claims(claims)) == claims
