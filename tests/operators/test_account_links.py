"""`idp links`: moves by the one table of moves, each with its event, or not at all."""

import pytest

from idp.identity.account_links import Status
from tests.operators.conftest import Installation, register_line, write_register
from tests.support.protocol_builders import make_link

LAN = "000190000001"
WHY = ("--reason", "breach_of_terms")


@pytest.fixture
def linked(installation: Installation) -> Installation:
    file = write_register(installation.folder / "people.jsonl", register_line(1))
    installation.answer("citizens", "import", file)
    lan = installation.citizen_id(LAN)
    installation.add_links(
        make_link(link_id="-active", citizen_id=lan),
        make_link(link_id="lapsed", citizen_id=lan, account_id="2", place=2, status=Status.LAPSED),
        make_link(link_id="other", citizen_id=lan, client_id="other"),
    )
    return installation


def test_links_are_listed_in_pages_and_by_filter(linked: Installation) -> None:
    page = linked.answer("links", "list", "--limit", 2)
    assert [link["link_id"] for link in page["links"]] == ["-active", "lapsed"]
    rest = linked.answer("links", "list", "--limit", 2, "--after", page["next"])
    assert ([link["link_id"] for link in rest["links"]], rest["next"]) == (["other"], None)
    only = linked.answer("links", "list", "--client", "network", "--status", "active")
    assert [link["link_id"] for link in only["links"]] == ["-active"]
    assert "citizen_id" not in only["links"][0]
    assert "lapsed" in linked.run("links", "list").stdout


def test_a_look_at_a_link_is_written_down(linked: Installation) -> None:
    shown = linked.answer("links", "show", "other", "--reason", "complaint")
    assert (shown["status"], shown["citizen_id"]) == ("active", linked.citizen_id(LAN))
    (event,) = linked.events("account_link:looked_up")
    assert (event["link_id"], event["details"]) == ("other", {"because": "complaint"})
    assert "pairwise-subject" in linked.run("links", "show", "-active").stdout


@pytest.mark.parametrize("verb", ["suspend", "end"])
def test_an_active_link_is_moved_with_its_event(linked: Installation, verb: str) -> None:
    answer = linked.answer("links", verb, "-active", *WHY)
    past = {"suspend": "suspended", "end": "ended"}[verb]
    assert (answer["status_before"], answer["status"]) == ("active", past)
    assert linked.links()["-active"][0] == past
    (event,) = linked.events(f"account_link:{past}")
    assert (event["link_id"], event["details"]) == ("-active", {"because": "breach_of_terms"})


def test_a_suspended_link_is_reinstated(linked: Installation) -> None:
    linked.answer("links", "suspend", "-active", *WHY)
    assert linked.answer("links", "reinstate", "-active", *WHY)["status"] == "active"
    assert linked.links()["-active"] == ("active", None)


@pytest.mark.parametrize("verb", ["suspend", "end"])
def test_a_dry_run_moves_nothing(linked: Installation, verb: str) -> None:
    before = linked.everything()
    linked.answer("links", verb, "-active", *WHY, "--dry-run")
    assert linked.everything() == before


@pytest.mark.parametrize(
    ("verb", "link", "said"),
    [
        ("suspend", "lapsed", "An account link that is lapsed cannot become suspended."),
        ("reinstate", "lapsed", "only a suspended one is reinstated"),
        ("reinstate", "-active", "only a suspended one is reinstated"),
        ("end", "nowhere", "no account link with this id"),
    ],
)
def test_a_move_that_there_is_not_changes_nothing(
    linked: Installation, verb: str, link: str, said: str
) -> None:
    before = linked.everything()
    assert said in linked.refused("links", verb, link, *WHY)
    assert linked.everything() == before


def test_a_link_does_not_come_back_before_its_holder(linked: Installation) -> None:
    linked.answer("links", "suspend", "-active", *WHY)
    linked.answer("citizens", "suspend", LAN, *WHY)
    assert "not active" in linked.refused("links", "reinstate", "-active", *WHY)
    linked.answer("citizens", "reinstate", LAN, *WHY)
    assert linked.links()["-active"] == ("suspended", "breach_of_terms")


def test_nobody_suspends_a_link_as_if_its_holder_were(linked: Installation) -> None:
    assert linked.run("links", "suspend", "-active", "--reason", "citizen_suspended").exit_code == 2
    assert linked.links()["-active"] == ("active", None)
