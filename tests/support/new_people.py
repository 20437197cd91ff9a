"""People of a journey's own, put into the register as an operator does: nobody else's codes are used up."""

import base64
import json
import secrets
from itertools import count

from idp.web.demo_people import DemoPerson
from tests.support.main_job import Person, Scene

_NUMBERS = count(secrets.randbelow(800_000))
"""The last six digits; they belong to nobody, and the journeys of one process meet none of another's."""

PASSWORD = "bốn mùa quê ngoại thơm lúa"


def new_person(scene: Scene, name: str, *, can_sign_in: bool = True, **data: str) -> Person:
    """Put a person into the register; without `can_sign_in` they have no password and no codes yet."""
    number = f"000195{next(_NUMBERS):06}"
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    line = {
        "personal_number": number,
        "name": name,
        "birthdate": "1995-05-05",
        "proofing": "vn2",
        "proofed_at": "2025-01-01",
        "status": "active",
        **data,
    }
    if can_sign_in:
        line |= {"password": PASSWORD, "totp_secret": secret}
    register = scene.provider.folder / f"{number}.jsonl"
    register.write_text(f"{json.dumps(line)}\n", encoding="utf-8")
    assert scene.provider.run("citizens", "import", register)["added"] == 1
    known = DemoPerson(
        personal_number=number,
        name=name,
        birthdate=line["birthdate"],
        proofing=line["proofing"],
        status=line["status"],
        password=PASSWORD,
        totp_secret=secret,
    )
    return Person(known)
