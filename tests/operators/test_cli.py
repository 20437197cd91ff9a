"""What holds for every command: one document, one sentence, and the exit status says whether it worked."""

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from idp.operators.cli import COMMANDS, main
from tests.operators.conftest import Installation

TOUCHED = [
    ("audit", "tail"),
    ("audit", "verify"),
    ("citizens", "import", "people.jsonl"),
    ("citizens", "show", "x", "--reason", "test"),
    ("citizens", "suspend", "x", "--reason", "test"),
    ("clients", "apply", "client.toml"),
    ("clients", "list"),
    ("clients", "rotate-secret", "x"),
    ("keys", "rotate"),
    ("links", "list"),
    ("links", "end", "x", "--reason", "test"),
    ("serve", "--port", "0"),
]
"""Commands that need the database."""


def leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from leaves(found, f"{name} {child}")
    else:
        yield name, command


OURS = [(name, leaf) for name, leaf in leaves(main, "idp") if not name.startswith("idp demo")]


@pytest.mark.parametrize("leaf", [leaf for _, leaf in OURS], ids=[name for name, _ in OURS])
def test_every_command_answers_programs_and_explains_itself(leaf: click.Command) -> None:
    options = {option for parameter in leaf.params for option in parameter.opts}
    assert "--json" in options
    assert leaf.help
    for parameter in leaf.params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name


CHANGING = {
    "add",
    "apply",
    "approve",
    "change-number",
    "close",
    "compromise",
    "create",
    "disable",
    "disconnect",
    "drop",
    "enable",
    "end",
    "import",
    "issue",
    "lift-freeze",
    "migrate",
    "pause",
    "propose",
    "publish",
    "reinstate",
    "replay",
    "replay-parked",
    "revoke",
    "rotate",
    "rotate-secret",
    "suspend",
}  # fmt: skip


def test_every_command_that_changes_something_has_a_dry_run() -> None:
    with_dry_run = {
        name.rpartition(" ")[2]
        for name, leaf in OURS
        if any("--dry-run" in parameter.opts for parameter in leaf.params)
    }
    assert with_dry_run == CHANGING


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    shown = " ".join(result.stdout.split())
    assert [name for name, (_, summary) in COMMANDS.items() if f"{name} {summary}" not in shown] == []


def test_help_loads_no_command() -> None:
    """The database and the keys take longer to load than the help takes to read."""
    program = "import sys; from idp.operators.cli import main; main(['--help'], standalone_mode=False); "
    program += "print(*(name for name in ('sqlalchemy', 'pydantic', 'cryptography') if name in sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert output.splitlines()[-1] == ""


@pytest.mark.parametrize(
    "words",
    [("nonsense",), ("--nonsense",), ("clients", "nonsense"), ("clients", "show"), ("serve", "--port", "x")],
    ids=" ".join,
)
def test_a_misspelt_command_has_status_2_and_still_one_document(words: tuple[str, ...]) -> None:
    for arguments in (("--json", *words), (*words, "--json")):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 2
        assert json.loads(result.stdout)["error"]["message"]
        assert "Usage:" in result.stderr
    assert CliRunner().invoke(main, words).stdout == ""


@pytest.mark.parametrize("words", [*TOUCHED, ("migrate",), ("keys", "list"), ("settings",)], ids=" ".join)
def test_an_unknown_setting_is_refused_everywhere(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("IDP_ISUER", "https://typo.example")
    assert "IDP_ISUER: there is no such setting" in small_installation.refused(*words)


@pytest.mark.parametrize("words", TOUCHED, ids=" ".join)
def test_a_database_that_is_not_there_is_not_made_in_passing(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    absent = small_installation.folder / "absent.sqlite3"
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{absent}")
    assert "`idp migrate` creates it" in small_installation.refused(*words)
    assert not absent.exists()


def test_a_database_without_tables_is_told_in_a_sentence(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = small_installation.folder / "empty.sqlite3"
    empty.touch()
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{empty}")
    assert "Run `idp migrate` first" in small_installation.refused("clients", "list")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be reached"),
        ("mysql://x", "must begin with sqlite:/// or postgresql://"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_in_a_sentence(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", url)
    assert said in small_installation.refused("clients", "list")


def test_a_file_that_is_no_database_is_left_as_it_is(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = small_installation.folder / "letter.txt"
    file.write_text("Dear Lan,\n" * 100)
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{file}")
    for words in (("clients", "list"), ("migrate",)):
        assert "file is not a database" in small_installation.refused(*words)
    assert file.read_text() == "Dear Lan,\n" * 100


def test_a_postgresql_database_that_does_not_exist_is_named(
    postgresql_url: str, small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", postgresql_url.rpartition("/")[0] + "/absent")
    for words in (("clients", "list"), ("migrate",)):
        assert 'database "absent" does not exist' in small_installation.refused(*words)


def test_a_folder_of_keys_that_cannot_be_used_is_told_in_a_sentence(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_KEYS_DIR", "/dev/null/keys")
    said = small_installation.refused("clients", "list")
    assert "/dev/null" in said
    assert len(said.splitlines()) == 1


def actors(installation: Installation) -> set[str]:
    return {row["actor_id"] for row in installation.rows("audit_events")}


def test_the_operator_is_the_system_account_unless_named(small_installation: Installation) -> None:
    runner = CliRunner()
    runner.invoke(main, ["keys", "rotate", "--data"])
    assert actors(small_installation) == {pwd.getpwuid(os.getuid()).pw_name}
    runner.invoke(main, ["--operator", "h.nga@ops", "keys", "rotate", "--data"])
    assert "h.nga@ops" in actors(small_installation)


@pytest.mark.parametrize("name", ["", "two words", "-x", "a" * 65, "a\nb"])
def test_an_operator_has_a_name_that_stands_in_a_log(name: str) -> None:
    assert CliRunner().invoke(main, [f"--operator={name}", "keys", "list"]).exit_code == 2


def test_a_file_of_the_program_is_found_from_anywhere(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path("/"))
    assert small_installation.answer("clients", "list") == {"clients": [], "next": None}
