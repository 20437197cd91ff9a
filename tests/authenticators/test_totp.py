"""One-time codes: the published vectors, the window, and that no code is good twice (abuse case 19)."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.authenticators.totp import WrongCodeError, provisioning_uri, step_at, verify_totp

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc6238_b.json").read_text())
SECRET = base64.b32encode(VECTORS["secret_ascii"].encode()).decode()
NOW = datetime(2026, 11, 21, 12, 0, 10, tzinfo=UTC)
STEP = timedelta(seconds=30)


def code_at(moment: datetime) -> str:
    return pyotp.TOTP(SECRET).generate_otp(step_at(moment))


@pytest.mark.parametrize("row", VECTORS["rows"], ids=lambda row: f"RFC 6238 B time {row['time']}")
def test_rfc6238_appendix_b(row: dict[str, str | int]) -> None:
    now = datetime.fromtimestamp(int(row["time"]), UTC)
    # Six digits of the same truncated value are the last six of eight (RFC 4226 §5.3).
    six_digits = str(row["totp"])[-6:]
    assert verify_totp(SECRET, six_digits, now, None) == int(str(row["t_hex"]), 16)


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_rfc6238_5_2_one_step_beside_is_accepted(steps: int) -> None:
    assert verify_totp(SECRET, code_at(NOW + steps * STEP), NOW, None) == step_at(NOW) + steps


@pytest.mark.parametrize("steps", [-2, 2, 120])
def test_rfc6238_5_2_two_steps_beside_are_not(steps: int) -> None:
    with pytest.raises(WrongCodeError):
        verify_totp(SECRET, code_at(NOW + steps * STEP), NOW, None)


def test_abuse_19_a_code_is_good_for_one_use() -> None:
    code = code_at(NOW)
    used = verify_totp(SECRET, code, NOW, None)
    with pytest.raises(WrongCodeError):
        verify_totp(SECRET, code, NOW, used)
    with pytest.raises(WrongCodeError):
        verify_totp(SECRET, code, NOW + STEP, used)


def test_abuse_19_a_code_of_an_earlier_step_is_refused_after_a_later_one() -> None:
    used = verify_totp(SECRET, code_at(NOW + STEP), NOW, None)
    for earlier in (NOW, NOW - STEP):
        with pytest.raises(WrongCodeError):
            verify_totp(SECRET, code_at(earlier), NOW, used)


def test_the_next_code_is_good_after_the_last() -> None:
    used = verify_totp(SECRET, code_at(NOW), NOW, None)
    assert verify_totp(SECRET, code_at(NOW + STEP), NOW + STEP, used) == used + 1


def test_spaces_as_apps_show_them_are_ignored() -> None:
    code = code_at(NOW)
    assert verify_totp(SECRET, f" {code[:3]} {code[3:]} ", NOW, None) == step_at(NOW)


def fullwidth(code: str) -> str:
    return "".join(chr(ord(digit) + 0xFEE0) for digit in code)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("", id="empty"),
        pytest.param(code_at(NOW)[:5], id="five digits"),
        pytest.param(code_at(NOW) + "0", id="seven digits"),
        pytest.param("+" + code_at(NOW)[1:], id="sign"),
        pytest.param(fullwidth(code_at(NOW)), id="full-width digits"),
        pytest.param("²" * 6, id="superscripts"),
        pytest.param(code_at(NOW) + "\n", id="line break"),
        pytest.param("\x00" * 6, id="null bytes"),
    ],
)
def test_anything_but_six_ascii_digits_is_wrong(code: str) -> None:
    with pytest.raises(WrongCodeError):
        verify_totp(SECRET, code, NOW, None)


@given(st.text(max_size=12))
def test_no_text_is_more_than_a_wrong_code(code: str) -> None:
    try:
        step = verify_totp(SECRET, code, NOW, None)
    except WrongCodeError:
        return
    assert code.replace(" ", "") == code_at(NOW + (step - step_at(NOW)) * STEP)


def test_the_first_step_of_time_has_no_step_before() -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert verify_totp(SECRET, code_at(epoch), epoch, None) == 0


def test_the_provisioning_uri_names_issuer_account_and_secret() -> None:
    uri = urlsplit(provisioning_uri(SECRET, "Lan (giả lập)", "Lienket"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query) == {"secret": [SECRET], "issuer": ["Lienket"]}
