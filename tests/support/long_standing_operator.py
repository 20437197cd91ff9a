"""An operator who was enrolled long enough ago to act: the day of waiting is no test's."""

import asyncio
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp

from idp.app import opened
from idp.authenticators.totp import STEP_SECONDS, step_at
from idp.settings import Settings
from tests.support.served import ServedProvider

_CODE = re.compile(r"\b[2-9A-Z]{4}(-[2-9A-Z]{4}){4}\b")


@dataclass
class LongStandingOperator:
    """A name, and an authenticator app that never shows a code twice."""

    provider: ServedProvider
    name: str = field(default_factory=lambda: f"op-{secrets.token_hex(4)}")
    secret: str = field(default_factory=pyotp.random_base32)
    used_step: int = 0

    def enrol(self) -> None:
        """Put the operator where the command would have, two days ago."""

        async def put() -> None:
            settings = Settings(
                issuer=self.provider.url,
                database_url=self.provider.database_url,
                keys_dir=Path(self.provider.environment["IDP_KEYS_DIR"]),
            )
            async with opened(settings) as context:
                uow = context.unit_of_work()
                two_days_ago = datetime.now(UTC) - timedelta(days=2)
                uow.operators.enrol(self.name, self.secret, "setup", two_days_ago)
                await uow.commit()

        # In a thread of its own: while a browser is open, this one counts as inside an event loop.
        with ThreadPoolExecutor(1) as threads:
            threads.submit(lambda: asyncio.run(put())).result()

    def code(self) -> str:
        """Return a code that was not used, good for half a minute more than it is shown."""
        self.used_step = max(self.used_step + 1, step_at(datetime.now(UTC)))
        return pyotp.TOTP(self.secret, interval=STEP_SECONDS).generate_otp(self.used_step)

    def first_code(self, number: str, birthdate: str) -> str:
        """Issue a first code to somebody whose papers were seen; return it as the letter says it."""
        file = self.provider.folder / f"letter-{number}.html"
        papers = ("--by", "in-person", "--birthdate", birthdate, "--evidence", "idcard:HS-7/2026")
        command = ("activations", "issue", number, *papers, "--letter", file, "--code", self.code())
        issued = self.provider.run("--operator", self.name, *command)
        assert issued["purpose"] == "enrolment"
        found = _CODE.search(file.read_text(encoding="utf-8"))
        assert found is not None
        return found[0]
