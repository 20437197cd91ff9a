"""The list of leaked passwords: what is in it, what is not, and that it is the one that is written about."""

import random
from hashlib import sha256
from pathlib import Path

import pytest

from idp.authenticators import common_passwords as listed
from idp.authenticators.common_passwords import CommonPasswords, common_password_table, common_passwords, fold


def test_the_table_is_the_one_that_its_module_tells_of() -> None:
    table = Path(listed.__file__).with_suffix(".bin").read_bytes()
    assert sha256(table).hexdigest() == listed.SHA256
    assert len(common_passwords()) == listed.SIZE


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "12345678",
        "Iloveyou",
        "qwertyuiop",
        "trustno1",
        "football1",
        "anhyeuem",
        "khongbiet",
        "matkhau1",
    ],
)
def test_a_leaked_password_is_found(password: str) -> None:
    assert fold(password) in common_passwords()


@pytest.mark.parametrize("password", ["", "1234567", "khoai môn chiên", "\ud800" * 8])
def test_another_is_not(password: str) -> None:
    assert fold(password) not in common_passwords()


def test_only_a_text_can_be_in_it() -> None:
    assert 12345678 not in common_passwords()


def test_hardly_any_password_is_refused_for_nothing() -> None:
    chance = random.Random(5)
    invented = ("".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=16)) for _ in range(50_000))
    assert sum(password in common_passwords() for password in invented) <= 1


def test_of_a_list_whatever_is_long_enough_is_kept_folded() -> None:
    made = CommonPasswords(
        common_password_table(
            ["Mật Khẩu 1", "short", "matkhau1", "\uff57\uff49\uff44\uff45 \uff57\uff49\uff44\uff45"]
        )
    )
    assert len(made) == 2
    assert all(fold(password) in made for password in ("mat khau 1", "widewide"))
    assert fold("short") not in made


@pytest.mark.parametrize(
    "table", [b"", b"\x00" * 65_535, b"\x01" + b"\x00" * 65_535, b"\x00" * 65_536 + b"abc"]
)
def test_what_is_no_table_is_refused(table: bytes) -> None:
    with pytest.raises(ValueError, match="no table"):
        CommonPasswords(table)


@pytest.mark.parametrize(
    ("password", "folded"),
    [
        ("Mật khẩu", "matkhau"),
        ("Mật khẩu".replace("ậ", "a\u0323\u0302"), "matkhau"),
        ("ĐƯỜNG", "duong"),
        ("\uff50\uff41\uff53\uff53\u3000\ufb01ve", "passfive"),
        ("a\u200bb\u00adc", "abc"),
        ("P@ss!", "p@ss!"),
        ("Straße", "strasse"),
    ],
)
def test_a_password_is_folded_as_whoever_guesses_does(password: str, folded: str) -> None:
    assert fold(password) == folded
