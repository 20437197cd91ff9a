"""IDA: OpenID Connect for Identity Assurance, as the official plan asks and looks."""

import json
import uuid
from typing import Any

import pytest

from tests.support.columns import Column
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.served_here import ServedHere

EVIDENCE = [
    {
        "type": {"value": "document"},
        "document_details": {"type": None},
        "check_details": [{"check_method": None}],
    },
    {
        "type": {"value": "electronic_record"},
        "record": {"type": None},
        "check_details": [{"check_method": None}],
    },
]


def entry(claims: object, **verification: Any) -> dict[str, Any]:
    return {"verification": {"trust_framework": None, **verification}, "claims": claims}


def claims(id_token: object = None, userinfo: object = None) -> str:
    """Return a claims parameter that asks for verified claims in one place or both."""
    places = {"id_token": id_token, "userinfo": userinfo}
    return json.dumps({place: {"verified_claims": asked} for place, asked in places.items() if asked})


def told(party: Party, tokens: dict[str, Any]) -> tuple[Any, Any]:
    """Return verified_claims of the ID token and of UserInfo; None where there are none."""
    userinfo = party.use(tokens["access_token"])
    assert userinfo.status_code == 200, userinfo.text
    return party.id_token(tokens).get("verified_claims"), userinfo.json().get("verified_claims")


def asked_in_both(op: ServedHere, party: Party, person: Person, asked: object) -> tuple[Any, Any]:
    tokens = party.sign_in(op.browser(), person, claims=claims(asked, asked))
    return told(party, tokens)


def first_claim(party: Party) -> str:
    """Return the claim that the official plan tries where nothing else is configured."""
    name: str = party.back.get("/.well-known/openid-configuration").json()[
        "claims_in_verified_claims_supported"
    ][0]
    return name


@pytest.mark.item("IDA-01")
def test_ida_01_verified_claims_have_two_members_and_what_was_asked_for_in_them(
    op: ServedHere, party: Party, column: Column, person: Person
) -> None:
    name = first_claim(party)
    in_id_token, at_userinfo = asked_in_both(op, party, person, entry({name: None}))
    assert in_id_token == at_userinfo
    assert in_id_token.keys() == {"verification", "claims"}
    assert in_id_token["verification"].keys() == {"trust_framework"}
    assert in_id_token["claims"].keys() == {name}


@pytest.mark.item("IDA-02")
@pytest.mark.parametrize(
    "element", [None, {}, {"essential": False}], ids=["null", "empty", "essential-false"]
)
@pytest.mark.parametrize("places", [("id_token",), ("userinfo",), ("id_token", "userinfo")], ids="+".join)
def test_ida_02_a_claim_comes_where_it_was_asked_for_and_nowhere_else(
    op: ServedHere,
    party: Party,
    column: Column,
    person: Person,
    element: object,
    places: tuple[str, ...],
) -> None:
    asked = {"verification": {"trust_framework": element}, "claims": {"name": element}}
    tokens = party.sign_in(op.browser(), person, claims=claims(**dict.fromkeys(places, asked)))
    answered = dict(zip(("id_token", "userinfo"), told(party, tokens), strict=True))
    for place, element_told in answered.items():
        assert (element_told is not None) is (place in places)
        if element_told is not None:
            assert element_told["claims"].keys() == {"name"}


@pytest.mark.item("IDA-03")
@pytest.mark.parametrize(
    ("unknown", "element"),
    [
        (str(uuid.UUID(int=7)), None),
        (str(uuid.UUID(int=8)), {"essential": True}),
        ("claim%1/a&,.b", None),
        ("\u2603", None),
    ],
    ids=["random", "essential", "special-characters", "snowman"],
)
def test_ida_03_an_unknown_claim_is_left_out(
    op: ServedHere, party: Party, column: Column, person: Person, unknown: str, element: object
) -> None:
    name = first_claim(party)
    in_id_token, at_userinfo = asked_in_both(op, party, person, entry({name: None, unknown: element}))
    assert in_id_token == at_userinfo
    assert in_id_token["claims"].keys() == {name}


@pytest.mark.item("IDA-04")
@pytest.mark.parametrize("name", [None, "name", "birthdate"], ids=["first", "name", "birthdate"])
def test_ida_04_a_value_that_cannot_be_leaves_the_claim_out(
    op: ServedHere, party: Party, column: Column, person: Person, name: str | None
) -> None:
    name = name or first_claim(party)
    asked = entry({name: {"value": str(uuid.uuid4())}})
    in_id_token, at_userinfo = asked_in_both(op, party, person, asked)
    assert in_id_token is None
    assert at_userinfo["claims"] == {}
    assert at_userinfo["verification"].keys() == {"trust_framework"}


