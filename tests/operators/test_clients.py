"""`idp clients`: registrations as reviewed files, all of them or none; secrets shown once."""

import asyncio
import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from idp.store.client_secrets import secret_context
from tests.operators.conftest import Installation
from tests.support.key_set_server import key_set_server

FILE = """
[client]
client_id = "quan-coc"
client_name = "Quán Cóc"
redirect_uris = ["https://quancoc.example/callback"]
token_endpoint_auth_method = "client_secret_basic"

[policy]
min_acr = "vn-2"
link_validity = "P1Y"
"""


def write(folder: Path, text: str = FILE, name: str = "quan-coc.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def apply(installation: Installation, *words: object) -> list[dict[str, Any]]:
    clients: list[dict[str, Any]] = installation.answer("clients", "apply", *words)["clients"]
    return clients


def kept_hashes(installation: Installation) -> str:
    return str(installation.rows("clients")[0]["secrets"])


def test_a_client_is_registered_with_a_secret_that_is_shown_once(installation: Installation) -> None:
    file = write(installation.folder)
    (client,) = apply(installation, file)
    assert (client["client_id"], client["action"]) == ("quan-coc", "registered")
    assert hashlib.sha256(client["client_secret"].encode()).hexdigest() in kept_hashes(installation)
    (again,) = apply(installation, file)
    assert (again["action"], again["changes"], "client_secret" in again) == ("unchanged", [], False)
    assert client["client_secret"] not in str(installation.everything())
    (event,) = installation.events("client:registered")
    assert (event["client_id"], event["details"]) == ("quan-coc", {"revision": "1"})


def test_an_update_shows_each_field_that_differs(installation: Installation) -> None:
    file = write(installation.folder)
    apply(installation, file)
    added = '["https://quancoc.example/callback", "https://quancoc.example/second"]'
    write(
        installation.folder,
        FILE.replace('["https://quancoc.example/callback"]', added).replace('"vn-2"', '"vn-1"'),
    )
    result = installation.run("clients", "apply", file)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"quan-coc: updated ({file})",
        "  - policy.min_acr: vn-2",
        "  + policy.min_acr: vn-1",
        "  + redirect_uris: https://quancoc.example/second",
    ]
    (event,) = installation.events("client:updated")
    assert event["details"] == {"changed": "policy.min_acr,redirect_uris", "revision": "2"}


def test_a_dry_run_shows_and_stores_nothing(installation: Installation) -> None:
    file = write(installation.folder)
    before = installation.everything()
    (client,) = apply(installation, file, "--dry-run")
    assert (client["action"], "client_secret" in client) == ("registered", False)
    assert installation.everything() == before


def test_every_reason_of_every_file_is_given_and_nothing_is_stored(installation: Installation) -> None:
    good = write(installation.folder)
    bad = write(
        installation.folder, '[client]\nredirect_uris = ["http://quancoc.example/"]\nfoo = 1\n', "bad.toml"
    )
    tables = write(installation.folder, "[clients]\n[policy]\n", "tables.toml")
    broken = write(installation.folder, "[client", "broken.toml")
    absent = installation.folder / "absent.toml"
    latin = installation.folder / "latin.toml"
    latin.write_bytes(b'[client]\nclient_name = "Qu\xe1n"')
    said = installation.refused("clients", "apply", good, bad, tables, broken, absent, latin)
    for reason in (
        f"{bad}: client.redirect_uris number 1 is refused",
        f"{bad}: client.foo is not a member",
        f"{bad}: client.client_name is required",
        f"{tables}: clients: there is no such table",
        f"{tables}: client: the table is missing",
        f"{broken}: the file is not TOML",
        f"{absent}: No such file or directory",
        f"{latin}: the file is not UTF-8",
    ):
        assert reason in said
    assert installation.rows("clients") == []


def test_two_files_of_one_client_are_refused(small_installation: Installation) -> None:
    files = [write(small_installation.folder, name=name) for name in ("a.toml", "b.toml")]
    assert "stands in another of these files" in small_installation.refused("clients", "apply", *files)


def test_a_file_without_client_id_registers_once(installation: Installation) -> None:
    file = write(installation.folder, FILE.replace('client_id = "quan-coc"\n', ""))
    (client,) = apply(installation, file)
    said = installation.refused("clients", "apply", file)
    assert f'write client_id = "{client["client_id"]}" to update that one' in said
    assert len(installation.rows("clients")) == 1
    write(installation.folder, FILE.replace("quan-coc", client["client_id"]))
    assert apply(installation, file)[0]["action"] == "unchanged"


