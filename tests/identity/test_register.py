"""Reading the register of citizens. Numbers that are not of the demo are put together from parts."""

import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.assurance import Proofing
from idp.identity.citizens import CitizenStatus
from idp.identity.evidence import Check, CheckMethod, DocumentType, Evidence
from idp.identity.register import InvalidRegisterLineError, Mode, read_line, shown_name

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
REAL_PREFIX = "0" + "01"

LAN: dict[str, object] = {
    "personal_number": "000199000001",
    "name": "Nguyễn Thị Lan",
    "birthdate": "1999-02-28",
    "gender": "female",
    "nationality": "VN",
    "phone_number": "+84000000001",
    "email": "lan@mail.example",
    "address": "1 Phố Huế, Hà Nội",
    "proofing": "vn2",
    "proofed_at": "2025-03-01T09:30:00+07:00",
    "status": "active",
    "password": "một mật khẩu dài",
    "totp_secret": SECRET,
}


def real(**changes: object) -> dict[str, object]:
    """Return a line as production takes it."""
    line = {**LAN, "personal_number": REAL_PREFIX + "199000001", **changes}
    return {name: value for name, value in line.items() if name not in {"password", "totp_secret"}}


def reasons(line: dict[str, Any], mode: str = Mode.DEMO) -> tuple[str, ...]:
    with pytest.raises(InvalidRegisterLineError) as refused:
        read_line(line, mode, NOW)
    return refused.value.reasons


def test_a_whole_line_is_read() -> None:
    entry = read_line(LAN, "demo", NOW)
    assert entry.personal_number == "000199000001"
    assert entry.personal_data.name == "Nguyễn Thị Lan"
    assert entry.personal_data.birthdate == "1999-02-28"
    assert entry.personal_data.gender == "female"
    assert entry.personal_data.nationality == "VN"
    assert entry.personal_data.phone_number == "+84000000001"
    assert entry.personal_data.email == "lan@mail.example"
    assert entry.personal_data.address == "1 Phố Huế, Hà Nội"
    assert entry.proofing is Proofing.VN2
    assert entry.proofed_at == datetime(2025, 3, 1, 2, 30, tzinfo=UTC)
    assert entry.status is CitizenStatus.ACTIVE
    assert entry.password == "một mật khẩu dài"
    assert entry.totp_secret == SECRET


def test_what_the_register_does_not_know_may_be_null_or_absent() -> None:
    optional = ("gender", "nationality", "phone_number", "email", "address", "password", "totp_secret")
    with_nulls = read_line({**LAN, **dict.fromkeys(optional)}, "demo", NOW)
    absent = {name: value for name, value in LAN.items() if name not in optional}
    assert read_line(absent, "demo", NOW) == with_nulls
    assert with_nulls.personal_data.phone_number is None


def test_all_reasons_are_given_at_once_and_none_repeats_a_value() -> None:
    line = {**LAN, "personal_number": "12", "name": "R2 D2", "proofing": "vn9", "cccd": "x", "status": 1}
    found = reasons(line)
    assert {reason.split(":")[0] for reason in found} == {
        "personal_number",
        "name",
        "proofing",
        "'cccd'",
        "status",
    }
    assert not any("R2" in reason or "vn9" in reason for reason in found)


@pytest.mark.parametrize(
    "field", ["personal_number", "name", "birthdate", "proofing", "proofed_at", "status"]
)
def test_a_required_field_is_missed(field: str) -> None:
    without = {name: value for name, value in LAN.items() if name != field}
    assert f"{field}: is missing" in reasons(without)
    assert f"{field}: is missing" in reasons({**LAN, field: None})


@pytest.mark.parametrize("field", sorted(LAN))
@pytest.mark.parametrize("value", [1, True, ["x"], {}, 1.5])
def test_everything_is_text(field: str, value: object) -> None:
    assert reasons({**LAN, field: value}) == (f"{field}: must be text",)


def test_a_real_person_is_read_in_production_only() -> None:
    assert read_line(real(), "production", NOW).personal_number == REAL_PREFIX + "199000001"
    for mode in ("demo", "sandbox"):
        assert reasons(real(), mode) == ("personal_number: must begin with 000 outside production",)


def test_a_fictitious_person_is_refused_in_production() -> None:
    found = reasons(LAN, "production")
    assert found == (
        "personal_number: must not begin with 000 in production",
        "password: is not taken in production",
        "totp_secret: is not taken in production",
    )


