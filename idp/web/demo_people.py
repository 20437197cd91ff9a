"""The fictitious people of the demonstration, and their one-time codes."""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyotp

CITIZENS = Path(__file__).with_name("demo_citizens.jsonl")


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One person of the packaged file, with everything needed to sign in."""

    personal_number: str
    name: str
    birthdate: str
    proofing: str
    status: str
    password: str
    totp_secret: str
    phone_number: str | None = None

    def answers_to(self, words: str) -> bool:
        """Tell whether the words are this person's number, phone, name or a part of the name."""
        wanted = _folded(words)
        return (
            wanted in {self.personal_number, self.phone_number, _folded(self.name)}
            or wanted in _folded(self.name).split()
        )

    def one_time_code(self) -> str:
        """Return the code that this person's authenticator app shows now (RFC 6238)."""
        return pyotp.TOTP(self.totp_secret).now()


def demo_people() -> Sequence[DemoPerson]:
    """Read the packaged people."""
    names = DemoPerson.__dataclass_fields__
    with CITIZENS.open(encoding="utf-8") as lines:
        people = [json.loads(line) for line in lines]
    return [DemoPerson(**{name: person[name] for name in names if name in person}) for person in people]


def _folded(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).casefold().split())
