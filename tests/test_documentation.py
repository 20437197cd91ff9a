"""Words that cannot rot: README.md, SPECIFICATIONS.md and the package maps are held against the program."""

import ast
import dataclasses
import importlib
import json
import pkgutil
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

import clients
import idp
import keys
from idp.identity.account_links import Refusal
from idp.operators.cli import main
from idp.protocol import errors
from idp.protocol.account_link_details import read_account_link
from idp.protocol.metadata import server_metadata
from idp.protocol.model import Policy
from idp.protocol.profiles import Profile, ProfileRules, rules_of
from idp.settings import PREFIX, Settings
from idp.web.failures import REFERENCE_CODES, STATUS, Trouble

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
ERRORS = (ROOT / "idp" / "ERRORS.md").read_text()
SPECIFICATIONS = (ROOT / "idp" / "SPECIFICATIONS.md").read_text()

CODE = re.compile(r"`([^`\n]+)`")
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MACHINE_PATH = re.compile(r"(?<![\w.:~-])/(?:home|root|work|Users|tmp|mnt|opt)/")
OTHER_PROGRAMS = {
    "curl",
    "docker",
    "export",
    "install",
    "openssl",
    "pip",
    "python",
    "sqlite3",
    "pg_dump",
    "cp",
}


def tracked(suffix: str) -> list[Path]:
    """List files as git will know them: a file that is not added yet counts, one that is ignored does not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return sorted(
        ROOT / name for name in listed.split("\0") if name.endswith(suffix) and (ROOT / name).exists()
    )


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def section(document: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one of its level or above."""
    level = len(heading.partition(" ")[0])
    return re.split(rf"^#{{1,{level}}} ", document.partition(f"\n{heading}\n")[2], flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the tables in a text, without headings."""
    lines = text.splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for number, line in enumerate(lines)
        if line.startswith("|")
        and not line.startswith("|--")
        and not lines[min(number + 1, len(lines) - 1)].startswith("|--")
    ]


CLAUSES = rows(section(SPECIFICATIONS, "## Clauses"))
FUNCTIONS = sorted({name for row in CLAUSES for name in CODE.findall(row[2]) if not name.startswith("idp ")})
TESTS = sorted(set(re.findall(r"`(tests/[^`]+)`", SPECIFICATIONS)) - {"tests/test_documentation.py"})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_keeps_a_clause_exists(function: str) -> None:
    name = function if function.startswith(("clients.", "keys.")) else f"idp.{function}"
    assert pkgutil.resolve_name(name) is not None


@pytest.mark.parametrize("test", TESTS)
def test_a_test_that_holds_a_clause_exists(test: str) -> None:
    path, *names = test.split("::")
    body = ast.parse((ROOT / path).read_text()).body
    for name in names:
        found = [
            node
            for node in body
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        ]
        assert found, f"{path} has no {name}"
        body = found[0].body


def test_every_clause_has_a_function_and_a_test_or_says_that_it_is_for_later() -> None:
    assert [len(row) for row in CLAUSES if len(row) != 4] == []
    bare = [row[0] for row in CLAUSES if not (CODE.search(row[2]) and CODE.search(row[3]))]
    assert bare == [row[0] for row in CLAUSES if row[2].startswith("later issue")]


def test_every_rule_of_the_wire_is_listed() -> None:
    """A rule that is written and not listed here would be one that no auditor looks at."""
    rules = {
        f"protocol.{path.stem}.{node.name}"
        for path in (ROOT / "idp" / "protocol").glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith(("check_", "verify_"))
    }
    assert sorted(rules - set(FUNCTIONS)) == []


def test_the_matrix_of_checks_is_the_programs() -> None:
    """The golden file is held against the tables of the program by the test of the authorization request."""
    drawn = FENCED.search(section(SPECIFICATIONS, "## The checks of an authorization request"))
    assert drawn is not None
    assert drawn[2] == (ROOT / "tests" / "golden" / "authorization_checks.txt").read_text()


def test_every_error_that_can_be_met_is_explained() -> None:
    classes = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.OAuthError) and kind is not errors.OAuthError
    ]
    codes = [[f"`{kind.error}`", str(kind.status), f"`protocol.errors.{kind.__name__}`"] for kind in classes]
    table = rows(section(ERRORS, "## Codes that platforms read"))
    assert [row[:3] for row in table] == codes
    assert [row[0] for row in table if len(row) != 5 or not all(row)] == [], "where, when, and what to do"


def test_every_reference_is_explained() -> None:
    pages = rows(section(ERRORS, "## Pages that people read"))
    told = [[REFERENCE_CODES[each], f"`{each}`", str(STATUS[each])] for each in Trouble]
    assert [row[:3] for row in pages] == told
    template = (ROOT / "idp" / "templates" / "error.html").read_text()
    assert [row[3] for row in pages if f"%}}{row[3]}{{%" not in template] == []
    refusals = rows(section(ERRORS, "## Refusals of the policy"))
    assert [row[:2] for row in refusals] == [[REFERENCE_CODES[each], f"`{each}`"] for each in Refusal]
    assert [row for row in pages + refusals if not all(row)] == [], "when, and what to do"
    assert len(set(REFERENCE_CODES.values())) == len(REFERENCE_CODES)


def told_demand(rules: ProfileRules, name: str) -> str:
    demand = getattr(rules, name)
    if isinstance(demand, bool):
        return "yes" if demand else "no"
    if demand == getattr(ProfileRules(), name):
        return "any"
    return " ".join(f"`{each}`" for each in sorted(demand))


def test_the_page_on_profiles_shows_what_each_demands() -> None:
    text = section((ROOT / "clients" / "PROFILES.md").read_text(), "## What each demands")
    heading = text.strip().partition("\n")[0].strip("|").split(" | ")
    columns = [[Profile(name) for name in CODE.findall(cell)] for cell in heading[1:]]
    assert sorted(profile for column in columns for profile in column) == sorted(Profile)
    demands = [field.name for field in dataclasses.fields(ProfileRules)]
    for place, profiles in enumerate(columns, start=1):
        shown_here = [row[place] for row in rows(text)]
        for profile in profiles:
            assert shown_here == [told_demand(rules_of(profile), name) for name in demands], profile


def commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, (*path, name))


COMMANDS = dict(commands(main, ("idp",)))
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def first_line(command: click.Command) -> str:
    return (command.help or "").partition("\n")[0]


def shown(default: object) -> str:
    return "" if default is None else f"`{default}`"


def test_the_readme_lists_every_command_as_it_explains_itself() -> None:
    listed = rows(section(README, "### Commands"))
    assert listed == [[f"`{name}`", first_line(command)] for name, command in COMMANDS.items()]


def test_the_readme_lists_every_setting_with_its_default_and_meaning() -> None:
    listed = rows(section(README, "### Settings"))
    assert listed == [
        [f"`{PREFIX}{name.upper()}`", shown(field.default), field.description]
        for name, field in Settings.model_fields.items()
    ]


def given_commands(path: Path) -> Iterator[str]:
    """Return the lines of shell blocks, and the commands of ours that stand within a sentence."""
    text = path.read_text()
    for language, block in FENCED.findall(text):
        if language == "sh":
            yield from (line for line in block.replace("\\\n", " ").splitlines() if line.strip())
    yield from (code for code in CODE.findall(FENCED.sub("", text)) if re.match(r"(make|idp) ", code))


@pytest.mark.parametrize(
    ("path", "line"),
    [(path, line) for path in tracked(".md") for line in given_commands(path)],
    ids=lambda value: name_of(value) if isinstance(value, Path) else value,
)
def test_a_command_in_the_documents_can_be_given(path: Path, line: str) -> None:
    settings = re.findall(rf"{PREFIX}([A-Z_]+)", line)
    assert {name.lower() for name in settings} <= set(Settings.model_fields), path
    words = [word for word in shlex.split(line, comments=True) if not re.fullmatch(r"[A-Z_]+=.*", word)]
    program, *arguments = words
    if program == "make":
        assert set(arguments) <= TARGETS
    elif program.rpartition("/")[2] == "idp":
        check_options(arguments)
    else:
        assert program in OTHER_PROGRAMS


def check_options(arguments: list[str]) -> None:
    command: click.Command = main
    options = {"--help"}
    for word in arguments:
        if isinstance(command, click.Group) and not word.startswith("-"):
            below = command.get_command(click.Context(command), word)
            assert below is not None, f"{command.name} has no {word}"
            command = below
        options |= {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        }
    assert {word.partition("=")[0] for word in arguments if word.startswith("--")} <= options


def test_the_readme_names_every_address_and_way_that_discovery_does() -> None:
    issuer = "https://idp.example"
    document = server_metadata(Policy(issuer, mtls_origin=issuer))
    told = set(CODE.findall(section(README, "## Integrate")))
    addresses = [document["jwks_uri"], *document["protected_resources"]]
    addresses += [value for name, value in document.items() if name.endswith("_endpoint")]
    wanted = {address.removeprefix(issuer) for address in addresses}
    wanted |= {*document["scopes_supported"], *document["token_endpoint_auth_methods_supported"], *Profile}
    assert sorted(wanted - {word.removeprefix("POST ") for word in told}) == []


def test_the_readmes_request_is_one_that_the_provider_reads() -> None:
    request, id_token = (
        json.loads(block) for language, block in FENCED.findall(README) if language == "json"
    )
    assert read_account_link(json.dumps(request), {"network.example"}).account_id
    assert id_token == json.loads((ROOT / "tests" / "golden" / "id_token.json").read_text())


@pytest.mark.parametrize("path", tracked(".md"), ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text()):
        place, _, anchor = target.partition("#")
        if place.startswith(("http:", "https:")):
            continue
        document = path if not place else (path.parent / place).resolve()
        assert document.exists(), f"{target} is not there"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings
            }


@pytest.mark.parametrize("path", tracked(".md"), ids=name_of)
def test_no_document_names_a_place_on_somebodys_machine(path: Path) -> None:
    assert MACHINE_PATH.search(path.read_text()) is None


def mapped_packages() -> Iterator[ModuleType]:
    yield idp
    for found in pkgutil.iter_modules(idp.__path__, "idp."):
        if found.ispkg and found.name != "idp.endpoints":  # its files are named by the discovery document
            yield importlib.import_module(found.name)


@pytest.mark.parametrize("package", list(mapped_packages()), ids=lambda package: package.__name__)
def test_the_map_of_a_package_shows_its_modules(package: ModuleType) -> None:
    listed = [row[0] for row in rows(package.__doc__ or "")]
    there = {found.name for found in pkgutil.iter_modules(package.__path__)} - {"__main__"}
    assert sorted(listed) == sorted(there)


def test_the_readme_of_the_keys_shows_its_modules() -> None:
    text = (Path(keys.__path__[0]) / "README.md").read_text()
    there = {found.name for found in pkgutil.iter_modules(keys.__path__)}
    assert sorted(name for name in there if f"`{name}.py`" not in text) == []


def test_the_map_of_the_clients_shows_its_packages() -> None:
    text = clients.__doc__ or ""
    there = {found.name for found in pkgutil.iter_modules(clients.__path__)}
    assert sorted(name for name in there if f"`{name}`" not in text) == []


def test_the_changelog_tells_of_the_version_that_is_built() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f"\n## {version[1]}" in (ROOT / "idp" / "CHANGELOG.md").read_text()
