"""The files that start the program on other people's machines name only what exists, and no secret."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from idp.settings import PREFIX, Settings
from tests.support.served import IDP

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
LOCK_FILES = sorted(ROOT.glob("requirements*.lock"))


def _runs_idp(service: dict[str, Any]) -> bool:
    return service.get("image") == "lienket" and "python" not in service.get("entrypoint", [])


def test_two_provider_processes_stand_behind_the_proxy() -> None:
    providers = [name for name, service in SERVICES.items() if service.get("command", [None])[0] == "serve"]
    proxy = COMPOSE["configs"]["proxy"]["content"]
    assert providers == ["provider-1", "provider-2"]
    assert all(f"{name}:8000" in proxy for name in providers)
    assert not any("ports" in SERVICES[name] for name in providers)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_waits_only_for_services_that_exist(name: str) -> None:
    awaited = SERVICES[name].get("depends_on", {})
    assert awaited.keys() <= SERVICES.keys()
    for other, condition in awaited.items():
        if condition["condition"] == "service_healthy" and SERVICES[other].get("image") != "lienket":
            assert "healthcheck" in SERVICES[other]


@pytest.mark.parametrize("name", sorted(name for name, service in SERVICES.items() if _runs_idp(service)))
def test_a_service_runs_a_command_of_the_program(name: str) -> None:
    words = [word for word in SERVICES[name]["command"] if re.fullmatch(r"[a-z-]+", word)]
    options = [word for word in SERVICES[name]["command"] if word.startswith("--")]
    shown = subprocess.run([IDP, *words, "--help"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert all(option in shown.stdout for option in options)


@pytest.mark.parametrize("name", sorted(name for name, service in SERVICES.items() if _runs_idp(service)))
def test_a_service_sets_only_settings_that_exist(name: str) -> None:
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    assert SERVICES[name]["environment"].keys() <= known


def test_no_secret_stands_in_the_compose_file() -> None:
    assert all(secret.keys() == {"file"} for secret in COMPOSE["secrets"].values())
    assert all(secret["file"].startswith(".secrets/") for secret in COMPOSE["secrets"].values())
    for name, service in SERVICES.items():
        for variable in service.get("environment", {}):
            if re.search(r"PASSWORD|SECRET|TOKEN", variable):
                assert variable.endswith("_FILE"), f"{name} has {variable}"
    assert "/.secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_image_runs_as_an_ordinary_user_and_watches_its_health() -> None:
    final_stage = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER (?!root)\w+$", final_stage, re.MULTILINE)
    assert "/healthz" in final_stage.partition("HEALTHCHECK")[2]


def test_the_image_copies_only_what_exists_and_is_let_in() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            *sources, _ = line.split()[1:]
            assert set(sources) <= let_in
            assert all((ROOT / source).exists() for source in sources)


@pytest.mark.parametrize("lock_file", LOCK_FILES, ids=lambda path: path.name)
def test_a_lock_file_pins_by_hash_and_names_no_place(lock_file: Path) -> None:
    locked = lock_file.read_text()
    assert "://" not in locked
    assert "--index-url" not in locked
    assert "--find-links" not in locked
    requirements = re.split(r"\n(?=\S)", locked.strip())
    assert all(re.match(r"[a-z0-9-]+==\S+ ", requirement) for requirement in requirements)
    assert all("--hash=sha256:" in requirement for requirement in requirements)


def test_the_lock_of_npm_pins_by_hash_and_names_no_place() -> None:
    folder = ROOT / "tests" / "interop" / "node"
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    chosen = json.loads((folder / "package.json").read_text())["dependencies"]
    assert packages.pop("")["dependencies"] == chosen
    assert {name: packages[f"node_modules/{name}"]["version"] for name in chosen} == chosen
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


def test_tests_run_on_the_versions_that_are_delivered() -> None:
    runtime, development = (
        dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime.items() <= development.items()


def test_ci_runs_exactly_the_test_command() -> None:
    steps = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in steps if "make" in line] == ["make test"]
