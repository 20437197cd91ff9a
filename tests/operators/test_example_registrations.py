"""The registrations that others begin from are what they say, and so is what a suite's browser is told."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from idp.operators.cli import main
from idp.protocol.profiles import Profile
from idp.web.demo_people import demo_people
from tests.operators.conftest import Installation

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "clients" / "registrations" / "examples").glob("*.toml"))
OFFICIAL_PLANS = ROOT / "tests" / "conformance" / "OFFICIAL_PLANS.md"
DOCUMENTS = (OFFICIAL_PLANS, ROOT / "clients" / "ANY_LIBRARY.md")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(path: Path, language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(path.read_text("utf-8")) if name == language]


def registrations() -> Iterator[tuple[str, str]]:
    for path in EXAMPLES:
        yield path.stem, path.read_text("utf-8")
    for path in DOCUMENTS:
        for number, text in enumerate(blocks(path, "toml"), start=1):
            yield f"{path.stem}-{number}", text


REGISTRATIONS = dict(registrations())


@pytest.mark.parametrize("name", REGISTRATIONS)
def test_a_registration_lacks_nothing_for_its_profile(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.toml"
    file.write_text(REGISTRATIONS[name], encoding="utf-8")
    checked = CliRunner().invoke(main, ["clients", "check", "--file", str(file), "--json"])
    assert checked.exit_code == 0, checked.output
    (report,) = json.loads(checked.stdout)["clients"]
    assert report["missing"] == []
    assert report["profile"] in report["meets"]
    if name in {*Profile}:
        assert report["profile"] == name


def test_there_is_an_example_for_every_profile_and_for_apps() -> None:
    assert {path.stem for path in EXAMPLES} == {*Profile, "public-app"}


def test_examples_can_be_registered_side_by_side(small_installation: Installation) -> None:
    applied = small_installation.answer("clients", "apply", *EXAMPLES, "--dry-run")["clients"]
    assert len({each["client_id"] for each in applied} - {None}) == len(EXAMPLES)


def test_the_suites_browser_finds_what_it_presses() -> None:
    (text,) = blocks(OFFICIAL_PLANS, "json")
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "idp" / "templates").rglob("*.html"))
    commands = [
        command for rule in json.loads(text) for task in rule["tasks"] for command in task.get("commands", ())
    ]
    typed = {command[2]: command[3] for command in commands if command[0] == "text"}
    ids = set(typed) | set(re.findall(r"@id='([a-z-]+)'", text))
    assert [name for name in sorted(ids) if f'id="{name}"' not in pages] == []
    assert (typed["identifier"], typed["password"]) in {
        (person.personal_number, person.password) for person in demo_people()
    }


def test_the_forms_that_are_named_are_there() -> None:
    names = re.findall(
        r"`([a-z]+(?:-[a-z]+)*)`", OFFICIAL_PLANS.read_text("utf-8").partition("whose ids stay:")[2]
    )
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "idp" / "templates").rglob("*.html"))
    first_sentence = names[: names.index("error-reference") + 1]
    assert [name for name in first_sentence if f'id="{name}"' not in pages] == []
