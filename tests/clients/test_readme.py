"""Every example of the README is run as it stands, from the SDK under its installed name."""

import importlib
import json
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.clients.lists_on_paper import (
    LIST_URI,
    ListServer,
    packed,
    signed_history,
    signed_list,
    signed_receipt,
)
from tests.clients.scripted_provider import CLIENT_ID, ISSUER, ScriptedProvider, make_key

pytestmark = pytest.mark.anyio

CLIENTS = Path(__file__).parents[2] / "clients"
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lay the SDK out as its own pyproject.toml says, and forget it afterwards."""
    settings = tomllib.loads((CLIENTS / "relying_party" / "pyproject.toml").read_text())["tool"]["setuptools"]
    for name in settings["packages"]:
        source = CLIENTS / "relying_party" / settings["package-dir"][name]
        shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for module in [name for name in sys.modules if name.partition(".")[0] == "lienket_relying_party"]:
        del sys.modules[module]


def examples() -> list[str]:
    found: list[str] = EXAMPLE.findall((CLIENTS / "README.md").read_text("utf-8"))
    return found


def example() -> str:
    """Return the first: linking an account."""
    return examples()[0]


def test_every_example_is_run_here() -> None:
    assert len(examples()) == 2


def test_the_example_is_as_short_as_it_claims() -> None:
    assert len([line for line in example().splitlines() if line.strip()]) <= 30


@pytest.fixture
def network(
    op: ScriptedProvider, installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FastAPI:
    key_file = tmp_path / "key.json"
    key_file.write_text(json.dumps(op.client_key.as_dict(private=True)))
    monkeypatch.setenv("LIENKET_ISSUER", ISSUER)
    monkeypatch.setenv("CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("CLIENT_KEY", str(key_file))
    lines = ModuleType("readme_example")
    with monkeypatch.context() as while_it_starts:
        while_it_starts.setattr(httpx, "AsyncClient", partial(httpx.AsyncClient, transport=op.transport()))
        exec(compile(example(), "clients/README.md", "exec"), lines.__dict__)
    assert isinstance(lines.app, FastAPI)
    return lines.app


async def test_the_example_links_an_account(op: ScriptedProvider, network: FastAPI) -> None:
    op.use_real_time()
    transport = httpx.ASGITransport(network)
    async with httpx.AsyncClient(transport=transport, base_url="https://network.example") as browser:
        sent = await browser.post("/link")
        assert sent.status_code == 303
        callback = op.agree(sent.headers["location"])
        back = await browser.get("/callback", params=callback)
        assert (back.status_code, back.text[:18]) == (200, "acc_7f3k is linked")
        again = await browser.get("/callback", params=callback)
        assert again.status_code == 400


async def test_the_example_is_kind_to_somebody_who_says_no(op: ScriptedProvider, network: FastAPI) -> None:
    op.use_real_time()
    transport = httpx.ASGITransport(network)
    async with httpx.AsyncClient(transport=transport, base_url="https://network.example") as browser:
        sent = await browser.post("/link")
        callback = op.agree(sent.headers["location"], code=None, error="access_denied")
        back = await browser.get("/callback", params=callback)
        assert back.status_code == 400
        assert "chose not to" in back.text


async def test_the_example_of_receipts_tells_how_a_link_stands(installed: None) -> None:
    """It reads `rp`, `linked` and `client_id` of the platform's own program, and awaits."""
    sdk = importlib.import_module("lienket_relying_party")
    key, now = make_key("op-1"), datetime.now(UTC)
    seconds = int(now.timestamp())
    signed = signed_receipt(key, iat=seconds, linked_at=seconds, expires_at=seconds + 86_400)
    listed = signed_list(key, packed({1: sdk.LinkStatus.VALID}), iat=seconds, exp=seconds + 86_400)
    paper = ListServer(key=key, now=now, bodies={LIST_URI: listed}, history=signed_history(key, iat=seconds))
    rp = sdk.RelyingParty(
        paper.provider(),
        CLIENT_ID,
        redirect_uri=f"{ISSUER}/callback",
        key=make_key("c").as_dict(private=True),
    )
    body = "".join(f"    {line}\n" for line in examples()[1].splitlines())
    names = {"rp": rp, "client_id": CLIENT_ID, "linked": SimpleNamespace(receipt=signed)}
    defined: dict[str, Any] = {**names, "datetime": datetime, "UTC": UTC}
    exec(f"async def example():\n{body}    return keys, receipt, status\n", defined)
    keys, receipt, status = await defined["example"]()
    assert receipt.account_id == "acc_lan"
    assert status == {receipt.link_id: sdk.LinkStatus.VALID}
    assert sdk.ReceiptKeys.from_json(keys.to_json()).read_receipt(signed, client_id=CLIENT_ID, now=now)


def test_the_installed_sdk_brings_nothing_of_this_repository(installed: None) -> None:
    sources = Path(next(path for path in sys.path if (Path(path) / "lienket_relying_party").is_dir()))
    for source in (sources / "lienket_relying_party").glob("*.py"):
        assert not re.search(r"^\s*(from|import) (clients|idp|keys)\b", source.read_text(), re.MULTILINE)
    assert (sources / "lienket_relying_party" / "py.typed").exists()