def test_a_person_is_told_the_id_and_the_secret(small_installation: Installation) -> None:
    file = write(small_installation.folder, FILE.replace('client_id = "quan-coc"\n', ""))
    lines = small_installation.run("clients", "apply", file).stdout.splitlines()
    assert lines[0] == f"(a new client_id): registered ({file})"
    assert lines[-2].endswith("into [client].")
    assert lines[-1].endswith("(shown this once)")


def test_a_client_with_a_key_has_no_secret(small_installation: Installation) -> None:
    jwks_uri = 'token_endpoint_auth_method = "private_key_jwt"\njwks_uri = "https://quancoc.example/jwks"'
    file = write(
        small_installation.folder,
        FILE.replace('token_endpoint_auth_method = "client_secret_basic"', jwks_uri),
    )
    (client,) = apply(small_installation, file)
    assert "client_secret" not in client
    assert "has no secret" in small_installation.refused("clients", "rotate-secret", "quan-coc")


def test_a_client_that_goes_over_to_secrets_gets_one_and_loses_it_with_them(
    small_installation: Installation,
) -> None:
    with_key = FILE.replace(
        '"client_secret_basic"', '"private_key_jwt"\njwks_uri = "https://quancoc.example/jwks"'
    )
    apply(small_installation, write(small_installation.folder, with_key))
    (client,) = apply(small_installation, write(small_installation.folder))
    assert client["client_secret"]
    apply(small_installation, write(small_installation.folder, with_key))
    assert kept_hashes(small_installation) == "[]"


def test_another_sector_is_warned_of(small_installation: Installation) -> None:
    file = write(small_installation.folder)
    apply(small_installation, file)
    write(small_installation.folder, FILE + 'sector = "other.example"\n')
    assert "another sub" in small_installation.run("clients", "apply", file).stderr


def test_clients_are_listed_in_pages_and_shown_without_secrets(installation: Installation) -> None:
    files = [
        write(installation.folder, FILE.replace("quan-coc", f"client-{n}"), f"{n}.toml") for n in range(3)
    ]
    apply(installation, *files)
    page = installation.answer("clients", "list", "--limit", 2)
    assert [client["client_id"] for client in page["clients"]] == ["client-0", "client-1"]
    rest = installation.answer("clients", "list", "--limit", 2, "--after", page["next"])
    assert ([client["client_id"] for client in rest["clients"]], rest["next"]) == (["client-2"], None)
    shown = installation.answer("clients", "show", "client-1")
    assert shown["policy.min_acr"] == "vn-2"
    assert shown["policy.link_validity"] == "365d"
    assert [set(secret) for secret in shown["secrets"]] == [{"created_at", "expires_at"}]
    assert "client-1" in installation.run("clients", "list").stdout
    assert "sha256" not in installation.run("clients", "show", "client-1").stdout
    assert "no client" in installation.refused("clients", "show", "client-9")


def test_a_suspended_client_stays_suspended_until_it_is_reinstated(installation: Installation) -> None:
    file = write(installation.folder)
    apply(installation, file)
    before = installation.everything()
    installation.answer("clients", "suspend", "quan-coc", "--dry-run")
    assert installation.everything() == before
    installation.answer("clients", "suspend", "quan-coc", "--reason", "breach_of_terms")
    write(installation.folder, FILE.replace("vn-2", "vn-1"))
    apply(installation, file)
    assert installation.answer("clients", "show", "quan-coc")["status"] == "suspended"
    assert installation.answer("clients", "suspend", "quan-coc")["status_before"] == "suspended"
    assert installation.answer("clients", "reinstate", "quan-coc")["status"] == "active"
    kinds = [event["type"] for event in installation.events()]
    assert kinds == ["client:registered", "client:suspended", "client:updated", "client:reinstated"]
    assert installation.events("client:suspended")[0]["details"]["because"] == "breach_of_terms"


def test_two_secrets_are_valid_while_one_is_rotated(installation: Installation) -> None:
    first = apply(installation, write(installation.folder))[0]["client_secret"]
    before = installation.everything()
    assert "client_secret" not in installation.answer("clients", "rotate-secret", "quan-coc", "--dry-run")
    assert installation.everything() == before
    second = installation.answer("clients", "rotate-secret", "quan-coc", "--valid-for-old", "12h")[
        "client_secret"
    ]
    kept = installation.answer("clients", "show", "quan-coc")["secrets"]
    assert [secret["expires_at"] is None for secret in kept] == [False, True]
    third = installation.answer("clients", "rotate-secret", "quan-coc", "--valid-for-old", "0d")[
        "client_secret"
    ]
    hashes = kept_hashes(installation)
    found = [hashlib.sha256(secret.encode()).hexdigest() in hashes for secret in (first, second, third)]
    assert found == [False, False, True]
    assert len(installation.events("client:secret_rotated")) == 2


