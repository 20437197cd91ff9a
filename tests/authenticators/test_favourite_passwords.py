"""What is guessed first in Viet Nam, in whatever way it is typed and whatever stands around it."""

import pytest

from idp.authenticators.common_passwords import fold
from idp.authenticators.favourite_passwords import is_date, is_favourite
from idp.authenticators.vietnamese_typing import typed_forms

FAVOURITES = [
    pytest.param("mật khẩu", id="with marks"),
    pytest.param("matkhau99", id="without"),
    pytest.param("maatjkhaaur", id="Telex, marks at once"),
    pytest.param("mataj khauar", id="Telex, marks at the end"),
    pytest.param("ma65tkha63u", id="VNI, marks at once"),
    pytest.param("mat65khau63", id="VNI, marks at the end"),
    pytest.param("M4tKh4u!", id="look-alikes"),
    pytest.param("Anhyeuem@123", id="a usual ending"),
    pytest.param("2024hanoi!", id="a year before"),
    pytest.param("huong12031995", id="a name and a birthday"),
    pytest.param("minhanh123456789", id="a name and a row of keys"),
    pytest.param("lan686868", id="a name and lucky numbers"),
    pytest.param("nguyễn văn a", id="a name from every form"),
    pytest.param("tôi yêu việt nam", id="a sentence"),
    pytest.param("vneid2026", id="what it is for"),
    pytest.param("lienket1", id="our own name"),
    pytest.param("123qweasd", id="rows of keys"),
    pytest.param("qwerty2019", id="a row and a year"),
    pytest.param("0987654321", id="backwards"),
    pytest.param("zyxwvuts", id="the alphabet backwards"),
    pytest.param("7979797979", id="a pair repeated"),
    pytest.param("anhyeuemanhyeuem", id="a favourite repeated"),
    pytest.param("01/01/1990", id="a day"),
]


@pytest.mark.parametrize("password", FAVOURITES)
def test_a_favourite_is_known_however_it_is_typed(password: str) -> None:
    assert is_favourite(fold(password))


@pytest.mark.parametrize(
    "password",
    [
        "",
        "khoai môn chiên",
        "48311239972",
        "84920175",
        "gió 7 mưa 3 nắng",
        "🔑🔒🗝️🚪🏠",
        "x" * 40 + "9",
        "19900230",
    ],
)
def test_another_password_is_none(password: str) -> None:
    assert not is_favourite(fold(password))


def test_a_persons_own_words_are_their_favourites() -> None:
    assert is_favourite("khoaimon2024", {"khoaimon"})
    assert not is_favourite("khoaimonchien", {"khoaimon"})


@pytest.mark.parametrize("text", ["31121999", "12311999", "1999-12-31", "29022024"])
def test_a_day_is_a_day_in_any_order(text: str) -> None:
    assert is_date(text)


@pytest.mark.parametrize(
    "text",
    [
        "29022023",
        "31122040",
        "31121899",
        "3112199",
        "31121999a",
        "\u0663\u0661\u0661\u0662\u0661\u0669\u0669\u0669",
    ],
)
def test_what_is_no_day_is_none(text: str) -> None:
    assert not is_date(text)


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("Đường", {"duong", "dduowfng", "dduwowngf", "dduowngf", "d9uo72ng", "d9u7o7ng2", "dduongwf"}),
        ("việt", {"viet", "vieejt", "vieetj", "vietej", "vie65t", "vie6t5", "viet65"}),
        ("anh", {"anh"}),
    ],
)
def test_a_word_is_typed_by_telex_and_by_vni(word: str, forms: set[str]) -> None:
    assert forms <= typed_forms(word)


def test_the_longest_password_is_judged_as_fast_as_a_short_one() -> None:
    assert not is_favourite("ab" * 127 + "c1")
    assert not is_favourite("1" * 255 + "đ")