def test_production_refuses_a_century_that_has_not_begun() -> None:
    line = real(personal_number=REAL_PREFIX + "999000001")
    assert reasons(line, "production") == ("personal_number: names a century of birth that has not begun",)
    assert read_line({**line, "proofing": "vnf"}, "production", NOW).proofing is Proofing.VNF


def test_a_number_and_a_birth_date_may_disagree() -> None:
    assert read_line({**LAN, "birthdate": "1960"}, "demo", NOW).personal_data.birthdate == "1960"


IDCARD = {"type": "document", "document_details": {"type": "idcard"}}


def test_evidence_is_read_and_optional() -> None:
    checks = [{"check_method": "vcrypt", "time": "2025-03-01T09:00:00+07:00"}]
    entry = read_line({**LAN, "evidence": [{**IDCARD, "check_details": checks}]}, "demo", NOW)
    checked_at = datetime(2025, 3, 1, 2, tzinfo=UTC)
    assert entry.personal_data.evidence == (
        Evidence(DocumentType.IDCARD, (Check(CheckMethod.VCRYPT, checked_at),)),
    )
    assert read_line({**LAN, "evidence": None}, "demo", NOW).personal_data.evidence is None


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ("idcard", "evidence: must be an array of 1 to 8 objects"),
        (
            [{**IDCARD, "document_details": {"type": "idcard", "document_number": "C1234567"}}],
            "evidence: has a member that is not taken; those taken here are type",
        ),
        (
            [{**IDCARD, "check_details": [{"check_method": "vpip", "time": "2026-11-21T12:00:01Z"}]}],
            "evidence: time must not be in the future",
        ),
    ],
)
def test_r6_evidence_is_read_strictly(evidence: object, reason: str) -> None:
    assert reasons({**LAN, "evidence": evidence}) == (reason,)


def test_an_unknown_mode_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="staging"):
        read_line(LAN, "staging", NOW)


GOOD = [
    ("name", "H'Len Niê", "H'Len Niê"),
    ("name", "Y Moan", "Y Moan"),
    ("name", "Lan", "Lan"),
    ("name", "Jean-Paul D\u2019Arc Jr.", "Jean-Paul D\u2019Arc Jr."),
    ("name", "  Nguyễn   Thị Lan ", "Nguyễn Thị Lan"),
    ("name", unicodedata.normalize("NFD", "Nguyễn Thị Lan"), "Nguyễn Thị Lan"),
    ("name", "Hoà", "Hoà"),
    ("name", "Hòa", "Hòa"),
    ("name", "Nguyễn Thị Lan (giả lập)", "Nguyễn Thị Lan"),
    ("name", "ả" * 200, "ả" * 200),
    ("birthdate", "1960", "1960"),
    ("birthdate", "2000-02-29", "2000-02-29"),
    ("birthdate", "2026-11-21", "2026-11-21"),
    ("birthdate", "2026", "2026"),
    ("gender", "Nam", "male"),
    ("gender", unicodedata.normalize("NFD", "Nữ"), "female"),
    ("gender", "male", "male"),
    ("nationality", "VNM", "VNM"),
    ("email", "a.b+c@sub.mail.example", "a.b+c@sub.mail.example"),
    ("address", "Số 1,\u00a0ngõ 2/3", "Số 1, ngõ 2/3"),
]