def test_secrets_for_an_hmac_are_sealed_as_well_and_rotate_like_any_other(
    small_installation: Installation,
) -> None:
    """OpenID Connect Core §10.1: client_secret_jwt needs the secret itself; nobody reads it in the table."""
    file = write(small_installation.folder, FILE.replace("client_secret_basic", "client_secret_jwt"))
    first = apply(small_installation, file)[0]["client_secret"]
    second = small_installation.answer("clients", "rotate-secret", "quan-coc")["client_secret"]
    assert opened_secrets(small_installation) == [first, second]
    assert first not in str(small_installation.everything())
    assert apply(small_installation, file)[0]["action"] == "unchanged"


def test_a_secret_that_was_only_hashed_is_replaced_where_an_hmac_needs_it(
    small_installation: Installation,
) -> None:
    by_hash = write(small_installation.folder)
    apply(small_installation, by_hash)
    by_hmac = write(
        small_installation.folder, FILE.replace("client_secret_basic", "client_secret_jwt"), "jwt.toml"
    )
    (changed,) = apply(small_installation, by_hmac)
    assert opened_secrets(small_installation) == [changed["client_secret"]]
    (back,) = apply(small_installation, by_hash)
    assert "client_secret" not in back, "its hash is enough"
    assert hashlib.sha256(changed["client_secret"].encode()).hexdigest() in kept_hashes(small_installation)
    assert opened_secrets(small_installation) == [None], "and nothing stays that could be opened"


async def applied_with_a_sector(installation: Installation, listed: list[str]) -> Result:
    async with key_set_server() as served:
        served.body = json.dumps(listed).encode()
        file = write(
            installation.folder, FILE.replace("[policy]", f'sector_identifier_uri = "{served.uri}"\n[policy]')
        )
        return await asyncio.to_thread(installation.run, "clients", "apply", file)


def test_reg_09_a_sector_lists_the_redirect_uris_of_a_file_too(small_installation: Installation) -> None:
    refused = asyncio.run(applied_with_a_sector(small_installation, ["https://other.example/"]))
    assert "sector_identifier_uri does not list https://quancoc.example/callback" in refused.stderr
    taken = asyncio.run(applied_with_a_sector(small_installation, ["https://quancoc.example/callback"]))
    assert taken.exit_code == 0, taken.output
    file = small_installation.folder / "quan-coc.toml"
    assert apply(small_installation, file)[0]["action"] == "unchanged", "and is not asked for nothing"


@pytest.mark.parametrize("method", ["none", "self_signed_tls_client_auth"])
def test_a_client_that_has_no_secret_gets_none(small_installation: Installation, method: str) -> None:
    described = f'"{method}"\njwks_uri = "https://quancoc.example/jwks"'
    file = write(small_installation.folder, FILE.replace('"client_secret_basic"', described))
    (client,) = apply(small_installation, file)
    assert "client_secret" not in client
    assert "has no secret" in small_installation.refused("clients", "rotate-secret", "quan-coc")


def opened_secrets(installation: Installation) -> list[str | None]:
    """Return what could be opened of the client's secrets, with the installation's own keys."""
    kept = json.loads(kept_hashes(installation))
    data, context = installation.custody().data, secret_context("quan-coc")
    return [
        None if secret["sealed"] is None else data.open(bytes.fromhex(secret["sealed"]), context).decode()
        for secret in kept
    ]


@pytest.mark.parametrize("span", ["7", "d", "-1d", "7 days", ""])
def test_a_span_is_a_number_and_a_unit(small_installation: Installation, span: str) -> None:
    result = small_installation.run("clients", "rotate-secret", "quan-coc", f"--valid-for-old={span}")
    assert result.exit_code == 2


def test_the_delivered_registration_is_accepted_once_it_has_a_key(small_installation: Installation) -> None:
    """The sample network's file names no key: that is what is refused, and nothing else."""
    delivered = Path(__file__).resolve().parents[2] / "clients" / "registrations" / "social_network.toml"
    assert set(tomllib.loads(delivered.read_text())) == {"client", "policy"}
    said = small_installation.refused("clients", "apply", delivered)
    assert said.splitlines()[1:] == [f"{delivered}: client.jwks or jwks_uri is needed for private_key_jwt"]
