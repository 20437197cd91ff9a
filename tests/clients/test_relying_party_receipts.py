"""Receipts at the SDK: a good one passes for years, and every single departure from it does not."""

from datetime import timedelta
from typing import Any

import pytest

from clients.relying_party import (
    ConfigurationError,
    LinkReceipt,
    MetadataError,
    ReceiptKeys,
    RelyingParty,
    StatusReference,
    TokenError,
)
from clients.relying_party.receipt_keys import fetch_receipt_keys
from tests.clients.lists_on_paper import (
    LIST_URI,
    SECONDS,
    ListServer,
    former_key,
    receipt_claims,
    signed_history,
    signed_receipt,
)
from tests.clients.scripted_provider import CLIENT_ID, ISSUER, NOW, ScriptedProvider, make_key, sign

pytestmark = pytest.mark.anyio
YEARS_LATER = NOW + timedelta(days=5 * 365)


def kept(server: ListServer) -> ReceiptKeys:
    return ReceiptKeys.read(ISSUER, server.jwks(), server.history)


def read(server: ListServer, receipt: str) -> LinkReceipt:
    return kept(server).read_receipt(receipt, client_id=CLIENT_ID, now=YEARS_LATER)


def test_a_good_receipt_is_verified_offline_years_later() -> None:
    server = ListServer()
    assert read(server, signed_receipt(server.key)) == LinkReceipt(
        issuer=ISSUER,
        client_id=CLIENT_ID,
        link_id="lnk_1",
        account_id="acc_lan",
        subject="pairwise-lan",
        assurance_level="vn2",
        acr="vn-2",
        issued_at=NOW,
        linked_at=NOW,
        expires_at=NOW + timedelta(days=730),
        policy_version=3,
        status=StatusReference(LIST_URI, 1),
    )


def test_without_a_policy_version_it_is_one_of_before_there_were_policies() -> None:
    server = ListServer()
    assert read(server, signed_receipt(server.key, policy_version=None)).policy_version is None


DEPARTURES: list[dict[str, Any]] = [
    {"iss": "https://other.example"},
    {"iss": None},
    {"client_id": "somebody-else"},
    {"client_id": None},
    {"sub": None},
    {"sub": ""},
    {"sub": 7},
    {"link_id": None},
    {"account_id": None},
    {"account_id": "x" * 2000},
    {"iat": None},
    {"iat": True},
    {"iat": 10**30},
    {"iat": SECONDS + 6 * 365 * 86_400},
    {"linked_at": None},
    {"expires_at": "never"},
    {"assurance_level": "vn9"},
    {"assurance_level": None},
    {"acr": None},
    {"policy_version": "3"},
    {"policy_version": True},
    {"status": None},
    {"status": []},
    {"status": {}},
    {"status": {"status_list": {"idx": 1}}},
    {"status": {"status_list": {"uri": LIST_URI}}},
    {"status": {"status_list": {"idx": -1, "uri": LIST_URI}}},
    {"status": {"status_list": {"idx": True, "uri": LIST_URI}}},
    {"status": {"status_list": {"idx": 2**40, "uri": LIST_URI}}},
    {"status": {"status_list": {"idx": 1, "uri": "https://id.example.evil.example/status-lists/1"}}},
    {"status": {"status_list": {"idx": 1, "uri": "http://169.254.169.254/"}}},
]


@pytest.mark.parametrize("changes", DEPARTURES, ids=str)
def test_every_departure_is_refused(changes: dict[str, Any]) -> None:
    server = ListServer()
    with pytest.raises(TokenError):
        read(server, signed_receipt(server.key, **changes))


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "statuslist+jwt"])
def test_a_token_of_another_type_is_no_receipt(typ: str | None) -> None:
    server = ListServer()
    with pytest.raises(TokenError, match="another type"):
        read(server, sign(receipt_claims(), server.key, typ=typ))


