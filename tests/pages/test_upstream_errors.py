"""What ERRORS.md says of signing in at other providers is so."""

from pathlib import Path

from idp.pages.upstream_views import REFERENCE_CODES, STATUS, UpstreamTrouble
from tests.test_documentation import rows, section

ERRORS = (Path(__file__).resolve().parents[2] / "idp" / "ERRORS.md").read_text()


def test_every_trouble_has_a_code_a_status_and_an_explanation() -> None:
    told = rows(section(ERRORS, "## Signing in at other providers"))
    assert [row[:3] for row in told] == [
        [REFERENCE_CODES[each], f"`{each}`", str(STATUS[each])] for each in UpstreamTrouble
    ]
    assert [row for row in told if not all(row)] == []
