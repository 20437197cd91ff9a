"""Browsers by their headers: words of our own, whatever the header says."""

import pytest

from idp.authenticators.browser_names import browser_name

ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"{ANDROID} Safari/537.36", "Chrome, Android"),
        (f"{ANDROID} Safari/537.36 EdgA/126.0", "Edge, Android"),
        (f"{ANDROID} Safari/537.36 coc_coc_browser/126.0", "Cốc Cốc, Android"),
        (
            "Mozilla/5.0 (Linux; Android 9) SamsungBrowser/25.0 Chrome/121.0 Safari/5",
            "Samsung Internet, Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 15_8 like Mac OS X) Version/15.6 Safari/604.1",
            "Safari, iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
            "Firefox, Windows",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.4 Safari/605.1.15", "Safari, macOS"),
        ("Firefox/9", "Firefox"),
        ("Android", "Android"),
        ("", ""),
        ("<script>alert(1)</script>", ""),
    ],
)
def test_a_browser_is_called_by_program_and_system(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name
