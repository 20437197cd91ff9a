"""`idp clients tokens`, `approve`: who may register, and what an operator makes of it afterwards."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from idp.protocol.model import ClientStatus
from idp.protocol.profiles import Profile
from idp.protocol.registration_policy import RegistrationPolicy
from idp.store.registrations import InitialAccessToken
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from tests.operators.conftest import Installation
from tests.operators.test_clients import apply, write


def kept(installation: Installation, token_id: str) -> InitialAccessToken:
    async def find(uow: UnitOfWork) -> InitialAccessToken:
        found = await uow.registrations.find_token(token_id)
        assert found is not None
        return found

    return installation.with_store(find)


def test_a_token_is_shown_once_and_kept_as_a_hash(installation: Installation) -> None:
    made = installation.answer("clients", "tokens", "create", "for the tests")
    secret = made["initial_access_token"]
    (row,) = installation.rows("initial_access_tokens")
    assert row["token_hash"] == hashlib.sha256(secret.encode()).digest()
    assert secret not in str(installation.everything())
    assert kept(installation, made["token_id"]).policy == RegistrationPolicy()
    (event,) = installation.events("registration_token:created")
    assert event["details"] == {"token_id": made["token_id"]}
    (listed,) = installation.answer("clients", "tokens", "list")["tokens"]
    assert listed.items() <= made.items()
    assert (listed["uses_left"], listed["is_usable"], listed["is_sandbox"]) == (1, True, True)
    assert "(shown this once)" in installation.run("clients", "tokens", "create", "x").stdout
    assert "for the tests" in installation.run("clients", "tokens", "list").stdout


def test_every_option_becomes_part_of_the_policy(installation: Installation) -> None:
    words = (
        "--profile", "fapi2", "--grant-type", "authorization_code", "--grant-type", "client_credentials",
        "--scope", "openid", "--auth-method", "private_key_jwt", "--host", "network.example",
        "--no-require-pkce", "--require-software-statement", "--approved", "--uses", 3, "--days", 2,
    )  # fmt: skip
    made = installation.answer("clients", "tokens", "create", "network", *words)
    token = kept(installation, made["token_id"])
    assert token.policy == RegistrationPolicy(
        profile=Profile.FAPI2,
        grant_types=frozenset({"authorization_code", "client_credentials"}),
        scopes=frozenset({"openid"}),
        authentication_methods=frozenset({"private_key_jwt"}),
        hosts=frozenset({"network.example"}),
        is_pkce_required=False,
        is_software_statement_required=True,
        is_sandbox=False,
    )
    assert (token.uses_left, (token.expires_at - token.created_at).days) == (3, 2)


def test_a_profile_brings_its_own_methods(small_installation: Installation) -> None:
    made = small_installation.answer("clients", "tokens", "create", "x", "--profile", "fapi2")
    assert made["authentication_methods"] == [
        "private_key_jwt",
        "self_signed_tls_client_auth",
        "tls_client_auth",
    ]
    said = small_installation.refused(
        "clients", "tokens", "create", "x", "--profile", "fapi2", "--auth-method", "client_secret_basic"
    )
    assert "does not allow client_secret_basic" in said


@pytest.mark.parametrize(
    "words", [("--host", "https://a.example"), ("--host", "A.example"), ("--uses", 0), ("--days", 0)]
)
def test_what_no_token_can_have_is_refused(small_installation: Installation, words: tuple[Any, ...]) -> None:
    assert small_installation.run("clients", "tokens", "create", "x", *words).exit_code == 2


def test_a_revoked_token_is_over(installation: Installation) -> None:
    token_id = installation.answer("clients", "tokens", "create", "x")["token_id"]
    before = installation.everything()
    assert not installation.answer("clients", "tokens", "revoke", token_id, "--dry-run")["was_revoked"]
    assert "token_id" in installation.answer("clients", "tokens", "create", "x", "--dry-run")
    assert installation.everything() == before
    assert not installation.answer("clients", "tokens", "revoke", token_id)["was_revoked"]
    assert installation.answer("clients", "tokens", "revoke", token_id)["was_revoked"]
    assert not kept(installation, token_id).is_usable(datetime.now(UTC))
    assert len(installation.events("registration_token:revoked")) == 1
    assert "no token" in installation.refused("clients", "tokens", "revoke", "unknown")


def in_sandbox(installation: Installation) -> None:
    """Have a client that registered itself."""
    apply(installation, write(installation.folder))
    change(installation, is_sandbox=True)


def change(installation: Installation, **changes: Any) -> None:
    async def made(uow: UnitOfWork) -> None:
        stored = await uow.clients.find("quan-coc")
        assert stored is not None
        uow.clients.update(stored, replace(stored.client, **changes), datetime.now(UTC))
        await uow.commit()

    installation.with_store(made)


def test_approving_lifts_the_sandbox_and_is_in_the_log(installation: Installation) -> None:
    in_sandbox(installation)
    assert installation.answer("clients", "show", "quan-coc")["is_sandbox"]
    before = installation.everything()
    installation.answer("clients", "approve", "quan-coc", "--dry-run")
    assert installation.everything() == before
    done = installation.answer("clients", "approve", "quan-coc", "--reason", "papers_seen")
    assert not done["was_approved"]
    assert not installation.answer("clients", "show", "quan-coc")["is_sandbox"]
    assert installation.answer("clients", "approve", "quan-coc")["was_approved"]
    (event,) = installation.events("client:approved")
    assert (event["client_id"], event["details"]["because"]) == ("quan-coc", "papers_seen")


def test_a_reviewed_file_approves_and_says_so(small_installation: Installation) -> None:
    in_sandbox(small_installation)
    said = small_installation.run("clients", "apply", small_installation.folder / "quan-coc.toml").stdout
    assert "- is_sandbox: true" in said
    assert not small_installation.answer("clients", "show", "quan-coc")["is_sandbox"]


def test_nobody_brings_a_client_back_that_removed_itself(small_installation: Installation) -> None:
    apply(small_installation, write(small_installation.folder))
    change(small_installation, status=ClientStatus.REMOVED)
    for command in ("approve", "reinstate", "suspend"):
        assert "removed itself" in small_installation.refused("clients", command, "quan-coc")
    said = small_installation.refused("clients", "apply", small_installation.folder / "quan-coc.toml")
    assert "removed itself" in said


def test_one_use_is_counted_for_all_who_come_at_once(installation: Installation) -> None:
    """Abuse class 5, 31: the gate is one statement on either engine."""
    token_id = installation.answer("clients", "tokens", "create", "x", "--uses", 2)["token_id"]

    async def use(uow: UnitOfWork) -> list[bool]:
        async def once() -> bool:
            own = UnitOfWork(uow.database, installation.custody().data)
            own.registrations.use_token(token_id, datetime.now(UTC))
            try:
                await own.commit()
            except GateClosedError:
                return False
            return True

        return list(await asyncio.gather(*(once() for _ in range(6))))

    assert sorted(installation.with_store(use)) == [False] * 4 + [True] * 2