class TestFormerKeys:
    """OpenID Federation 1.0 §8.7.2, §8.7.3."""

    def test_a_key_that_retired_still_verifies_what_it_signed_in_its_time(self) -> None:
        former, server = make_key("former"), ListServer()
        server.history = signed_history(server.key, former_key(former))
        assert read(server, signed_receipt(former)).link_id == "lnk_1"

    @pytest.mark.parametrize("issued_at", [SECONDS - 2000, SECONDS + 2000])
    def test_and_nothing_that_is_dated_otherwise(self, issued_at: int) -> None:
        former, server = make_key("former"), ListServer()
        server.history = signed_history(server.key, former_key(former))
        with pytest.raises(TokenError, match="key"):
            read(server, signed_receipt(former, iat=issued_at))

    def test_a_key_that_was_lost_verifies_nothing_even_where_it_still_stands_as_present(self) -> None:
        """A copy of the key set from before the report meets a history from after it."""
        server = ListServer()
        revoked = {"revoked_at": SECONDS, "reason": "compromised"}
        lost = make_key("lost")
        server.history = signed_history(server.key, former_key(lost, revoked=revoked))
        with pytest.raises(TokenError, match="revoked"):
            read(server, signed_receipt(lost))
        other = ListServer(key=lost)
        both = {"keys": [*server.jwks()["keys"], *other.jwks()["keys"]]}
        keys = ReceiptKeys.read(ISSUER, both, server.history)
        with pytest.raises(TokenError, match="revoked"):
            keys.read_receipt(signed_receipt(lost), client_id=CLIENT_ID, now=YEARS_LATER)

    def test_a_history_is_the_providers_own_or_none(self) -> None:
        former, server = make_key("former"), ListServer()
        member = former_key(former)
        for forged in (
            signed_history(make_key("op-1"), member),
            signed_history(former, member),
            signed_history(server.key, member, iss="https://other.example"),
            signed_history(server.key, former_key(former, exp=None)),
            signed_history(server.key, former_key(former, exp="later")),
            sign({"iss": ISSUER, "keys": [member]}, server.key, typ="JWT"),
            "not a token",
        ):
            server.history = forged
            with pytest.raises(TokenError):
                kept(server)
        server.history = signed_history(server.key, keys="none")
        with pytest.raises(MetadataError):
            kept(server)

    def test_a_key_that_was_never_published_verifies_nothing(self) -> None:
        server = ListServer()
        with pytest.raises(TokenError, match="no key"):
            read(server, signed_receipt(make_key("unheard-of")))
        with pytest.raises(TokenError, match="signature"):
            read(server, signed_receipt(make_key("op-1")))


def test_what_is_kept_in_a_file_is_what_was_fetched() -> None:
    former, server = make_key("former"), ListServer()
    server.history = signed_history(server.key, former_key(former))
    again = ReceiptKeys.from_json(kept(server).to_json())
    receipt = signed_receipt(former)
    assert again.read_receipt(receipt, client_id=CLIENT_ID, now=NOW) == read(server, receipt)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"issuer":"a","jwks":{},"history":null}', "null"])
def test_a_file_that_was_not_written_here_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        ReceiptKeys.from_json(text)


async def test_both_sets_are_fetched_with_two_requests() -> None:
    former, server = make_key("former"), ListServer()
    server.history = signed_history(server.key, former_key(former))
    keys = await fetch_receipt_keys(server.provider())
    assert set(keys.by_kid) == {"op-1", "former"}
    assert len(server.requests) == 2
    assert set((await fetch_receipt_keys(server.provider(has_history=False))).by_kid) == {"op-1"}
    server.status = 404
    with pytest.raises(MetadataError, match="404"):
        await fetch_receipt_keys(server.provider())


class TestWithTheTokens:
    """The receipt that comes with a new link is verified before the link counts (abuse case P2)."""

    async def finished(self, op: ScriptedProvider, rp: RelyingParty, receipt: object) -> Any:
        started = await rp.start_linking(account_id="acc_lan")
        callback = op.agree(started.authorization_url)

        def add(path: str, answer: dict[str, Any]) -> None:
            if path == "/token":
                answer["authorization_details"][0]["receipt"] = receipt

        op.change_answer = add
        return await rp.finish(callback, started)

    async def test_it_is_kept_with_the_account(self, op: ScriptedProvider, rp: RelyingParty) -> None:
        receipt = signed_receipt(op.signing_key)
        linked = await self.finished(op, rp, receipt)
        assert linked.receipt == receipt
        assert (await rp.read_receipt(receipt)).subject == linked.subject

    async def test_a_provider_without_receipts_gives_none(
        self, op: ScriptedProvider, rp: RelyingParty
    ) -> None:
        started = await rp.start_linking(account_id="acc_lan")
        assert (await rp.finish(op.agree(started.authorization_url), started)).receipt is None

    @pytest.mark.parametrize(
        "changes",
        [{"account_id": "acc_other"}, {"link_id": "lnk_2"}, {"sub": "pairwise-other"}, {"client_id": "x"}],
        ids=str,
    )
    async def test_one_of_another_link_links_nothing(
        self, op: ScriptedProvider, rp: RelyingParty, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(TokenError):
            await self.finished(op, rp, signed_receipt(op.signing_key, **changes))

    @pytest.mark.parametrize("receipt", [7, "", "a.b", {}])
    async def test_nor_does_what_is_no_receipt(
        self, op: ScriptedProvider, rp: RelyingParty, receipt: object
    ) -> None:
        with pytest.raises(TokenError):
            await self.finished(op, rp, receipt)
