"""The README's example is run as it stands, from the SDK under its installed name."""

import json
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from fastapi import FastAPI

from tests.clients.scripted_provider import CLIENT_ID, ISSUER, ScriptedProvider

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


def example() -> str:
    [block] = EXAMPLE.findall((CLIENTS / "README.md").read_text("utf-8"))
    return block


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


def test_the_installed_sdk_brings_nothing_of_this_repository(installed: None) -> None:
    sources = Path(next(path for path in sys.path if (Path(path) / "lienket_relying_party").is_dir()))
    for source in (sources / "lienket_relying_party").glob("*.py"):
        assert not re.search(r"^\s*(from|import) (clients|idp|keys)\b", source.read_text(), re.MULTILINE)
    assert (sources / "lienket_relying_party" / "py.typed").exists()
