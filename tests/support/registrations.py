"""Registrations as an operator writes them: TOML files for `idp clients apply`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.served import ServedProvider


def toml(value: Any) -> str:
    """Write a value in one line of TOML; its strings, numbers, booleans and arrays are those of JSON."""
    if isinstance(value, Mapping):
        members = ", ".join(f"{json.dumps(name)} = {toml(member)}" for name, member in value.items())
        return f"{{{members}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def registration(metadata: Mapping[str, Any], policy: Mapping[str, Any]) -> str:
    tables = {"client": metadata, "policy": policy}
    return "\n".join(
        f"[{table}]\n" + "".join(f"{name} = {toml(value)}\n" for name, value in members.items())
        for table, members in tables.items()
    )


def register(
    provider: ServedProvider, folder: Path, *described: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> dict[str, str | None]:
    """Register clients with one command; return the secret of each that was given one."""
    files = []
    for metadata, policy in described:
        file = folder / f"{metadata['client_id']}.toml"
        file.write_text(registration(metadata, policy), encoding="utf-8")
        files.append(file)
    applied = provider.run("clients", "apply", *files)["clients"]
    return {each["client_id"]: each.get("client_secret") for each in applied}
