"""What the sample network makes of events, status lists, the platform API and the policy, each by itself."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from clients.relying_party import (
    AccountLink,
    LinkState,
    LinkStatus,
    ProviderUnavailableError,
    ReceiptKeys,
    RelyingPartyError,
    RequestRefusedError,
    SecurityEvent,
    SignIn,
    StatusLists,
    TokenError,
)
from clients.relying_party.receipt_keys import fetch_receipt_keys
from clients.social_network.accounts import Link
from clients.social_network.features import Features
from clients.social_network.following import Following, kept_receipt
from clients.social_network.settings import Settings
from clients.social_network.store import Store
from clients.social_network.web import LinkingParty, Network
from tests.clients.lists_on_paper import LIST_URI, ListServer, packed, signed_list, signed_receipt
from tests.clients.scripted_provider import CLIENT_ID, ISSUER, NOW, make_key

pytestmark = pytest.mark.anyio

AT = NOW.replace(microsecond=0)
MARK = f"{ISSUER}/verify/m1"


@dataclass
class Paper:
    """A provider on paper: lists of `ListServer`, events and answers that a test lays out."""

    server: ListServer = field(default_factory=ListServer)
    answer: AccountLink | RelyingPartyError | None = None
    policy: str = '{"version": 2, "features": {"post": {"min_acr": "vn-3"}}}'
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lists: StatusLists = self.server.lists()
        self.events = self

    async def poll(self) -> int:
        await asyncio.sleep(0.01)
        return 0

    async def read_link(self, link_id: str) -> AccountLink:
        self.asked.append(link_id)
        if isinstance(self.answer, RelyingPartyError):
            raise self.answer
        assert self.answer is not None
        return self.answer

    async def receipt_keys(self) -> ReceiptKeys:
        return await fetch_receipt_keys(self.server.provider(has_history=False))

    async def policy_document(self) -> str:
        return self.policy

    def lists_as(self, status: LinkStatus, as_of: datetime) -> None:
        """Publish a list that says this of the one link."""
        seconds = int(as_of.timestamp())
        self.server.bodies[LIST_URI] = signed_list(
            self.server.key, packed({1: status}), iat=seconds, exp=seconds + 86_400
        )


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    settings = Settings("http://localhost:8100", ISSUER, CLIENT_ID, tmp_path / "key.json", tmp_path)
    store = Store(tmp_path, NOW)

    async def connect() -> LinkingParty:
        raise ProviderUnavailableError("nobody links here")

    yield Network(settings, store, lambda: NOW, Features(store, CLIENT_ID), connect)
    store.close()


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def following(network: Network, paper: Paper) -> Following:
    async def sources(_: object) -> Paper:
        return paper

    return Following(network, sources)


@pytest.fixture
def link(network: Network, paper: Paper) -> Link:
    member = network.store.find_account("lan")
    assert member is not None
    made = Link(
        account_id=member.account_id,
        subject="pairwise-lan",
        link_id="lnk_1",
        status="active",
        acr="vn-2",
        level="vn2",
        linked_at=AT,
        expires_at=AT + timedelta(days=730),
        checked_at=AT,
        access_token="at",
        access_expires_at=AT,
        as_of=AT,
        refresh_token="rt",
        receipt=signed_receipt(paper.server.key),
        sign_ins=(SignIn("vn-2", AT),),
    )
    network.store.links.save(made)
    return made


def event(status: str, at: datetime, jti: str = "j1") -> SecurityEvent:
    name = {"active": "reinstated"}.get(status, status)
    state = LinkState("lnk_1", "acc_lan", status, "vn2", "vn-2", None)
    return SecurityEvent(
        f"{ISSUER}/events/account-link-{name}", jti, at, "pairwise-lan", None, link=state, occurred_at=at
    )


def read(status: str = "active", mark_uri: str | None = MARK) -> AccountLink:
    return AccountLink(
        *("lnk_1", "acc_lan", "@lan", None, "pairwise-lan", status, "vn2", "vn-2"),
        *(AT, None, None, None, mark_uri),
    )


def standing(network: Network, link: Link) -> str:
    found = network.store.links.find(link.account_id)
    assert found is not None
    return found.status


async def test_an_event_is_taken_once(network: Network, following: Following, link: Link) -> None:
    await following.take(event("suspended", AT))
    assert standing(network, link) == "suspended"
    await following.take(event("active", AT + timedelta(seconds=2), "j2"))
    await following.take(event("suspended", AT + timedelta(seconds=3), "j2"))
    assert standing(network, link) == "active", "a copy, whatever it says"
    await following.take(event("suspended", AT + timedelta(seconds=1), "j3"))
    assert standing(network, link) == "active", "an older word that came late"


async def test_an_end_takes_the_refresh_token_along(
    network: Network, following: Following, link: Link
) -> None:
    await following.take(event("ended", AT))
    ended = network.store.links.find(link.account_id)
    assert ended is not None
    assert (ended.status, ended.refresh_token, ended.receipt) == ("ended", None, link.receipt)


async def test_an_event_about_nobody_here_changes_nothing(network: Network, following: Following) -> None:
    await following.take(event("suspended", AT))
    await following.take(SecurityEvent("urn:x/session-revoked", "j2", AT, "pairwise-lan", None))
    assert network.store.links.all() == {}


async def test_the_list_says_what_no_event_said(
    network: Network, following: Following, paper: Paper, link: Link
) -> None:
    paper.lists_as(LinkStatus.SUSPENDED, AT)
    await following.look()
    assert standing(network, link) == "active", "the list is not younger than what is known"
    paper.server.now += timedelta(seconds=30)
    paper.lists_as(LinkStatus.SUSPENDED, AT + timedelta(seconds=5))
    await following.look()
    assert standing(network, link) == "suspended"
    await following.take(event("active", AT + timedelta(seconds=5)))
    assert standing(network, link) == "active", "in one second the event is the later word"


async def test_a_list_that_is_away_or_wrong_changes_nothing(
    network: Network, following: Following, paper: Paper, link: Link
) -> None:
    paper.server.bodies[LIST_URI] = signed_list(make_key("op-1"), packed({1: 1}))
    with pytest.raises(TokenError):
        await following.look()
    paper.server.status = 503
    with pytest.raises(ProviderUnavailableError):
        await following.look()
    assert standing(network, link) == "active"


async def test_a_receipt_by_a_newer_key_is_verified(
    network: Network, following: Following, paper: Paper, link: Link
) -> None:
    paper.lists_as(LinkStatus.VALID, AT)
    await following.look()
    assert kept_receipt(network, link) is not None
    paper.server.key = make_key("op-2")
    newer = replace(link, receipt=signed_receipt(paper.server.key))
    network.store.links.save(newer)
    assert kept_receipt(network, newer) is None
    paper.lists = paper.server.lists()
    paper.lists_as(LinkStatus.VALID, AT)
    await following.look()
    assert kept_receipt(network, newer) is not None


async def test_what_an_event_does_not_say_is_read(
    network: Network, following: Following, paper: Paper, link: Link
) -> None:
    paper.answer = read()
    await following.read_anew()
    await following.read_anew()
    assert paper.asked == ["lnk_1"], "asked once"
    found = network.store.links.find(link.account_id)
    assert found is not None
    assert found.mark_uri == MARK
    await following.take(event("active", AT))
    paper.answer = read(mark_uri=None)
    await following.read_anew()
    found = network.store.links.find(link.account_id)
    assert found is not None
    assert found.mark_uri is None


async def test_a_link_that_the_provider_has_no_record_of_is_over(
    network: Network, following: Following, paper: Paper, link: Link
) -> None:
    paper.answer = RequestRefusedError("temporarily_unavailable", status=429)
    with pytest.raises(RequestRefusedError):
        await following.read_anew()
    assert standing(network, link) == "active"
    paper.answer = RequestRefusedError("no_such_link", status=404)
    await following.read_anew()
    assert standing(network, link) == "ended"


async def test_the_policy_is_kept_over_a_restart(
    network: Network, following: Following, paper: Paper, link: Link
) -> None:
    member = network.store.find_account("lan")
    assert member is not None
    kept = network.store.links.find(member.account_id)
    assert network.features.decide(member, kept, "post", NOW).is_allowed
    await following.read_policy()
    again = Features(network.store, CLIENT_ID)
    for features in (network.features, again):
        assert features.decide(member, kept, "post", NOW).lack == "acr_too_low"
    paper.policy = "no policy"
    with pytest.raises(RelyingPartyError):
        await following.read_policy()
    assert network.features.decide(member, kept, "post", NOW).lack == "acr_too_low"


async def test_trouble_with_one_thing_holds_up_no_other(
    network: Network, following: Following, paper: Paper, link: Link
) -> None:
    paper.answer, paper.policy, paper.server.now = RequestRefusedError("x"), "no policy", NOW
    paper.lists_as(LinkStatus.INVALID, AT + timedelta(seconds=5))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(following.run(), 1)
    assert standing(network, link) == "ended"


def test_a_file_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    store = Store(tmp_path, NOW)
    for removed in (
        "ALTER TABLE accounts DROP COLUMN joined_at",
        "ALTER TABLE started DROP COLUMN feature",
        "DROP TABLE told",
    ):
        store._connection.execute(removed)
    store._connection.execute(
        "INSERT INTO links SELECT account_id, 's', 'l', 'active', 'vn-2', NULL, ?1, ?1, ?1, 'at', ?1, 'rt'"
        " FROM accounts LIMIT 1",
        (NOW.isoformat(),),
    )
    store.close()
    later = Store(tmp_path, NOW + timedelta(days=1))
    (link,) = later.links.all().values()
    assert (link.status, link.receipt) == ("active", None)
    assert later.demo_accounts()[0].joined_at == NOW + timedelta(days=1)
    later.close()
