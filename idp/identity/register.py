"""The register of citizens as it comes in, one line at a time and read strictly.

Domain facts: Circular 59/2021 (personal numbers), D69 (proofing), ITU-T E.164 (phones), ISO 3166-1.
A reason why a line is rejected names the field and the rule and never repeats the value, because
reports of rejected lines are read, mailed and kept.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TypeVar

from idp.identity.assurance import Proofing
from idp.identity.citizens import BIRTHDATE, VIET_NAM, CitizenStatus, PersonalData
from idp.identity.display_text import is_invisible
from idp.identity.evidence import Evidence, read_evidence
from idp.identity.identifiers import FOREIGN_PHONE, PERSONAL_NUMBER, VIETNAMESE_PHONE

T = TypeVar("T")

REQUIRED_FIELDS = ("personal_number", "name", "birthdate", "proofing", "proofed_at", "status")
OPTIONAL_FIELDS = ("gender", "nationality", "phone_number", "email", "address", "evidence", "guardian_of")
TRIAL_FIELDS = ("password", "totp_secret")
"""Outside production only: there, people bring what they sign in with, and no file ever holds it."""
_FIELDS = frozenset((*REQUIRED_FIELDS, *OPTIONAL_FIELDS, *TRIAL_FIELDS))

FICTITIOUS_PREFIX = "000"
"""No province has this code: a number that begins with it is nobody's."""
DEMO_MARK = "(giả lập)"

_OLDEST_AGE = 130
_LONGEST_TEXT = 300
_LONGEST_NAME = 200
_LONGEST_EMAIL = 254
_LONGEST_PASSWORD = 256
_MOST_CHILDREN = 200
"""Homes have one guardian for all who live there."""
_TOTP_SECRET_BYTES = range(16, 65)

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}.*)?")
_NATIONALITY = re.compile(r"[A-Z]{2,3}")
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_GENDERS = {"male": "male", "female": "female", "nam": "male", "nữ": "female"}
_NAME_PUNCTUATION = frozenset(" '\N{RIGHT SINGLE QUOTATION MARK}-.")


class Mode(StrEnum):
    """What kind of people an installation serves."""

    DEMO = "demo"
    SANDBOX = "sandbox"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One person as the register describes them; what identifies or lets in is kept out of its repr."""

    personal_number: str = field(repr=False)
    personal_data: PersonalData = field(repr=False)
    proofing: Proofing
    proofed_at: datetime
    status: CitizenStatus
    password: str | None = field(default=None, repr=False)
    """Not yet checked against the password rules, which live a layer above."""
    totp_secret: str | None = field(default=None, repr=False)
    """Base32 without padding."""
    guardian_of: tuple[str, ...] = field(default=(), repr=False)
    """Personal numbers of the children for whom this person speaks (R10)."""


class InvalidRegisterLineError(ValueError):
    """A line cannot be taken over; `reasons` are all of them, each "field: what is wrong"."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def read_line(raw: Mapping[str, object], mode: str, now: datetime) -> RegisterEntry:
    """Read one line of the register. Raises InvalidRegisterLineError with every reason at once.

    A production takes no fictitious people, and every other mode takes nobody else. A number and a
    birth date that disagree are accepted: numbers are re-issued and dates corrected.
    """
    mode = Mode(mode)
    line = _Line(raw)
    line.refuse_unknown()
    proofing = line.take("proofing", _one_of(Proofing))
    number = line.take("personal_number", lambda text: _personal_number(text, mode, proofing, now))
    name = line.take("name", lambda text: _name(text, mode))
    birthdate = line.take("birthdate", lambda text: _birthdate(text, now))
    proofed_at = line.take("proofed_at", lambda text: _past_moment(text, now))
    status = line.take("status", _one_of(CitizenStatus))
    gender = line.take("gender", _gender)
    nationality = line.take("nationality", _nationality)
    phone_number = line.take("phone_number", lambda text: _phone_number(text, proofing))
    email = line.take("email", _email)
    address = line.take("address", _address)
    evidence = line.take_any("evidence", lambda members: _past_evidence(members, now))
    guardian_of = line.take_any("guardian_of", lambda members: _children(members, mode, number, now))
    trial = _forbidden if mode is Mode.PRODUCTION else None
    password = line.take("password", trial or _password)
    totp_secret = line.take("totp_secret", trial or _totp_secret)
    if (
        line.reasons
        or number is None
        or name is None
        or birthdate is None
        or proofing is None
        or proofed_at is None
        or status is None
    ):
        raise InvalidRegisterLineError(tuple(line.reasons))
    return RegisterEntry(
        personal_number=number,
        personal_data=PersonalData(
            name=name,
            birthdate=birthdate,
            gender=gender,
            nationality=nationality,
            phone_number=phone_number,
            email=email,
            address=address,
            evidence=evidence,
        ),
        proofing=proofing,
        proofed_at=proofed_at,
        status=status,
        password=password,
        totp_secret=totp_secret,
        guardian_of=guardian_of or (),
    )


