"""Cases P7, P8, classes 6, 7, 10: what a platform keeps for years is nobody else's, and cannot be made."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from clients.relying_party import LinkReceipt, ReceiptKeys, TokenError
from clients.relying_party.receipts import SigningKey
from clients.relying_party.status_lists import verify_status_list
from clients.relying_party.tokens import SIGNING_ALGORITHMS, read_header
from idp.housekeeping.status_lists import build_status_lists
from tests.security.test_token_confusion import forgeries
from tests.support.platform import Platform
from tests.support.provider import ISSUER, Person, Provider, running_provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

ES256: dict[str, object] = {"id_token_signed_response_alg": "ES256"}


@dataclass(frozen=True)
class Held:
    """What one platform holds after one link."""

    client_id: str
    tokens: dict[str, Any]
    receipt: str
    claims: dict[str, Any]

    @property
    def list_path(self) -> str:
        uri: str = self.claims["status"]["status_list"]["uri"]
        return uri.removeprefix(ISSUER)


async def linked(provider: Provider, platform: Platform, person: Person, **changes: Any) -> Held:
    provider.clock.advance(seconds=1)
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, **changes)
    receipt = tokens["authorization_details"][0]["receipt"]
    claims = jwt.decode(receipt, options={"verify_signature": False})
    return Held(platform.client.client_id, tokens, receipt, claims)


async def kept_keys(http: httpx.AsyncClient) -> ReceiptKeys:
    jwks, history = await http.get("/jwks"), await http.get("/jwks/historical")
    assert history.headers["content-type"] == "application/jwk-set+jwt"
    return ReceiptKeys.read(ISSUER, jwks.json(), history.text)


def read(keys: ReceiptKeys, held: Held, provider: Provider, receipt: str | None = None) -> LinkReceipt:
    return keys.read_receipt(
        held.receipt if receipt is None else receipt, client_id=held.client_id, now=provider.clock.now
    )


async def test_a_receipt_cannot_be_forged_or_changed(provider: Provider) -> None:
    """Class 10 and its kin: `none`, HMAC with the public key, a key that comes along, another signature."""
    held = await linked(provider, await new_platform(provider, ES256), await provider.add_person())
    async with provider.http() as http:
        keys = await kept_keys(http)
    assert read(keys, held, provider).subject == held.claims["sub"]
    known = jwt.get_unverified_header(held.receipt)["kid"]
    [public] = [key for key in keys.jwks["keys"] if key["kid"] == known]
    tried = 0
    for forged in forgeries(held.receipt, public):
        tried += 1
        with pytest.raises(TokenError):
            read(keys, held, provider, forged)
    assert tried > 20


async def test_class_7_a_receipt_is_good_for_its_own_platform_alone(provider: Provider) -> None:
    person = await provider.add_person()
    mine = await linked(provider, await new_platform(provider, ES256), person)
    other = await linked(provider, await new_platform(provider, ES256), person)
    async with provider.http() as http:
        keys = await kept_keys(http)
    with pytest.raises(TokenError, match="somebody else"):
        read(keys, other, provider, mine.receipt)


async def test_class_6_nothing_else_of_ours_is_a_receipt_and_a_receipt_is_nothing_else(
    provider: Provider,
) -> None:
    held = await linked(provider, await new_platform(provider, ES256), await provider.add_person())
    async with provider.http() as http:
        keys = await kept_keys(http)
        token_list = (await http.get(held.list_path)).text
        history = (await http.get("/jwks/historical")).text
        for other in (held.tokens["id_token"], held.tokens["access_token"], token_list, history):
            with pytest.raises(TokenError, match="another type"):
                read(keys, held, provider, other)
        bearer = {"Authorization": f"Bearer {held.receipt}"}
        assert (await http.get("/userinfo", headers=bearer)).status_code == 401
        as_hint = {"id_token_hint": held.receipt, "client_id": held.client_id}
        assert (await http.get("/end_session", params=as_hint)).status_code == 400


async def test_p8_a_list_in_the_place_of_another_or_from_yesterday_is_refused(provider: Provider) -> None:
    """A cache on the way that mixes lists up, or keeps one that is better for somebody, is found out."""
    person = await provider.add_person()
    mine = await linked(provider, await new_platform(provider, ES256), person)
    other = await linked(provider, await new_platform(provider, ES256), person)
    async with provider.http() as http:
        keys = await kept_keys(http)
        await build_status_lists(provider.unit_of_work, "builder", provider.clock.now)
        provider.clock.advance(seconds=2)
        token = (await http.get(other.list_path)).text
    header = read_header(token, SIGNING_ALGORITHMS, typ="statuslist+jwt", largest=2**21)
    key, now = keys.by_kid[header.kid], provider.clock.now
    assert verify_status_list(token, header, key, f"{ISSUER}{other.list_path}", now).as_of <= now
    with pytest.raises(TokenError, match="another status list"):
        verify_status_list(token, header, key, f"{ISSUER}{mine.list_path}", now)
    with pytest.raises(TokenError, match="expired"):
        verify_status_list(token, header, key, f"{ISSUER}{other.list_path}", now + timedelta(hours=25))
    revoked = SigningKey(key.key, is_revoked=True)
    with pytest.raises(TokenError, match="revoked"):
        verify_status_list(token, header, revoked, f"{ISSUER}{other.list_path}", now)


def correlation(first: Collection[int], second: Collection[int]) -> float:
    mean_1, mean_2 = sum(first) / len(first), sum(second) / len(second)
    pairs = list(zip(first, second, strict=True))
    both = sum((a - mean_1) * (b - mean_2) for a, b in pairs)
    spread = sum((a - mean_1) ** 2 for a in first) * sum((b - mean_2) ** 2 for b in second)
    return float(both / spread**0.5)


async def test_p7_receipts_of_two_platforms_have_no_value_in_common(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    one = await linked(provider, await new_platform(provider, ES256), person, account_id="acc_here")
    other = await linked(provider, await new_platform(provider, ES256), person, account_id="acc_there")
    shared = {name for name, value in one.claims.items() if other.claims[name] == value}
    assert shared <= {"iss", "assurance_level", "acr", "policy_version"}
    assert one.list_path != other.list_path
    assert person.citizen_id not in str((one.claims, other.claims))


async def test_p7_indexes_tell_neither_order_nor_time_of_links_to_anybody(provider: Provider) -> None:
    """The same thousand people link with two platforms in the same order."""
    one, other = await new_platform(provider, ES256), await new_platform(provider, ES256)
    indexes = provider.context.status_indexes
    drawn = [
        [(await indexes.take(platform.client.client_id))[1] for _ in range(1000)] for platform in (one, other)
    ]
    order = range(1000)
    assert abs(correlation(drawn[0], order)) < 0.15
    assert abs(correlation(drawn[1], order)) < 0.15
    assert abs(correlation(drawn[0], drawn[1])) < 0.15
    assert abs(correlation(drawn[0][1:], drawn[0][:-1])) < 0.15


class TestForYears:
    """Keys come and go; what they signed is believed exactly as long as it should be."""

    async def test_a_receipt_outlives_the_key_that_signed_it(self, sqlite_url: str, tmp_path: Any) -> None:
        async with running_provider(sqlite_url, tmp_path) as provider, provider.http() as http:
            held = await linked(provider, await new_platform(provider, ES256), await provider.add_person())
            ring = provider.context.custody
            for _ in range(3):
                ring.signing.rotate(provider.clock.now)
                provider.clock.advance(days=200)
                ring.reload_if_changed(provider.clock.now)
                provider.context.published.renew()
            kid = jwt.get_unverified_header(held.receipt)["kid"]
            assert kid not in {key["kid"] for key in (await http.get("/jwks")).json()["keys"]}
            keys = await kept_keys(http)
            assert read(keys, held, provider).link_id == held.claims["link_id"]
            assert ReceiptKeys.from_json(keys.to_json()).by_kid.keys() == keys.by_kid.keys()

    async def test_a_key_that_was_lost_takes_its_receipts_along_and_new_ones_are_had(
        self, sqlite_url: str, tmp_path: Any
    ) -> None:
        """Whoever stole it may write any receipt, dated as they please: none of them counts any more."""
        async with running_provider(sqlite_url, tmp_path) as provider, provider.http() as http:
            platform, person = await new_platform(provider, ES256), await provider.add_person()
            held = await linked(provider, platform, person)
            kid = jwt.get_unverified_header(held.receipt)["kid"]
            provider.context.custody.signing.compromise(kid, provider.clock.now)
            provider.context.published.renew()
            keys = await kept_keys(http)
            with pytest.raises(TokenError, match="revoked"):
                read(keys, held, provider)
            again = await linked(provider, platform, person)
            assert read(keys, again, provider).link_id == held.claims["link_id"]
