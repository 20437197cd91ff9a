"""Passwords. Few hashes are made here, for each takes some 25 ms."""

import pytest
from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError

from idp.authenticators.password import (
    DUMMY_HASH,
    PasswordRefusedError,
    PersonalFacts,
    WrongPasswordError,
    check_password,
    hash_password,
    needs_rehash,
    verify_password,
)

HASH = hash_password("Đường về nhà")


def test_a_hash_verifies_its_password() -> None:
    verify_password(HASH, "Đường về nhà")


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("Duong ve nha", id="marks stripped"),
        pytest.param("đường về nhà", id="other case"),
        pytest.param("Đường về nhà ", id="a space more: nothing is trimmed"),
        pytest.param("", id="empty"),
        pytest.param("\ud800", id="lone surrogate"),
    ],
)
def test_another_password_is_wrong(password: str) -> None:
    with pytest.raises(WrongPasswordError):
        verify_password(HASH, password)


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("Đươ\u0300ng vê\u0300 nha\u0300", id="combining marks"),
        pytest.param("Đường\u00a0về\u3000nhà", id="other spaces"),
    ],
)
def test_rfc8265_the_same_password_matches_however_it_is_typed(password: str) -> None:
    verify_password(HASH, password)


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("Đường về nhà") != HASH


def test_a_megabyte_of_password_is_refused_without_hashing() -> None:
    # The stored hash is not even looked at, or this would be another error.
    with pytest.raises(WrongPasswordError):
        verify_password("no hash at all", "x" * 1025)


def test_what_is_kept_but_no_hash_is_not_the_persons_fault() -> None:
    with pytest.raises(InvalidHashError):
        verify_password("no hash at all", "x")


def test_rfc9106_the_costs_are_nineteen_mebibytes_and_two_passes_of_argon2id() -> None:
    assert HASH.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not needs_rehash(HASH)
    assert needs_rehash(HASH.replace("t=2", "t=1"))


def test_abuse_p6_the_dummy_costs_what_a_real_hash_costs_and_matches_nothing() -> None:
    assert extract_parameters(DUMMY_HASH) == extract_parameters(HASH)
    assert not needs_rehash(DUMMY_HASH)
    with pytest.raises(WrongPasswordError):
        verify_password(DUMMY_HASH, "")


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("tám chữ.", id="eight characters"),
        pytest.param("a" * 255 + "b", id="256 characters"),
        pytest.param("correct horse battery staple", id="spaces"),
        pytest.param("khoai môn chiên", id="no composition rules"),
        pytest.param("48311239972", id="digits alone"),
        pytest.param("mot con vit xoe ra hai cai canh", id="a line of a song"),
        pytest.param("🔑🔒🗝️🚪🏠🌊🐘", id="emoji"),
    ],
)
def test_nist_a_password_may_be_anything_long_enough(password: str) -> None:
    check_password(password)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        pytest.param("", "too_short", id="empty"),
        pytest.param("bảy chữ", "too_short", id="seven characters"),
        pytest.param("bảy chữ".replace("ả", "a\u0309"), "too_short", id="a mark does not count"),
        pytest.param("ab" * 129, "too_long", id="258 characters"),
        pytest.param("🔑🔒" * 129, "too_long", id="more than 1024 bytes"),
        pytest.param("a line\nbreak", "control_character", id="line break"),
        pytest.param("surrogate \ud800", "control_character", id="lone surrogate"),
        pytest.param("PassWord", "too_common", id="common, whatever the case"),
        pytest.param("mật khẩu", "too_common", id="common in Vietnamese"),
        pytest.param("zzzzzzzzzz", "too_common", id="one character repeated"),
    ],
)
def test_nist_a_password_that_may_not_be_chosen(password: str, reason: str) -> None:
    with pytest.raises(PasswordRefusedError) as refused:
        check_password(password)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("Nguyễn Thị Lan", id="the name"),
        pytest.param("lan.nguyenthi", id="the name, given name first"),
        pytest.param("ThiLan@2011", id="a part of it and a year"),
        pytest.param("000190123456", id="the personal number"),
        pytest.param("0000 123 456 a", id="the phone as people write it"),
        pytest.param("my+84000123456", id="the phone as networks write it"),
    ],
)
def test_nist_what_a_stranger_knows_of_a_person_is_no_password(password: str) -> None:
    lan = PersonalFacts("Nguyễn Thị Lan", ("000190123456", "+84000123456"))
    with pytest.raises(PasswordRefusedError) as refused:
        check_password(password, lan)
    assert refused.value.reason == "about_you"


def test_what_is_known_of_nobody_refuses_nothing() -> None:
    check_password("trà sữa trân châu", PersonalFacts("", ("",)))