def shown_name(name: str, *, is_demo: bool) -> str:
    """Return a name as pages show it: nobody takes a fictitious person for a real one."""
    return f"{name} {DEMO_MARK}" if is_demo else name


class _Line:
    """A line being read; gathers what is wrong instead of stopping at the first."""

    def __init__(self, raw: Mapping[str, object]) -> None:
        self._raw = raw
        self.reasons: list[str] = []

    def refuse_unknown(self) -> None:
        self.reasons += [f"{name[:40]!r}: unknown field" for name in sorted(self._raw.keys() - _FIELDS)]

    def take(self, name: str, read: Callable[[str], T]) -> T | None:
        """Read a field that is text."""
        return self.take_any(name, lambda value: read(_text(value)))

    def take_any(self, name: str, read: Callable[[object], T]) -> T | None:
        value = self._raw.get(name)
        if value is None:
            if name in REQUIRED_FIELDS:
                self.reasons.append(f"{name}: is missing")
            return None
        try:
            return read(value)
        except ValueError as error:
            self.reasons.append(f"{name}: {error}")
            return None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("must be text")


Choice = TypeVar("Choice", bound=StrEnum)


def _one_of(choices: type[Choice]) -> Callable[[str], Choice]:
    def read(text: str) -> Choice:
        if text not in {choice.value for choice in choices}:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return choices(text)

    return read