@pytest.mark.item("IDA-04")
@pytest.mark.parametrize(
    "constraint",
    [
        {"trust_framework": {"value": "eidas"}},
        {"assurance_level": {"value": "high"}},
        {"time": {"max_age": 0}},
        {"evidence": [{"type": {"value": "vouch"}}]},
        {"evidence": [{"type": {"value": "document"}, "document_details": {"type": {"value": "visa"}}}]},
    ],
    ids=["framework", "level", "age", "evidence", "document"],
)
def test_ida_04_a_verification_that_cannot_be_leaves_all_of_it_out(
    op: ServedHere, party: Party, column: Column, person: Person, constraint: dict[str, Any]
) -> None:
    op.wait(seconds=1)
    assert asked_in_both(op, party, person, entry({"name": None}, **constraint)) == (None, None)


@pytest.mark.item("IDA-05")
def test_ida_05_what_is_told_is_advertised(
    op: ServedHere, party: Party, column: Column, person: Person
) -> None:
    metadata = party.back.get("/.well-known/openid-configuration").json()
    supported = metadata["claims_in_verified_claims_supported"]
    asked = entry(dict.fromkeys(supported), assurance_level=None, time=None, evidence=EVIDENCE)
    for element in asked_in_both(op, party, person, asked):
        verification = element["verification"]
        assert verification.keys() == {"trust_framework", "assurance_level", "time", "evidence"}
        assert verification["trust_framework"] in metadata["trust_frameworks_supported"]
        assert element["claims"].keys() <= set(supported)
        assert {evidence["type"] for evidence in verification["evidence"]} == {
            "document",
            "electronic_record",
        }
        for evidence in verification["evidence"]:
            assert evidence["type"] in metadata["evidence_supported"]
            if evidence["type"] == "document":
                assert evidence["document_details"]["type"] in metadata["documents_supported"]
            else:
                assert evidence["record"]["type"] in metadata["electronic_records_supported"]
            for check in evidence["check_details"]:
                assert check["check_method"] in metadata["documents_check_methods_supported"]


@pytest.mark.item("IDA-06")
@pytest.mark.parametrize(
    "asked",
    [
        entry({"place_of_birth": None}),
        entry({"name": None}, verification_process=None, assurance_process={"policy": {"value": "gpg45"}}),
        entry({"name": None}, trust_framework={"value": "de_aml"}),
        entry({"name": None}, evidence=[{"type": {"value": "electronic_signature"}, "issuer": None}]),
    ],
    ids=["claim", "process", "framework", "evidence"],
)
def test_ida_06_what_is_not_advertised_is_left_out(
    op: ServedHere, party: Party, column: Column, person: Person, asked: dict[str, Any]
) -> None:
    assert asked_in_both(op, party, person, asked) == (None, None)


@pytest.mark.item("IDA-06")
@pytest.mark.parametrize(
    "asked",
    [
        {"claims": {"name": None}},
        entry({}),
        entry({"name": None}, evidence=[{"type": {"values": ["document"]}}]),
        entry({"name": {"purpose": "ab"}}),
        entry({"name": {"purpose": "a" * 301}}),
    ],
    ids=["no-verification", "no-claims", "several-types", "short-purpose", "long-purpose"],
)
def test_ida_06_a_malformed_request_goes_back_as_invalid_request(
    op: ServedHere, party: Party, column: Column, person: Person, asked: dict[str, Any]
) -> None:
    answer = party.answer(op.browser(), person, claims=claims(userinfo=asked))
    assert answer.parameters["error"] == "invalid_request"
    assert answer.parameters["state"] == "state-1"


@pytest.mark.item("IDA-07")
@pytest.mark.parametrize("is_signed", [False, True], ids=["parameters", "request_object_pushed"])
def test_ida_07_it_works_pushed_with_pkce_and_bound_tokens(
    op: ServedHere, party: Party, column: Column, person: Person, *, is_signed: bool
) -> None:
    asked = entry({"name": None, "age_over_18": None}, assurance_level=None, evidence=EVIDENCE[:1])
    parameters = party.request(claims=json.dumps({"userinfo": {"verified_claims": asked}}))
    if is_signed:
        document = {**parameters, "claims": json.loads(parameters["claims"])}
        parameters = {"request": party.request_object(document)}
    response = party.post("/par", {"client_id": party.client_id, **parameters})
    assert response.status_code == 201, response.text
    front = {"client_id": party.client_id, "request_uri": response.json()["request_uri"]}
    answer = party.carried(op.browser(), person, front)
    redeemed = party.redeem(answer.parameters["code"])
    assert redeemed.status_code == 200, redeemed.text
    in_id_token, at_userinfo = told(party, redeemed.json())
    assert in_id_token is None
    assert at_userinfo["verification"]["evidence"] == [
        {
            "type": "document",
            "document_details": {"type": "idcard"},
            "check_details": [{"check_method": "vpip"}],
        }
    ]
    assert at_userinfo["claims"].keys() == {"name", "age_over_18"}
