"""The drawing is the code: read back from its path it is, module by module, what the encoder made."""

import re
from xml.etree import ElementTree as ET

import pytest
import segno

from idp.web.qr_codes import LARGEST_VERSION, QUIET_ZONE, TextTooLongError, qr_code

ADDRESS = "https://id.lienket.example/app/request/" + "k" * 43


def modules(path: str, side: int) -> list[list[int]]:
    """Read strokes of one module's height back into modules."""
    read = [[0] * side for _ in range(side)]
    x = y = 0
    for command, first, second in re.findall(r"([Mmh])(\d+)(?: ([\d.]+))?", path):
        if command == "M":
            x, y = int(first), int(float(second))
        elif command == "m":
            x += int(first)
        else:
            read[y][x : x + int(first)] = [1] * int(first)
            x += int(first)
    return read


@pytest.mark.parametrize(
    "text", ["1", ADDRESS, "otpauth://totp/Lienket:Lan?secret=" + "A" * 32, "Trần Thị Lan"]
)
def test_the_path_is_the_code_with_its_quiet_zone(text: str) -> None:
    code = qr_code(text)
    made = segno.make(text, error="m", micro=False)
    expected = [list(row) for row in made.matrix_iter(border=QUIET_ZONE)]
    assert modules(code.path, code.side) == expected


def test_a_code_is_dark_on_light_and_says_what_it_is() -> None:
    svg = ET.fromstring(qr_code(ADDRESS).as_svg('Mã QR "này" <b>'))
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == 'Mã QR "này" <b>'
    ground, dark = svg
    assert (ground.get("fill"), dark.get("stroke")) == ("#fff", "#000")
    assert "style" not in svg.attrib


def test_modules_stay_large_enough_for_an_old_camera() -> None:
    longest = "x" * 213
    assert qr_code(longest).side == 17 + 4 * LARGEST_VERSION + 2 * QUIET_ZONE
    with pytest.raises(TextTooLongError):
        qr_code(longest + "x")


def test_a_drawing_is_small() -> None:
    assert len(qr_code(ADDRESS).as_svg("QR")) < 4_000
