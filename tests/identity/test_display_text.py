"""Text that a person will read. Unicode TR36; abuse class P11."""

import pytest

from idp.identity.display_text import is_displayable


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("@lan", id="a handle"),
        pytest.param("Nguyễn Thị Lan", id="Vietnamese, composed"),
        pytest.param("Nguye\u0302\u0303n", id="Vietnamese, decomposed"),
        pytest.param('<b>lan</b> & "co"', id="P11 markup is plain text, escaped where it is shown"),
        pytest.param("Lan 🌸", id="emoji"),
    ],
)
def test_visible_text_is_displayable(text: str) -> None:
    assert is_displayable(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("  ", id="blank"),
        pytest.param("\u00a0\u3000", id="blank in other spaces"),
        pytest.param("la\nn", id="line feed"),
        pytest.param("la\0n", id="NUL"),
        pytest.param("la\x7fn", id="delete"),
        pytest.param("la\x85n", id="next line"),
        pytest.param("la\u2028n", id="line separator"),
        pytest.param("\u202enal", id="TR9 right-to-left override"),
        pytest.param("\u2066lan", id="TR9 isolate"),
        pytest.param("la\u200fn", id="TR9 right-to-left mark"),
        pytest.param("la\u200bn", id="TR36 zero-width space"),
        pytest.param("la\u200dn", id="TR36 zero-width joiner"),
        pytest.param("\ufefflan", id="TR36 byte order mark"),
        pytest.param("la\u00adn", id="TR36 soft hyphen"),
        pytest.param("lan\U000e0061", id="TR36 tag character"),
        pytest.param("\u3164", id="TR36 Hangul filler"),
        pytest.param("\u2800", id="TR36 blank braille"),
        pytest.param("\ue000", id="private use"),
        pytest.param("\ud800", id="lone surrogate"),
    ],
)
def test_invisible_text_is_not_displayable(text: str) -> None:
    assert not is_displayable(text)