def _personal_number(text: str, mode: Mode, proofing: Proofing | None, now: datetime) -> str:
    if not PERSONAL_NUMBER.fullmatch(text):
        raise ValueError("must be twelve digits")
    is_fictitious = text.startswith(FICTITIOUS_PREFIX)
    if mode is not Mode.PRODUCTION:
        if not is_fictitious:
            raise ValueError(f"must begin with {FICTITIOUS_PREFIX} outside production")
        return text
    if is_fictitious:
        raise ValueError(f"must not begin with {FICTITIOUS_PREFIX} in production")
    # The fourth digit names century and gender: 0 and 1 the 1900s, 2 and 3 the 2000s, and so on.
    # Foreigners' numbers are not built from a birth registration.
    if proofing is not Proofing.VNF and 1900 + 100 * (int(text[3]) // 2) > now.year:
        raise ValueError("names a century of birth that has not begun")
    return text


def _children(members: object, mode: Mode, own: str | None, now: datetime) -> tuple[str, ...]:
    if not isinstance(members, list) or len(members) > _MOST_CHILDREN:
        raise ValueError(f"must be an array of at most {_MOST_CHILDREN} personal numbers")
    # Children are Vietnamese or foreigners; which, their own line says.
    numbers = [_personal_number(_text(member), mode, Proofing.VNF, now) for member in members]
    if own in numbers or len(set(numbers)) < len(numbers):
        raise ValueError("must name every child once, and never the person themselves")
    return tuple(numbers)


def _seen(text: str, longest: int) -> str:
    """Return text in NFC with single spaces, refusing what is empty, too long or cannot be seen."""
    # The length is looked at first, for composing characters costs time.
    if len(text) > 4 * longest:
        raise ValueError(f"must be at most {longest} characters")
    if any(map(is_invisible, text)):
        raise ValueError("must not hold control or invisible characters")
    composed = " ".join(unicodedata.normalize("NFC", text).split())
    if not composed:
        raise ValueError("is empty")
    if len(composed) > longest:
        raise ValueError(f"must be at most {longest} characters")
    return composed


def _name(text: str, mode: Mode) -> str:
    name = _seen(text, _LONGEST_NAME)
    if mode is not Mode.PRODUCTION:
        # Test data is often copied from pages, which show the mark; it is never part of a name.
        name = name.removesuffix(DEMO_MARK).rstrip()
    if not name or unicodedata.category(name[0])[0] != "L":
        raise ValueError("must begin with a letter")
    if not all(unicodedata.category(c)[0] in {"L", "M"} or c in _NAME_PUNCTUATION for c in name):
        raise ValueError("may hold letters, spaces, apostrophes, hyphens and full stops only")
    return name


def _address(text: str) -> str:
    return _seen(text, _LONGEST_TEXT)


def _birthdate(text: str, now: datetime) -> str:
    if not BIRTHDATE.fullmatch(text):
        raise ValueError("must be YYYY-MM-DD, or YYYY where only the year is known")
    today = now.astimezone(VIET_NAM).date()
    try:
        born = date.fromisoformat(text if len(text) > 4 else f"{text}-01-01")
    except ValueError:
        raise ValueError("is no day of the calendar") from None
    if born > today:
        raise ValueError("must not be in the future")
    if born.year < today.year - _OLDEST_AGE:
        raise ValueError(f"must not be more than {_OLDEST_AGE} years ago")
    return text


def _past_moment(text: str, now: datetime) -> datetime:
    """Read a moment with its time zone, or a day, which begins at Viet Nam's midnight."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("must be an ISO 8601 date, or date and time with time zone")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no moment of the calendar") from None
    if "T" not in text:
        moment = datetime.combine(moment.date(), time(), VIET_NAM)
    if moment.tzinfo is None:
        raise ValueError("must name its time zone")
    if moment > now:
        raise ValueError("must not be in the future")
    if moment.year < now.year - _OLDEST_AGE:
        raise ValueError(f"must not be more than {_OLDEST_AGE} years ago")
    return moment.astimezone(UTC)


def _past_evidence(members: object, now: datetime) -> tuple[Evidence, ...]:
    evidence = read_evidence(members)
    times = [check.checked_at for each in evidence for check in each.checks if check.checked_at is not None]
    if max(times, default=now) > now:
        raise ValueError("time must not be in the future")
    return evidence


def _gender(text: str) -> str:
    gender = _GENDERS.get(unicodedata.normalize("NFC", text[:16]).casefold())
    if gender is None:
        raise ValueError("must be male, female, Nam or Nữ")
    return gender


def _nationality(text: str) -> str:
    if not _NATIONALITY.fullmatch(text):
        raise ValueError("must be an ISO 3166-1 code of two or three capital letters")
    return text


def _phone_number(text: str, proofing: Proofing | None) -> str:
    if VIETNAMESE_PHONE.fullmatch(text):
        return text
    if proofing is not Proofing.VNF:
        raise ValueError("must be +84 and nine digits")
    if not FOREIGN_PHONE.fullmatch(text):
        raise ValueError("must be an E.164 number: +, country and number, digits only")
    return text


def _email(text: str) -> str:
    if len(text) > _LONGEST_EMAIL or not _EMAIL.fullmatch(text):
        raise ValueError("must be one plain e-mail address")
    return text


def _password(text: str) -> str:
    if not 0 < len(text) <= _LONGEST_PASSWORD:
        raise ValueError(f"must be 1 to {_LONGEST_PASSWORD} characters")
    return text


def _totp_secret(text: str) -> str:
    secret = text.replace(" ", "").upper().rstrip("=")
    try:
        raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
    except binascii.Error:
        raise ValueError("must be base32") from None
    if len(raw) not in _TOTP_SECRET_BYTES:
        raise ValueError(f"must be {_TOTP_SECRET_BYTES[0]} to {_TOTP_SECRET_BYTES[-1]} bytes long")
    return secret


def _forbidden(_text: str) -> str:
    raise ValueError("is not taken in production")
