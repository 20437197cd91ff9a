"""After a real journey somebody changes the audit log with SQL, and `idp audit verify` names the place."""

import json
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.main_job import Scene
from tests.support.served import IDP
from tests.support.walk import visitor, walk

pytestmark = pytest.mark.parametrize("prepared", ["sqlite"], indirect=True)

ALTER = "UPDATE audit_events SET actor_id = 'nobody' WHERE sequence = {sequence}"
REMOVE = "DELETE FROM audit_events WHERE sequence = {sequence}"
SLIP_IN = """INSERT INTO audit_events
    SELECT {columns} FROM audit_events WHERE sequence = {sequence}"""


def copied(scene: Scene, folder: Path) -> Path:
    """Copy the living database, as a backup does."""
    copy = folder / "copy.sqlite3"
    source = scene.provider.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(source)) as living, closing(sqlite3.connect(copy)) as kept:
        living.backup(kept)
    return copy


def verified(scene: Scene, database: Path) -> tuple[int, dict[str, Any]]:
    """Run `idp audit verify` on a database; return its exit status and its document."""
    finished = subprocess.run(
        [IDP, "audit", "verify", "--json"],
        env=scene.provider.environment | {"IDP_DATABASE_URL": f"sqlite:///{database}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    document: dict[str, Any] = json.loads(finished.stdout)
    return finished.returncode, document


def test_the_first_event_that_was_tampered_with_is_named(prepared: Scene, tmp_path: Path) -> None:
    with visitor() as browser:
        asked = "client_id=quan-coc&response_type=code&scope=openid&code_challenge_method=S256&state=s"
        challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        address = f"{prepared.provider.url}/authorize?{asked}&code_challenge={challenge}"
        walk(browser, f"{address}&redirect_uri={prepared.network.url}/callback", prepared.person("Y Moan"))
    deadline = time.monotonic() + 10
    while prepared.provider.run("audit", "verify")["waiting"]["events"]:
        assert time.monotonic() < deadline, "events are sealed within seconds"

    status, sound = verified(prepared, copied(prepared, tmp_path))
    assert (status, sound["finding"]) == (0, None)
    assert sound["verified"] >= 4
    middle, end = sound["verified"] // 2, sound["verified"] + 1
    for tampering, kind, place in (
        (ALTER, "altered", middle),
        (REMOVE, "removed", middle),
        (SLIP_IN, "slipped_in", end),
    ):
        copy = copied(prepared, tmp_path)
        with closing(sqlite3.connect(copy)) as database:
            columns = [row[1] for row in database.execute("PRAGMA table_info(audit_events)")]
            invented = {"event_id": "'invented'", "sequence": str(place)}
            chosen = ", ".join(invented.get(column, column) for column in columns)
            database.execute(tampering.format(sequence=middle, columns=chosen))
            database.commit()
        status, document = verified(prepared, copy)
        assert status == 1, kind
        finding = document["finding"]
        assert (finding["kind"], finding["sequence"]) == (kind, place)
