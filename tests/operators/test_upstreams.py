"""`idp upstreams`: what is configured, whose accounts are connected, and letting go of one."""

import json

import pytest

from idp.store.unit_of_work import UnitOfWork
from tests.operators.conftest import Installation, register_line, write_register
from tests.support.stores import NOW
from tests.upstreams.test_configuration import configured, written

LAN = "000190000001"


@pytest.fixture
def connected(installation: Installation) -> Installation:
    """One person, who came from one upstream."""
    installation.answer(
        "citizens", "import", write_register(installation.folder / "people.jsonl", register_line(1))
    )
    lan = installation.citizen_id(LAN)

    async def connect(uow: UnitOfWork) -> None:
        uow.upstream_accounts.connect("standard", "the-sub-of-lan", lan, NOW)
        await uow.commit()

    installation.with_store(connect)
    return installation


def test_what_is_configured_is_listed_and_checked(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert small_installation.answer("upstreams", "list") == {"upstreams": []}
    path = written(small_installation.folder, configured())
    monkeypatch.setenv("IDP_UPSTREAMS", str(path))
    listed = small_installation.answer("upstreams", "list")["upstreams"]
    assert [(each["upstream_id"], each["kind"], each["creates_people"]) for each in listed] == [
        ("standard", "openid", True),
        ("dialect", "dialect", False),
    ]
    assert "Lotus ID" in small_installation.run("upstreams", "list").output
    path.write_text(json.dumps({"standard": {"kind": "openid"}}))
    for command in (("upstreams", "list"), ("settings", "check")):
        assert "IDP_UPSTREAMS" in small_installation.refused(*command)


def test_a_look_at_somebodys_accounts_is_written_down(connected: Installation) -> None:
    found = connected.answer("upstreams", "accounts", LAN, "--reason", "support_call")
    assert [account["upstream_id"] for account in found["accounts"]] == ["standard"]
    assert connected.events()[-1]["type"] == "citizen:looked_up"
    assert (
        "the-sub-of-lan" not in connected.run("upstreams", "accounts", LAN, "--reason", "support_call").output
    )


def test_an_account_that_is_let_go_of_counts_no_more_and_its_person_is_told(connected: Installation) -> None:
    words = ("upstreams", "disconnect", LAN, "standard", "--reason", "new_account_there")
    assert connected.answer(*words, "--dry-run")["dry_run"] is True
    assert connected.answer("upstreams", "accounts", LAN, "--reason", "support_call")["accounts"]
    lan = connected.citizen_id(LAN)
    assert connected.answer(*words) == {"citizen_id": lan, "upstream_id": "standard", "dry_run": False}
    last = connected.events()[-1]
    assert (last["type"], last["details"]["because"]) == ("authenticator:removed", "new_account_there")
    kept = connected.with_store(lambda uow: uow.notices.of_citizen(lan))
    assert [each.notice.details["what"] for each in kept] == ["upstream"]
    assert "no connected account" in connected.refused(*words)
