"""Evidence in verified_claims: each entry is a filter and a template. Identity Assurance §5.4, §5.5."""

from datetime import timedelta
from typing import Any

import pytest

from idp.identity.assurance import Proofing
from idp.identity.evidence import Check, CheckMethod, DocumentType, Evidence, RecordType, read_evidence
from tests.support.verified_claims import (
    PROOFED_AT,
    TIME,
    answers,
    citizen,
    document,
    entry,
    record,
    verification,
)

IDCARD = Evidence(
    DocumentType.IDCARD,
    (Check(CheckMethod.VCRYPT, PROOFED_AT), Check(CheckMethod.PVP, PROOFED_AT - timedelta(days=1))),
)
RECORD = Evidence(RecordType.BIRTH_REGISTER, (Check(CheckMethod.DATA),))
BARE = Evidence(DocumentType.PASSPORT)
HELD = (IDCARD, RECORD, BARE)


KIND = {"type": None}
METHOD = {"check_method": None}


class TestEvidence:
    @pytest.mark.parametrize(
        ("filters", "told"),
        [
            pytest.param([document()], [{"type": "document"}] * 2, id="the type alone"),
            pytest.param(
                [record(record=KIND)],
                [{"type": "electronic_record", "record": {"type": "birth_register"}}],
                id="its kind",
            ),
            pytest.param(
                [document(document_details={"type": {"values": ["idcard", "visa"]}})],
                [{"type": "document", "document_details": {"type": "idcard"}}],
                id="of some kinds",
            ),
            pytest.param(
                [document(document_details={"type": {"value": "idcard"}}, check_details=[METHOD])],
                [
                    {
                        "type": "document",
                        "document_details": {"type": "idcard"},
                        "check_details": [{"check_method": "vcrypt"}, {"check_method": "pvp"}],
                    }
                ],
                id="with every check",
            ),
            pytest.param(
                [document(check_details=[{"check_method": {"value": "pvp"}, "time": None}])],
                [
                    {
                        "type": "document",
                        "check_details": [{"check_method": "pvp", "time": "2026-11-09T03:00:00Z"}],
                    }
                ],
                id="with this check and its time",
            ),
            pytest.param(
                [document(check_details=[{"check_method": None, "time": {"max_age": 10 * 86_400}}])],
                [
                    {
                        "type": "document",
                        "check_details": [{"check_method": "vcrypt", "time": TIME}],
                    }
                ],
                id="with recent checks",
            ),
            pytest.param(
                [record(check_details=[{"check_method": None, "time": None}])],
                [{"type": "electronic_record", "check_details": [{"check_method": "data"}]}],
                id="a time that is not known",
            ),
            pytest.param(
                [
                    document(check_details=[{"check_method": {"value": "kbv"}}]),
                    record(),
                    {"type": {"value": "vouch"}},
                ],
                [{"type": "electronic_record"}],
                id="linked by or",
            ),
            pytest.param(
                [
                    document(document_details={"type": {"value": "idcard"}}),
                    document(check_details=[{"check_method": {"value": "vcrypt"}}]),
                ],
                [
                    {
                        "type": "document",
                        "document_details": {"type": "idcard"},
                        "check_details": [{"check_method": "vcrypt"}],
                    }
                ],
                id="filters that want the same",
            ),
            pytest.param(
                [document(document_details={"type": {"value": "passport"}}, check_details=[METHOD])],
                [{"type": "document", "document_details": {"type": "passport"}}],
                id="nothing is known of the checks",
            ),
            pytest.param(
                [document(document_details={"document_number": None, "issuer": {"name": None}})],
                [{"type": "document"}] * 2,
                id="R6 what is never held",
            ),
        ],
    )
    def test_what_is_asked_for_is_told_and_no_more(
        self, filters: list[dict[str, Any]], told: list[dict[str, Any]]
    ) -> None:
        """§5.4: each entry is a filter and a template."""
        assert verification(entry(evidence=filters), citizen(evidence=HELD))["evidence"] == told

    @pytest.mark.parametrize(
        "asked",
        [
            pytest.param({"type": {"value": "vouch"}}, id="another type"),
            pytest.param({"type": {"value": "utility_bill"}}, id="a type of the drafts"),
            pytest.param(document(document_details={"type": {"value": "residence_permit"}}), id="kind"),
            pytest.param(document(check_details=[{"check_method": {"value": "kbv"}}]), id="check"),
            pytest.param(
                document(check_details=[{"check_method": None, "time": {"max_age": 1}}]), id="too long ago"
            ),
            pytest.param(
                record(check_details=[{"check_method": None, "time": {"max_age": 10**12}}]), id="no time"
            ),
            pytest.param(document(method={"value": "pipp"}), id="a constraint on what we do not hold"),
            pytest.param(
                document(check_details=[{"check_method": None, "check_id": {"value": "1"}}]), id="an id"
            ),
            pytest.param(document(attachments={"value": "x"}), id="an attachment"),
        ],
    )
    def test_evidence_that_does_not_exist_leaves_the_whole_entry_out(self, asked: dict[str, Any]) -> None:
        """§5.5.1, §5.7.4."""
        assert answers(entry(evidence=[asked]), citizen(evidence=HELD)) == (None, None)

    @pytest.mark.parametrize(
        ("proofing", "told"),
        [
            (
                Proofing.VN1,
                [
                    {
                        "type": "electronic_record",
                        "record": {"type": "population_register"},
                        "check_details": [
                            {"check_method": "data", "time": TIME},
                            {"check_method": "bvr", "time": TIME},
                        ],
                    }
                ],
            ),
            (
                Proofing.VN2,
                [
                    {
                        "type": "document",
                        "document_details": {"type": "idcard"},
                        "check_details": [{"check_method": "vpip", "time": TIME}],
                    },
                    {
                        "type": "electronic_record",
                        "record": {"type": "population_register"},
                        "check_details": [{"check_method": "bvp", "time": TIME}],
                    },
                ],
            ),
            (
                Proofing.VNF,
                [
                    {
                        "type": "document",
                        "document_details": {"type": "passport"},
                        "check_details": [
                            {"check_method": "vpip", "time": TIME},
                            {"check_method": "bvp", "time": TIME},
                        ],
                    }
                ],
            ),
        ],
    )
    def test_the_law_says_what_stands_behind_a_level(
        self, proofing: Proofing, told: list[dict[str, Any]]
    ) -> None:
        """D69: unless the register says otherwise."""
        every = [{"check_method": None, "time": None}]
        filters = [
            document(document_details=KIND, check_details=every),
            record(record=KIND, check_details=every),
        ]
        assert verification(entry(evidence=filters), citizen(proofing))["evidence"] == told


def test_the_register_says_it_as_the_wire_does() -> None:
    told = verification(
        entry(
            evidence=[
                document(document_details=KIND, check_details=[{"check_method": None, "time": None}]),
                record(record=KIND, check_details=[{"check_method": None, "time": None}]),
            ]
        ),
        citizen(evidence=HELD),
    )
    assert read_evidence(told["evidence"]) == HELD
