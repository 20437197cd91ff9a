"""QR codes as SVG: dark on light whatever the colours around, few and large modules. ISO/IEC 18004.

An old camera reads a code by its modules, so the text decides: what would need more of them than a phone's
page can show large enough is refused here, not found out before a screen.
"""

from dataclasses import dataclass
from itertools import groupby

import segno
from markupsafe import Markup

QUIET_ZONE = 4
"""Light modules around the code (ISO/IEC 18004 §9.1)."""

LARGEST_VERSION = 10
"""57 modules and the quiet zone: almost 4 px each on a page 320 px wide, 1 mm in a printed letter."""


class TextTooLongError(ValueError):
    """The text needs a code that an old camera would not read from a phone's page."""


@dataclass(frozen=True, slots=True)
class QRCode:
    """A code: how many modules a side has, quiet zone included, and its dark modules as an SVG path."""

    side: int
    path: str

    def as_svg(self, label: str) -> Markup:
        """Return the drawing with a text for those who do not see it, to stand within a page.

        Colours are attributes, not styles: a Content-Security-Policy without inline styles allows them, and
        they stay as they are in the dark.
        """
        return _SVG.format(label=label, side=self.side, path=self.path)


_SVG = Markup(
    '<svg class="qr" role="img" aria-label="{label}" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"'
    ' xmlns="http://www.w3.org/2000/svg"><rect width="{side}" height="{side}" fill="#fff"/>'
    '<path stroke="#000" d="{path}"/></svg>'
)


def qr_code(text: str) -> QRCode:
    """Draw a text, an address most often. Raises TextTooLongError.

    A sixth of the code may be unreadable (level M), or more where that makes no larger code.
    """
    drawn = segno.make(text, error="m", micro=False)
    if int(drawn.version) > LARGEST_VERSION:
        raise TextTooLongError(f"{len(text)} characters need version {drawn.version} of a QR code")
    rows = [list(row) for row in drawn.matrix]
    path = "".join(_runs(row, y) for y, row in enumerate(rows, QUIET_ZONE))
    return QRCode(len(rows) + 2 * QUIET_ZONE, path)


def _runs(row: list[int], y: int) -> str:
    """Return a row's dark modules as strokes, one for each run of neighbours."""
    path, skipped = f"M{QUIET_ZONE} {y}.5", 0
    for is_dark, run in groupby(row):
        width = len(list(run))
        if is_dark:
            path += f"m{skipped} 0h{width}" if skipped else f"h{width}"
        skipped = 0 if is_dark else width
    return path
