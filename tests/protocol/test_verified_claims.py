"""The verified_claims element. OpenID Connect for Identity Assurance 1.0 §5.4 to §5.7; its Schema §5."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.assurance import Proofing
from idp.identity.citizens import Citizen
from idp.identity.evidence import (
    Check,
    CheckMethod,
    DocumentType,
    Evidence,
    EvidenceType,
    RecordType,
    evidence_members,
    read_evidence,
)
from idp.protocol.claims import (
    ITEM_OF_CLAIM,
    agreed_items,
    granted_claims,
    id_token_released_claims,
    item_value,
    requested_items,
    userinfo_claims,
)
from idp.protocol.claims_parameter import read_claims
from idp.protocol.metadata import server_metadata
from idp.protocol.verified_claims import VERIFIABLE_CLAIMS
from tests.support.protocol_builders import NOW, POLICY, make_grant
from tests.support.verified_claims import (
    EVERYTHING,
    PROOFED_AT,
    TIME,
    TRUST_FRAMEWORK,
    answers,
    citizen,
    document,
    entry,
    record,
    request,
    verification,
)

METADATA = server_metadata(POLICY)
ROOT = Path(__file__).parents[2]
FENCED_JSON = re.compile(r"^```json\n(.+?)^```$", re.MULTILINE | re.DOTALL)
GOLDEN = json.loads((ROOT / "tests" / "golden" / "verified_claims.json").read_text())


class TestTheElement:
    @pytest.mark.parametrize("element", [None, {}, {"essential": False}, {"essential": True}])
    def test_ida_01_it_has_the_members_asked_for_and_no_others(self, element: object) -> None:
        told = {"verification": {"trust_framework": TRUST_FRAMEWORK}, "claims": {"name": "Trần Thị Lan"}}
        assert answers(entry({"name": element}, trust_framework=element)) == (told, told)

    def test_ida_02_it_is_told_where_it_was_asked_for(self) -> None:
        for place, other in (("id_token", "userinfo"), ("userinfo", "id_token")):
            grant = make_grant(claims=granted_claims(request(**{place: entry()}), EVERYTHING))
            told = {
                "id_token": id_token_released_claims(grant, citizen(), NOW),
                "userinfo": userinfo_claims(grant, citizen(), NOW),
            }
            assert "verified_claims" in told[place]
            assert "verified_claims" not in told[other]

    def test_ida_03_an_unknown_claim_is_left_out(self) -> None:
        asked = entry({"name": None, "claim%1/a&,.b": None, "🙂": {"essential": True}, "email": None})
        in_id_token, at_userinfo = answers(asked)
        assert in_id_token == at_userinfo
        assert in_id_token["claims"] == {"name": "Trần Thị Lan"}

    @pytest.mark.parametrize(
        "element",
        [
            pytest.param({"value": "c6f5b9f8-8d4a-4a3e-9f43-7a0d8d1e2f55"}, id="value"),
            pytest.param({"values": ["A", "B"], "essential": True}, id="values"),
            pytest.param({"max_age": 60}, id="max_age"),
        ],
    )
    def test_ida_04_a_claim_that_is_not_what_was_asked_for_is_left_out_alone(self, element: object) -> None:
        asked = entry({"birthdate": element})
        empty = {"verification": {"trust_framework": TRUST_FRAMEWORK}, "claims": {}}
        assert answers(asked) == (None, empty)
        both = answers(entry({"birthdate": element, "name": None}))
        assert both[0] == both[1] == {**empty, "claims": {"name": "Trần Thị Lan"}}

    def test_ida_06_what_is_not_advertised_is_left_out(self) -> None:
        assert answers(entry({"shoe_size": None})) == (None, None)
        assert verification(entry(verification_process=None, assurance_process={"policy": None})) == {
            "trust_framework": TRUST_FRAMEWORK
        }

    def test_the_verification_alone_may_be_asked_for(self) -> None:
        """Schema Definition §5.3: `claims` may be empty. Nothing says less about a person (R4)."""
        asked = {"verification": {"trust_framework": None, "assurance_level": None}, "claims": None}
        told = {
            "verification": {"trust_framework": TRUST_FRAMEWORK, "assurance_level": "vn2"},
            "claims": {},
        }
        assert answers(asked) == (told, told)

    def test_each_entry_is_answered_on_its_own(self) -> None:
        """§5.6: those that can be met, each with its claims, however often a claim is named."""
        asked = [
            entry(trust_framework={"value": "eidas"}),
            entry(assurance_level={"values": ["vn2", "vnf"]}),
            entry({"birthdate": {"value": "2000-01-01"}}),
            entry({"name": None, "age_over_18": None}, time=None),
        ]
        level = {"trust_framework": TRUST_FRAMEWORK, "assurance_level": "vn2"}
        first = {"verification": level, "claims": {"name": "Trần Thị Lan"}}
        mismatched = {"verification": {"trust_framework": TRUST_FRAMEWORK}, "claims": {}}
        last = {
            "verification": {"trust_framework": TRUST_FRAMEWORK, "time": TIME},
            "claims": {"name": "Trần Thị Lan", "age_over_18": True},
        }
        assert answers(asked) == ([first, last], [first, mismatched, last])
        assert answers(asked[:2]) == (first, first), "one entry is an object"


class TestVerification:
    def test_nothing_is_told_that_was_not_asked_for(self) -> None:
        """§5.4: "The RP shall explicitly request any data"; §7."""
        assert verification(entry()) == {"trust_framework": TRUST_FRAMEWORK}

    @pytest.mark.parametrize("proofing", list(Proofing))
    def test_the_level_is_the_persons(self, proofing: Proofing) -> None:
        told = verification(entry(assurance_level=None), citizen(proofing))
        assert told == {"trust_framework": TRUST_FRAMEWORK, "assurance_level": proofing.value}

    @pytest.mark.parametrize(
        ("constraint", "is_met"),
        [
            pytest.param({"trust_framework": {"value": TRUST_FRAMEWORK}}, True, id="framework"),
            pytest.param({"trust_framework": {"values": ["gold", TRUST_FRAMEWORK]}}, True, id="frameworks"),
            pytest.param({"trust_framework": {"value": "eidas"}}, False, id="another framework"),
            pytest.param({"assurance_level": {"value": "vn2"}}, True, id="level"),
            pytest.param({"assurance_level": {"values": ["vn1", "vn2"]}}, True, id="levels"),
            pytest.param({"assurance_level": {"value": "vn1"}}, False, id="another level"),
            pytest.param({"assurance_level": {"values": ["high", "vnf"]}}, False, id="other levels"),
            pytest.param({"time": {"max_age": 10 * 86_400}}, True, id="just recent enough"),
            pytest.param({"time": {"max_age": 10 * 86_400 - 1}}, False, id="a second too old"),
            pytest.param({"time": {"max_age": 1e300}}, True, id="a thousand years and more"),
            pytest.param({"time": {"value": TIME}}, True, id="this very time"),
            pytest.param({"time": {"value": "2020-01-01T00:00:00Z"}}, False, id="another time"),
            pytest.param({"verification_process": {"value": "x"}}, False, id="a process we do not tell"),
        ],
    )
    def test_a_requirement_that_is_not_met_leaves_the_whole_entry_out(
        self, constraint: dict[str, Any], *, is_met: bool
    ) -> None:
        """§5.7.4; never an error."""
        told = verification(entry(**constraint))
        assert (told is not None) is is_met
        if is_met:
            assert told.keys() == {"trust_framework", *constraint}

    def test_the_time_is_utc_to_the_second(self) -> None:
        """§9: a time zone would tell where somebody was."""
        proofed_at = datetime.fromisoformat("2026-03-30T10:00:00.123456+07:00")
        told = verification(entry(time=None), citizen(proofed_at=proofed_at))
        assert told["time"] == "2026-03-30T03:00:00Z"

    @pytest.mark.parametrize(
        ("birthdate", "max_age", "is_there"),
        [
            ("2026-11-20", 0, True),
            ("2026-11-18", 34 * 3600, True),
            ("2026-11-18", 34 * 3600 - 1, False),
            ("2025", 324 * 86_400, True),
            ("2025", 322 * 86_400, False),
        ],
    )
    def test_the_age_of_a_date_counts_from_its_last_second(
        self, birthdate: str, max_age: int, *, is_there: bool
    ) -> None:
        """§5.5.2; at NOW it is 10:00 of 20 November in Viet Nam."""
        _, told = answers(entry({"birthdate": {"max_age": max_age}}), citizen(birthdate=birthdate))
        assert ("birthdate" in told["claims"]) is is_there


class TestConsent:
    def test_a_claim_is_one_item_however_often_it_is_asked_for(self) -> None:
        """Rule R7: a name is a name; both purposes are shown."""
        asked = request(
            id_token=[entry({"name": {"purpose": "ký hợp đồng"}}), entry()],
            userinfo=entry({"name": {"essential": True, "purpose": "gửi hoá đơn"}}, time=None),
        )
        items = requested_items(asked)
        assert [(item.name, item.essential, item.purpose) for item in items] == [
            ("name", True, "ký hợp đồng; gửi hoá đơn"),
            ("verification_time", False, None),
        ]
        assert items[0].where == {"id_token", "userinfo"}

    def test_time_and_evidence_are_choices_of_their_own(self) -> None:
        evidence = [document(type={"value": "document", "purpose": "đối chiếu hồ sơ"}), record()]
        items = requested_items(request(userinfo=entry(assurance_level=None, time=None, evidence=evidence)))
        assert [(item.name, item.essential, item.purpose) for item in items] == [
            ("name", False, None),
            ("assurance_level", True, None),
            ("verification_time", False, None),
            ("verification_evidence", False, "đối chiếu hồ sơ"),
        ]

    def test_evidence_is_shown_whole_or_not_at_all(self) -> None:
        """Rule R7: the consent is remembered, and the next request may filter otherwise."""
        asked = request(id_token=entry(evidence=[document(document_details={"type": {"value": "idcard"}})]))
        shown = item_value("verification_evidence", asked, citizen(), NOW)
        assert shown == evidence_members(citizen().evidence())
        nothing = request(id_token=entry(evidence=[{"type": {"value": "vouch"}}]))
        assert item_value("verification_evidence", nothing, citizen(), NOW) is None
        assert item_value("verification_time", asked, citizen(), NOW) == PROOFED_AT

    @pytest.mark.parametrize(
        ("item", "asked"),
        [
            pytest.param("assurance_level", {"assurance_level": {"value": "vn2"}}, id="level"),
            pytest.param("verification_time", {"time": {"max_age": 10**9}}, id="time"),
            pytest.param("verification_evidence", {"evidence": [document()]}, id="evidence"),
        ],
    )
    def test_a_requirement_not_agreed_to_is_not_told_by_the_entry_being_there(
        self, item: str, asked: dict[str, Any]
    ) -> None:
        assert answers(entry(**asked), agreed=EVERYTHING - {item}) == (None, None)

    def test_what_was_not_agreed_to_is_left_out(self) -> None:
        """§5.7.3."""
        asked = entry({"name": None, "birthdate": None}, assurance_level=None, time=None)
        for agreed, told in (
            ({"name"}, {"name": "Trần Thị Lan"}),
            ({"birthdate", "assurance_level"}, {"birthdate": "1999-02-28"}),
        ):
            in_id_token, at_userinfo = answers(asked, agreed=frozenset(agreed))
            assert in_id_token == at_userinfo
            assert in_id_token["claims"] == told
            assert in_id_token["verification"].keys() <= {"trust_framework", *agreed}
        assert answers(asked, agreed=frozenset()) == (None, None)


CLAIMS = st.dictionaries(
    st.sampled_from([*VERIFIABLE_CLAIMS, "email", "shoe_size"]),
    st.none() | st.just({"essential": True}) | st.just({"value": "Trần Thị Lan"}),
    min_size=1,
    max_size=3,
)
ELEMENT = st.none() | st.sampled_from(
    [{}, {"value": "vn2"}, {"values": ["vn1", "idcard", "vpip", "population_register"]}]
)
TIMES = st.none() | st.builds(lambda seconds: {"max_age": seconds}, st.integers(0, 10**8))
FILTERS = st.lists(
    st.fixed_dictionaries(
        {"type": st.builds(lambda name: {"value": name}, st.sampled_from([*EvidenceType, "vouch"]))},
        optional={
            "document_details": st.fixed_dictionaries({}, optional={"type": ELEMENT, "issuer": ELEMENT}),
            "record": st.fixed_dictionaries({}, optional={"type": ELEMENT}),
            "check_details": st.lists(
                st.fixed_dictionaries({"check_method": ELEMENT}, optional={"time": TIMES}),
                min_size=1,
                max_size=2,
            ),
        },
    ),
    min_size=1,
    max_size=3,
)
ENTRIES = st.fixed_dictionaries(
    {
        "verification": st.fixed_dictionaries(
            {"trust_framework": st.none()},
            optional={"assurance_level": ELEMENT, "time": TIMES, "evidence": FILTERS},
        ),
        "claims": st.none() | CLAIMS,
    }
)
PEOPLE = st.builds(
    citizen,
    st.sampled_from(Proofing),
    st.none()
    | st.lists(
        st.builds(
            Evidence,
            st.sampled_from([*DocumentType, *RecordType]),
            st.lists(
                st.builds(
                    Check,
                    st.sampled_from(CheckMethod),
                    st.none() | st.integers(0, 10**8).map(lambda s: NOW - timedelta(seconds=s)),
                ),
                max_size=2,
            ).map(tuple),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
)


def check_shape(told: Any) -> None:
    """Schema Definition §5, and IDA-05: every value is advertised."""
    assert told.keys() == {"verification", "claims"}
    assert told["claims"].keys() <= set(METADATA["claims_in_verified_claims_supported"])
    verification = told["verification"]
    assert verification.keys() <= {"trust_framework", "assurance_level", "time", "evidence"}
    assert verification["trust_framework"] in METADATA["trust_frameworks_supported"]
    assert verification.get("evidence", ["not asked for"])
    for evidence in verification.get("evidence", ()):
        assert evidence["type"] in METADATA["evidence_supported"]
        if evidence["type"] == "document":
            assert evidence.keys() <= {"type", "document_details", "check_details"}
            if "document_details" in evidence:
                assert evidence["document_details"]["type"] in METADATA["documents_supported"]
        else:
            assert evidence.keys() <= {"type", "record", "check_details"}
            if "record" in evidence:
                assert evidence["record"]["type"] in METADATA["electronic_records_supported"]
        assert evidence.get("check_details", ["not asked for"])
        for check in evidence.get("check_details", ()):
            assert check.keys() <= {"check_method", "time"}
            assert check["check_method"] in METADATA["documents_check_methods_supported"]


@given(
    st.lists(ENTRIES, min_size=1, max_size=3),
    PEOPLE,
    st.sets(st.sampled_from(sorted(EVERYTHING))),
)
def test_ida_05_every_answer_has_its_shape_and_holds_only_what_is_advertised_asked_for_and_agreed_to(
    requested: list[dict[str, Any]], person: Citizen, ticked: set[str]
) -> None:
    asked = request(id_token=requested, userinfo=requested)
    agreed = agreed_items(requested_items(asked), ticked)
    for told in answers(requested, person, agreed):
        for one in [] if told is None else told if isinstance(told, list) else [told]:
            check_shape(one)
            assert any(one["claims"].keys() <= (each["claims"] or {}).keys() for each in requested)
            assert {ITEM_OF_CLAIM[name] for name in one["claims"]} <= agreed
            items = {"time": "verification_time", "evidence": "verification_evidence"}
            for member in one["verification"].keys() - {"trust_framework"}:
                assert items.get(member, member) in agreed
                assert any(member in each["verification"] for each in requested)


def test_golden() -> None:
    """Each request and its answers for one person, as reviewed."""
    person = replace(citizen(), personal_data=replace(citizen().personal_data, name="Nguyễn Thị Lan"))
    for example in GOLDEN:
        asked = replace(request(), claims=read_claims(json.dumps(example["claims"])))
        grant = make_grant(claims=granted_claims(asked, EVERYTHING))
        assert id_token_released_claims(grant, person, NOW) == example["id_token"], example["what"]
        told = userinfo_claims(grant, person, NOW)
        told.pop("sub")
        assert told == example["userinfo"], example["what"]


def test_the_document_for_integrators_shows_what_is_asked_and_told() -> None:
    text = (ROOT / "idp" / "VERIFIED_CLAIMS.md").read_text()
    *examples, imported = map(json.loads, FENCED_JSON.findall(text))
    answered = [(each["claims"], each["id_token"] or each["userinfo"]) for each in GOLDEN]
    assert examples == [shown for pair in answered for shown in pair]
    assert read_evidence(imported)
    for claim in VERIFIABLE_CLAIMS:
        assert f"`{claim}`" in text
