"""The printable letter with an activation code: one HTML file that needs nothing else, for its printer alone.

It holds a code that opens an account, so it is written with mode 0600 to a path that must not exist yet, made
before anything is stored: whoever cannot print issues no code. It names the person and, by post, their
address; of the personal number only the end, for whoever finds a letter must not have what is asked beside
the code.

The QR code holds the address of the page with the code behind `#` (RFC 3986 §3.5). What stands there is sent
to no server: not in the request, not in `Referer`, not in a log or a proxy, as a query would be; the page
moves it into its field and forgets it. A phone's own list of what it scanned still holds it, which is one
reason more why the code alone opens nothing.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from idp.identity.activation_codes import shown_activation_code
from idp.identity.activation_grounds import Ground
from idp.identity.assurance import Proofing
from idp.identity.citizens import VIET_NAM, Citizen
from idp.operators.output import CommandFailedError
from idp.web.activations import Handed
from idp.web.qr_codes import qr_code

LANGUAGES = ("vi", "en")
"""The languages of letters, the default first (R23): letter_vi.html and letter_en.html beside this file."""
_HERE = Path(__file__).parent
SHOWN_DIGITS = 3
"""How many digits of a personal number stand in a letter: enough to find one's own among two."""


@dataclass(frozen=True, slots=True)
class LetterFile:
    """A file that is there, empty, and waits for its letter."""

    path: Path
    descriptor: int

    def write(self, content: bytes) -> None:
        """Write the letter to the disk. Raises CommandFailedError; the code must be printed anew then."""
        try:
            with os.fdopen(os.dup(self.descriptor), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CommandFailedError(
                f"{self.path}: {error.strerror}. The code is issued; `idp activations letter` prints it anew."
            ) from error


@contextlib.contextmanager
def letter_file(path: Path) -> Iterator[LetterFile]:
    """Make the file for a letter, for its owner alone; take it away again when nothing comes of it.

    Raises CommandFailedError where it cannot be made, or is there already.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise CommandFailedError(f"{path}: {error.strerror}. No code was issued.") from error
    try:
        yield LetterFile(path, descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def render_letter(
    issuer: str, citizen: Citizen, personal_number: str | None, handed: Handed, language: str
) -> bytes:
    """Return the letter as HTML that needs no other file and no network."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    activation, shown = handed.activation, shown_activation_code(handed.code)
    address = f"{issuer}/activate"
    is_by_post = activation.ground is Ground.POST
    page = environment.get_template(f"letter_{language}.html").render(
        host=urlsplit(issuer).netloc,
        name=citizen.personal_data.name,
        postal_address=citizen.personal_data.address if is_by_post else None,
        number_end=None if personal_number is None else personal_number[-SHOWN_DIGITS:],
        code=shown,
        qr=qr_code(f"{address}#{shown}").as_svg(address),
        address=address,
        purpose=activation.purpose.value,
        ground=activation.ground.value,
        issued_at=_day(activation.issued_at),
        usable_from=_moment(activation.usable_from),
        expires_at=_moment(activation.expires_at),
        is_early=activation.usable_from > activation.issued_at,
    )
    return page.encode()


def language_of(citizen: Citizen, wished: str | None) -> str:
    """Return the language of a letter: the one that was asked for; else English for a foreigner."""
    return wished or ("en" if citizen.proofing is Proofing.VNF else LANGUAGES[0])


def _day(at: datetime) -> str:
    return f"{at.astimezone(VIET_NAM):%d/%m/%Y}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(VIET_NAM):%d/%m/%Y, %H:%M}"