@pytest.mark.parametrize(("field", "value", "read"), GOOD)
def test_a_good_value(field: str, value: str, read: str) -> None:
    assert getattr(read_line({**LAN, field: value}, "demo", NOW).personal_data, field) == read


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("personal_number", ""),
        ("personal_number", "00019900000"),
        ("personal_number", "0001990000012"),
        ("personal_number", "000 199000001"),
        ("personal_number", "\N{ARABIC-INDIC DIGIT ZERO}" * 12),
        ("personal_number", "000199000001\n"),
        ("name", ""),
        ("name", "   "),
        ("name", "(giả lập)"),
        ("name", "Lan 2"),
        ("name", "Lan\u202egnab"),
        ("name", "Lan\u200b"),
        ("name", "Lan\u3164"),
        ("name", "Lan\x00"),
        ("name", "Lan\nNiê"),
        ("name", "\u0300Lan"),
        ("name", "'Len"),
        ("name", "<b>Lan</b>"),
        ("name", "Lan\ud800"),
        ("name", "ả" * 201),
        ("name", "a" + "\u0300" * 5000),
        ("birthdate", "2026-11-22"),
        ("birthdate", "2027"),
        ("birthdate", "1895"),
        ("birthdate", "0000"),
        ("birthdate", "1999-02-29"),
        ("birthdate", "19990228"),
        ("birthdate", "1999-W01-1"),
        ("birthdate", "28/02/1999"),
        ("birthdate", "1999-02"),
        ("gender", "F"),
        ("gender", ""),
        ("nationality", "vn"),
        ("nationality", "Việt Nam"),
        ("phone_number", "0000000001"),
        ("phone_number", "+84 000 000 001"),
        ("phone_number", "+8400000000"),
        ("phone_number", "+12025550123"),
        ("email", "lan"),
        ("email", "lan@mail"),
        ("email", "lan@mail.example\n"),
        ("email", "Lan <lan@mail.example>"),
        ("email", "lan@@mail.example"),
        ("email", "a" * 65 + "@mail.example"),
        ("email", "a@" + "b." * 126 + "example"),
        ("address", ""),
        ("address", "x" * 301),
        ("address", "Phố\u2066Huế"),
        ("proofing", "VN2"),
        ("proofed_at", "2026-11-21T12:00:01Z"),
        ("proofed_at", "2026-11-22"),
        ("proofed_at", "2025-03-01T09:30:00"),
        ("proofed_at", "2025-02-30"),
        ("proofed_at", "2025-03-01T99:00:00Z"),
        ("proofed_at", "0001-01-01"),
        ("proofed_at", "2025-03-01 09:30"),
        ("proofed_at", "yesterday"),
        ("status", "dead"),
        ("password", ""),
        ("password", "x" * 257),
        ("totp_secret", ""),
        ("totp_secret", "GEZDGNBVGY3TQOJQ"),
        ("totp_secret", "GEZDGNBVGY3TQOJQGEZDGNBVG0189"),
        ("totp_secret", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQA"),
        ("totp_secret", "A" * 112),
        ("totp_secret", "ấ" * 32),
    ],
)
def test_a_bad_value_is_the_one_reason(field: str, value: str) -> None:
    (reason,) = reasons({**LAN, field: value})
    assert reason.startswith(f"{field}: ")


def test_a_foreigner_may_have_a_foreign_phone() -> None:
    line = {**LAN, "proofing": "vnf", "phone_number": "+12025550123"}
    assert read_line(line, "demo", NOW).personal_data.phone_number == "+12025550123"
    assert reasons({**line, "phone_number": "+8400000000"}) == (
        "phone_number: must be an E.164 number: +, country and number, digits only",
    )


def test_a_day_of_proofing_begins_at_midnight_in_viet_nam() -> None:
    entry = read_line({**LAN, "proofed_at": "2026-11-21"}, "demo", NOW)
    assert entry.proofed_at == datetime(2026, 11, 20, 17, tzinfo=UTC)


def test_today_is_today_in_viet_nam() -> None:
    evening = datetime(2026, 11, 21, 17, tzinfo=UTC)
    assert read_line({**LAN, "birthdate": "2026-11-22"}, "demo", evening)


def test_a_totp_secret_as_apps_show_it() -> None:
    shown = "gezd gnbv gy3t qojq gezd gnbv gy3t qojq ===="
    assert read_line({**LAN, "totp_secret": shown}, "demo", NOW).totp_secret == SECRET


def test_nothing_that_identifies_or_lets_in_stands_in_logs() -> None:
    text = repr(read_line(LAN, "demo", NOW))
    assert not any(str(LAN[name]) in text for name in ("personal_number", "name", "password", "totp_secret"))


@given(st.dictionaries(st.one_of(st.sampled_from(sorted(LAN)), st.text()), st.one_of(st.none(), st.text())))
def test_whatever_comes_in_is_read_or_refused_with_reasons(changes: dict[str, object]) -> None:
    try:
        entry = read_line({**LAN, **changes}, "demo", NOW)
    except InvalidRegisterLineError as refused:
        reasons = refused.reasons
    else:
        reasons = ()
        assert unicodedata.is_normalized("NFC", entry.personal_data.name)
    assert all(": " in reason for reason in reasons)


def test_a_fictitious_person_is_shown_as_one() -> None:
    assert shown_name("Nguyễn Thị Lan", is_demo=True) == "Nguyễn Thị Lan (giả lập)"
    assert shown_name("Nguyễn Thị Lan", is_demo=False) == "Nguyễn Thị Lan"
