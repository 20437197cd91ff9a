"""`idp mass`: two persons, batches that survive their runner, and undoing within 72 hours. P9."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest

from idp.audit.events import PROVIDER, Actor, ActorKind
from idp.housekeeping.mass_endings import make_final
from idp.identity.account_links import Status, move
from idp.identity.mass_actions import MassStatus
from idp.mass_run import MassRunner
from idp.store.opening import open_database
from idp.store.unit_of_work import UnitOfWork
from tests.operators.conftest import OPERATOR, Installation, register_line, write_register
from tests.support.protocol_builders import make_link

HOA = Actor(ActorKind.OPERATOR, "hoa")
PROPOSER_SECRET = pyotp.random_base32()
LINKS = 7


@pytest.fixture
def linked(installation: Installation) -> Installation:
    people = [register_line(number) for number in range(1, LINKS + 1)]
    file = write_register(installation.folder / "people.jsonl", *people)
    installation.answer("citizens", "import", file)
    holders = [row["citizen_id"] for row in installation.rows("citizens")]
    installation.add_links(
        *(
            make_link(link_id=f"link-{place}", citizen_id=holder, account_id=str(place))
            for place, holder in enumerate(holders)
        )
    )
    return installation


@pytest.fixture
def approver(linked: Installation) -> str:
    """Enrol two operators a while ago; return the secret of the second, who approves."""
    secret = pyotp.random_base32()
    long_ago = datetime.now(UTC) - timedelta(days=2)

    async def enrol(uow: UnitOfWork) -> None:
        uow.operators.enrol(OPERATOR, PROPOSER_SECRET, "setup", long_ago)
        uow.operators.enrol("hoa", secret, "setup", long_ago)
        await uow.commit()

    linked.with_store(enrol)
    return secret


def proposed(installation: Installation, kind: str = "suspend", *, step: int = 0) -> str:
    code = pyotp.TOTP(PROPOSER_SECRET).at(datetime.now(UTC) + timedelta(seconds=30 * step))
    answer = installation.answer(
        "mass", "propose", kind, "--client", "network", "--reason", "breach", "--code", code
    )
    assert (answer["status"], answer["proposed_by"]) == ("proposed", OPERATOR)
    action_id: str = answer["action_id"]
    return action_id


def approved(installation: Installation, secret: str, kind: str = "suspend") -> str:
    action_id = proposed(installation, kind)
    code = pyotp.TOTP(secret).now()
    answer = installation.answer("--operator", "hoa", "mass", "approve", action_id, "--code", code)
    assert (answer["status"], answer["approved_by"]) == ("approved", "hoa")
    return action_id


def states(installation: Installation) -> list[str]:
    return [row["status"] for row in sorted(installation.rows("account_links"), key=lambda r: r["link_id"])]


def kinds(installation: Installation) -> list[str]:
    return sorted(row["kind"] for row in installation.rows("link_changes"))


def at_runner(installation: Installation, work: Any, *, now: datetime | None = None) -> Any:
    """Work with a runner in this process, past the command."""

    async def opened() -> Any:
        database = open_database(installation.database_url)
        data = installation.custody().data
        try:
            runner = MassRunner(
                lambda: UnitOfWork(database, data),
                lambda: now or datetime.now(UTC),
                HOA,
                lambda _: None,
            )
            return await work(runner, lambda: UnitOfWork(database, data))
        finally:
            await database.close()

    return asyncio.run(opened())


def test_a_preview_counts_and_shows_a_few_and_nobody_means_everything(linked: Installation) -> None:
    before = linked.everything()
    answer = linked.answer("mass", "preview", "suspend", "--client", "network")
    assert (answer["links"], len(answer["sample"])) == (LINKS, LINKS)
    assert "citizen_id" not in answer["sample"][0]
    assert linked.answer("mass", "preview", "suspend", "--client", "another")["links"] == 0
    assert linked.answer("mass", "preview", "suspend", "--level", "vnf")["links"] == 0
    assert linked.answer("mass", "preview", "suspend", "--created-until", "2020-01-01")["links"] == 0
    assert linked.answer("mass", "preview", "end", "--proofed-before", "2100-01-01")["links"] == LINKS
    assert linked.run("mass", "preview", "suspend").exit_code == 2
    assert linked.everything() == before


def test_nothing_moves_without_a_second_person(linked: Installation, approver: str) -> None:
    action_id = proposed(linked)
    assert "proposed cannot become running" in linked.refused("mass", "run", action_id)
    own = pyotp.TOTP(approver).now()
    assert "does not match" in linked.refused("mass", "approve", action_id, "--code", own)
    assert "does not match" in linked.refused(
        "--operator", "hoa", "mass", "approve", action_id, "--code", "000000"
    )
    assert "cannot approve" in linked.refused(
        "--operator", "nobody", "mass", "approve", action_id, "--code", own
    )
    assert states(linked) == ["active"] * LINKS


def test_whoever_proposed_does_not_approve(linked: Installation, approver: str) -> None:
    wish = ("--operator", "hoa", "mass", "propose", "suspend", "--client", "network", "--code")
    now = datetime.now(UTC)
    answer = linked.answer(*wish, pyotp.TOTP(approver).at(now))
    code = pyotp.TOTP(approver).at(now + timedelta(seconds=30))
    said = linked.run("--operator", "hoa", "mass", "approve", answer["action_id"], "--code", code)
    assert (said.exit_code, "a second person must" in said.stderr) == (1, True)


def test_nobody_proposes_under_a_name_that_is_not_theirs(linked: Installation, approver: str) -> None:
    """P9: else one person would be two, proposing as a colleague and approving as themselves."""
    own = pyotp.TOTP(approver).now()
    wish = ("mass", "propose", "suspend", "--client", "network", "--code", own)
    assert "does not match" in linked.refused("--operator", OPERATOR, *wish)
    assert "cannot approve" in linked.refused("--operator", "somebody", *wish)
    assert linked.rows("mass_actions") == []


def test_who_was_enrolled_today_approves_nothing(linked: Installation, approver: str) -> None:
    own = ("--operator", "hoa", "--code", pyotp.TOTP(approver).now())
    uri = linked.answer(*own[:2], "operators", "enrol", "mai", *own[2:])["otpauth_uri"]
    code = pyotp.parse_uri(uri)
    assert isinstance(code, pyotp.TOTP)
    said = linked.refused("--operator", "mai", "mass", "approve", proposed(linked), "--code", code.now())
    assert "less than 24 hours" in said


def test_a_third_operator_needs_one_who_is_there(linked: Installation, approver: str) -> None:
    assert "needs the --code" in linked.refused("operators", "enrol", "mai")
    code = pyotp.TOTP(approver).now()
    assert linked.answer("--operator", "hoa", "operators", "enrol", "mai", "--code", code)["name"] == "mai"
    listed = linked.answer("operators", "list")["operators"]
    assert [each["name"] for each in listed] == ["hoa", "mai", OPERATOR]
    assert all("secret" not in str(each) for each in listed)
    linked.answer("operators", "remove", "mai")
    assert "not enrolled" in linked.refused("operators", "remove", "mai")


def test_a_code_approves_once(linked: Installation, approver: str) -> None:
    first, second = proposed(linked), proposed(linked, step=1)
    code = pyotp.TOTP(approver).now()
    linked.answer("--operator", "hoa", "mass", "approve", first, "--code", code)
    said = linked.run("--operator", "hoa", "mass", "approve", second, "--code", code)
    assert (said.exit_code, "does not match" in said.stderr) == (1, True)


def test_an_approved_action_moves_every_link_and_is_undone(linked: Installation, approver: str) -> None:
    action_id = approved(linked, approver)
    done = linked.answer("mass", "run", action_id)
    assert (done["status"], done["done"], done["skipped"]) == ("finished", LINKS, 0)
    assert states(linked) == ["suspended"] * LINKS
    assert kinds(linked) == ["suspended"] * LINKS
    told = [row["details"] for row in linked.rows("audit_events") if row["type"] == "account_link:suspended"]
    assert [action_id in details for details in told] == [True] * LINKS
    assert "cannot become" in linked.refused("mass", "run", action_id)
    assert linked.answer("mass", "undo", action_id)["status"] == "undone"
    assert states(linked) == ["active"] * LINKS
    assert kinds(linked) == ["reinstated"] * LINKS + ["suspended"] * LINKS


def test_undoing_leaves_alone_what_moved_on(linked: Installation, approver: str) -> None:
    action_id = approved(linked, approver)
    linked.answer("mass", "run", action_id)
    linked.answer("links", "end", "link-0")
    linked.answer("links", "reinstate", "link-1")
    linked.answer("links", "suspend", "link-1")
    linked.answer("mass", "undo", action_id)
    assert states(linked) == ["ended", "suspended"] + ["active"] * (LINKS - 2)


def test_undoing_brings_no_link_back_whose_holder_was_suspended_meanwhile(
    linked: Installation, approver: str
) -> None:
    """P8: the link rests with its holder, and comes back with them."""
    action_id = approved(linked, approver)
    linked.answer("mass", "run", action_id)
    holder = next(row["citizen_id"] for row in linked.rows("account_links") if row["link_id"] == "link-0")
    linked.answer("citizens", "suspend", holder)
    linked.answer("mass", "undo", action_id)
    assert states(linked) == ["suspended"] + ["active"] * (LINKS - 1)
    linked.answer("citizens", "reinstate", holder)
    assert states(linked) == ["active"] * LINKS


def test_a_mass_end_suspends_until_it_is_final(linked: Installation, approver: str) -> None:
    linked.answer("links", "suspend", "link-0")
    action_id = approved(linked, approver, "end")
    assert linked.answer("mass", "run", action_id)["done"] == LINKS
    assert states(linked) == ["suspended"] * LINKS
    for link in ("link-1", "link-2"):
        linked.answer("links", "reinstate", link)
    linked.answer("links", "suspend", "link-2")
    in_time = datetime.now(UTC) + timedelta(hours=71)
    too_late = datetime.now(UTC) + timedelta(hours=73)
    assert at_runner(linked, lambda _, open_: make_final(open_, lambda: in_time)) == 0
    assert at_runner(linked, lambda _, open_: make_final(open_, lambda: too_late)) == 1
    assert states(linked) == ["ended", "active", "suspended"] + ["ended"] * (LINKS - 3)
    assert "cannot become" in linked.refused("mass", "undo", action_id)


def test_reverification_shortens_validity_and_undoing_restores_it(
    linked: Installation, approver: str
) -> None:
    before = {row["link_id"]: row["expires_at"] for row in linked.rows("account_links")}
    action_id = approved(linked, approver, "reverify")
    linked.answer("mass", "run", action_id)
    asked = {row["link_id"]: row["expires_at"] for row in linked.rows("account_links")}
    assert all(asked[link] < before[link] for link in before)
    linked.answer("mass", "undo", action_id)
    assert {row["link_id"]: row["expires_at"] for row in linked.rows("account_links")} == before


def test_links_of_people_who_are_suspended_do_not_come_back_in_a_mass(
    linked: Installation, approver: str
) -> None:
    holder = next(row["citizen_id"] for row in linked.rows("account_links") if row["link_id"] == "link-0")
    linked.answer("citizens", "suspend", holder)
    linked.answer("links", "suspend", "link-1")
    action_id = approved(linked, approver, "reinstate")
    assert linked.answer("mass", "run", action_id)["done"] == 1
    assert states(linked) == ["suspended"] + ["active"] * (LINKS - 1)


def test_a_run_that_was_killed_goes_on_and_no_link_has_two_turns(
    linked: Installation, approver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.mass_run.BATCH", 3)
    monkeypatch.setattr("idp.mass_run.LEASE", timedelta(0))
    action_id = approved(linked, approver)

    class KilledError(Exception):
        pass

    async def killed(runner: MassRunner, open_: Any) -> None:
        action = await open_().mass_actions.find(action_id)
        behind, batches = runner._behind, 0

        async def die(*args: Any) -> Any:
            nonlocal batches
            batches += 1
            if batches == 2:
                raise KilledError
            return await behind(*args)

        monkeypatch.setattr(runner, "_behind", die)
        with pytest.raises(KilledError):
            await runner.run(action)

    at_runner(linked, killed)
    assert states(linked).count("suspended") == 6
    assert linked.answer("mass", "show", action_id)["status"] == "running"
    done = linked.answer("mass", "run", action_id)
    assert done["status"] == "finished"
    assert states(linked) == ["suspended"] * LINKS
    assert kinds(linked) == ["suspended"] * LINKS
    assert len(linked.rows("mass_action_items")) == LINKS


def test_two_runs_of_one_action_are_not_both_at_work(linked: Installation, approver: str) -> None:
    action_id = approved(linked, approver)

    async def hold(_: MassRunner, open_: Any) -> None:
        lease = f"mass_action:{action_id}"
        assert await open_().leases.take(lease, "other", datetime.now(UTC), timedelta(minutes=1))

    at_runner(linked, hold)
    assert "Another run" in linked.refused("mass", "run", action_id)
    assert states(linked) == ["active"] * LINKS


def test_a_pause_holds_after_a_batch(
    linked: Installation, approver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.mass_run.BATCH", 3)
    action_id = approved(linked, approver)

    async def paused(runner: MassRunner, open_: Any) -> MassStatus:
        action = await open_().mass_actions.find(action_id)
        do, met = runner._do, 0

        async def pause_at_the_second(*args: Any) -> bool:
            nonlocal met
            met += 1
            if met == 2:
                stands = await open_().mass_actions.find(action_id)
                uow = open_()
                uow.mass_actions.update(replace(stands, status=MassStatus.PAUSED))
                await uow.commit()
            return await do(*args)

        monkeypatch.setattr(runner, "_do", pause_at_the_second)
        return (await runner.run(action)).status

    assert at_runner(linked, paused) is MassStatus.PAUSED
    assert states(linked).count("suspended") == 3
    assert linked.answer("mass", "show", action_id)["status"] == "paused"
    at_runner(linked, lambda _, __: asyncio.sleep(0))


def test_a_link_that_moves_under_way_keeps_its_own_fate(linked: Installation, approver: str) -> None:
    action_id = approved(linked, approver)

    async def overtaken(runner: MassRunner, open_: Any) -> bool:
        action = await open_().mass_actions.find(action_id)
        link = await open_().account_links.find("link-0")
        uow, now = open_(), datetime.now(UTC)
        ended, _ = move(link, Status.ENDED, PROVIDER, "tested", now)
        uow.account_links.move(link, ended, now)
        await uow.commit()
        return await runner._do(action, link)

    assert at_runner(linked, overtaken) is False
    assert linked.rows("mass_action_items") == []
