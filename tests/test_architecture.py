"""The architecture, executed: what idp/DECISIONS.md says about the tree is true of the tree."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Table

from idp.protocol.metadata import server_metadata
from idp.protocol.model import Policy
from idp.store.schema import metadata

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for package in ("idp", "keys", "clients") for path in (ROOT / package).rglob("*.py"))
LONGEST = 400

RULES = ("protocol", "identity", "authenticators", "audit")
IMPURE_MODULES = {"random", "secrets", "socket", "subprocess", "time", "uuid"}
IMPURE_CALLS = {"datetime.now", "datetime.utcnow", "date.today", "os.urandom", "time.time", "time.monotonic"}
EXCEPTIONS = {
    # The pool of threads measures how long its queue is: how much work waits, not what time it is.
    "idp/authenticators/hashing_pool.py": {"time"},
}

VAGUE = re.compile(r"^_*(utils?|helpers?|common|managers?|services?|base|misc)$")
VAGUE_CLASS = re.compile(r"(Utils?|Helpers?|Manager|Service)$")

ENDPOINTS = ROOT / "idp" / "endpoints"

CLASSES_OF_DATA = {"none", "indirect", "direct", "secret"}

CHECKS = {
    "format": ["ruff", "format", "--check", "--quiet"],
    "lint": ["ruff", "check", "--quiet"],
    "types": ["mypy", "--no-error-summary"],
    "imports": ["lint-imports", "--no-cache"],
}

PERSONAL_NUMBER = re.compile(rb"(?<![0-9A-Za-z+/_.-])[0-9]{12}(?![0-9A-Za-z+/_=-])")
FICTITIOUS = re.compile(rb"000[0-9]{9}|[0-9]{3}[89][0-9]{8}")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("command", CHECKS.values(), ids=CHECKS.keys())
def test_make_check_passes(command: list[str]) -> None:
    program = Path(sys.executable).with_name(command[0])
    checked = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_file_holds_one_subject(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_nothing_has_a_vague_name(path: Path) -> None:
    assert not [part for part in path.relative_to(ROOT).with_suffix("").parts if VAGUE.match(part)]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            assert not VAGUE_CLASS.search(node.name), node.name


@pytest.mark.parametrize(
    "path", [path for folder in RULES for path in sorted((ROOT / "idp" / folder).rglob("*.py"))], ids=_name
)
def test_a_rule_has_no_clock_no_chance_and_no_input_or_output(path: Path) -> None:
    found = set(_impurities(ast.parse(path.read_text())))
    assert found == EXCEPTIONS.get(_name(path), set())


def _impurities(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name.split(".")[0] in IMPURE_MODULES)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in IMPURE_MODULES:
                yield module
            case ast.Call(func=ast.Attribute() as function) if ast.unparse(function) in IMPURE_CALLS:
                yield ast.unparse(function)
            case ast.Call(func=ast.Name(id="open")):
                yield "open"


def test_an_exception_from_purity_is_still_needed() -> None:
    assert all((ROOT / name).exists() for name in EXCEPTIONS)


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_stored_column_is_classified(table: Table) -> None:
    assert [column.name for column in table.columns if column.info.get("pii") not in CLASSES_OF_DATA] == []


BESIDE_DISCOVERY = frozenset(
    {
        "account_link_changes",
        "account_link_management",
        "account_link_reports",
        "event_stream_poll",
        "event_stream_status",
        "event_stream_subjects",
        "event_stream_verification",
        "event_streams",
        "feature_policy",
        "link_receipts",
        "platform_api",
        "sandbox",
        "status_lists",
        "transparency",
        "well_known",
    }
)
"""What is found by other means: below /account-links, or from a document that names it."""


def test_an_endpoint_is_found_under_its_name_in_the_discovery_document() -> None:
    document = server_metadata(Policy(issuer="https://id.example"))
    announced = {name.removesuffix("_endpoint") for name in document if name.endswith("_endpoint")}
    announced |= {
        urlsplit(resource).path.removeprefix("/").replace("-", "_")
        for resource in document["protected_resources"]
    }
    answering = {path.stem for path in ENDPOINTS.glob("*.py") if "@router." in path.read_text()}
    assert {name for name in answering if name not in BESIDE_DISCOVERY} == announced


def test_no_personal_number_that_could_be_somebodys_is_kept() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name.decode() for name in listed.split(b"\0") if name and not name.endswith(b".lock")]
    found = {
        _name(path): number.decode()
        for path in paths
        if path.is_file()
        for number in PERSONAL_NUMBER.findall(path.read_bytes())
        if not FICTITIOUS.fullmatch(number)
    }
    assert found == {}
