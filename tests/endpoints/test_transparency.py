"""The public log as anybody reads it: checkpoints, proofs and tiles, on both engines. RFC 9162 §2.1."""

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.audit.chain import encode
from idp.audit.merkle import check_consistency, check_inclusion, leaf_hash, root_of
from idp.audit.tiles import TileId
from idp.protocol.jose import parse_jwk_set, verify_jws
from idp.store.oversight_tables import merkle_tiles
from tests.support import tampering
from tests.support.provider import ISSUER, Provider, running_provider
from tests.support.public_log import append, sign_all

pytestmark = pytest.mark.anyio

SIZES = (1, 300, 560)


@pytest.fixture
async def signed(anyio_backend: str, database_url: str, tmp_path: Path) -> AsyncIterator[Provider]:
    """Give a provider whose log was signed at three sizes, and has grown by one event since."""
    async with running_provider(database_url, tmp_path) as provider:
        uow, custody = provider.unit_of_work(), provider.context.custody
        for before, size in zip((0, *SIZES), SIZES, strict=False):
            await append(uow, size - before, provider.clock.now)
            await sign_all(uow, custody, provider.clock.now)
            provider.clock.advance(minutes=2)
        await append(uow, 1, provider.clock.now)
        await tampered_seal(provider)
        yield provider


async def tampered_seal(provider: Provider) -> None:
    """Seal without signing: the last checkpoint is not a minute old."""
    now = provider.clock.now - timedelta(seconds=90)
    await sign_all(provider.unit_of_work(), provider.context.custody, now)


def read(texts: Sequence[str]) -> list[bytes]:
    return [urlsafe_b64decode(text + "=") for text in texts]


async def get(http: httpx.AsyncClient, address: str, status: int = 200) -> Any:
    answer = await http.get(f"/transparency/{address}")
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
    return answer.json()


async def leaves(provider: Provider) -> list[bytes]:
    events = await provider.unit_of_work().ledger.sealed(None, 1000)
    return [leaf_hash(encode(event)) for event in events][: SIZES[-1]]


async def test_a_checkpoint_is_signed_with_the_published_keys(signed: Provider) -> None:
    async with signed.http() as http:
        answer = await http.get("/transparency/checkpoint")
        assert answer.headers["content-type"] == "application/checkpoint+jwt"
        assert answer.headers["cache-control"] == "public, max-age=10"
        keys = parse_jwk_set((await http.get("/jwks")).json())
        verified = verify_jws(answer.text, keys, algorithms=frozenset({"ES256"}), typ="checkpoint+jwt")
        again = await http.get("/transparency/checkpoint", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await http.head("/transparency/checkpoint")).status_code == 200
    claims = dict(verified.claims)
    assert claims.pop("iat") <= signed.clock.now.timestamp()
    root = root_of(await leaves(signed))
    assert read([claims.pop("root_hash")]) == [root]
    assert claims == {"iss": ISSUER, "tree_size": SIZES[-1], "hash_alg": "sha-256"}


async def test_the_history_of_checkpoints_comes_in_pages(signed: Provider) -> None:
    async with signed.http() as http:
        page = await get(http, "checkpoints?limit=2")
        assert (len(page["checkpoints"]), page["next_before"]) == (2, SIZES[1])
        rest = await get(http, f"checkpoints?limit=2&before={page['next_before']}")
        assert (len(rest["checkpoints"]), rest["next_before"]) == (1, None)
        for nonsense in ("limit=0", "limit=101", "before=-1", "before=x", "limit=1&limit=2"):
            await get(http, f"checkpoints?{nonsense}", 400)


async def test_every_signed_tree_begins_with_the_one_before(signed: Provider) -> None:
    hashes = await leaves(signed)
    async with signed.http() as http:
        for first in (0, *SIZES):
            for size in SIZES:
                if first > size:
                    await get(http, f"consistency?from={first}&to={size}", 400)
                    continue
                proof = await get(http, f"consistency?from={first}&to={size}")
                assert (proof["from"], proof["to"]) == (first, size)
                roots = root_of(hashes[:first]), root_of(hashes[:size])
                check_consistency(first, roots[0], size, roots[1], read(proof["consistency_path"]))
        await get(http, f"consistency?from=1&to={SIZES[-1] + 1}", 404)
        for nonsense in ("", "from=1", "to=2", "from=x&to=2", "from=1&to=9999999999999999"):
            await get(http, f"consistency?{nonsense}", 400)


async def test_a_leaf_is_proven_by_its_place(signed: Provider) -> None:
    hashes = await leaves(signed)
    async with signed.http() as http:
        for size in SIZES:
            for index in {0, size // 2, size - 1}:
                proof = await get(http, f"inclusion?leaf_index={index}&tree_size={size}")
                assert read([proof["leaf_hash"]]) == [hashes[index]]
                root = root_of(hashes[:size])
                check_inclusion(hashes[index], index, size, read(proof["inclusion_path"]), root)
        await get(http, f"inclusion?leaf_index=0&tree_size={SIZES[-1] + 1}", 404)
        for nonsense in ("leaf_index=5", "leaf_index=-1", "", "leaf_index=0&tree_size=5", "leaf_hash=x"):
            await get(http, f"inclusion?tree_size=5&{nonsense}", 400)


async def test_tiles_hold_every_hash_that_was_signed_and_no_more(signed: Provider) -> None:
    async with signed.http() as http:
        tiles = [await http.get(f"/transparency/tiles/0/{index}") for index in range(3)]
        assert b"".join(tile.content for tile in tiles) == b"".join(await leaves(signed))
        caching = [tile.headers["cache-control"] for tile in tiles]
        assert caching == ["public, max-age=31536000, immutable"] * 2 + ["public, max-age=10"]
        assert len((await http.get("/transparency/tiles/1/0")).content) == 2 * 32
        for nowhere in ("0/3", "1/1", "2/0", "6/0", "0/-1", "0/x", "x/0", "0/999999999999999", "0/1e3"):
            await get(http, f"tiles/{nowhere}", 404)


async def test_before_anything_was_signed_there_is_nothing_to_see(database_url: str, tmp_path: Path) -> None:
    async with running_provider(database_url, tmp_path) as provider, provider.http() as http:
        await get(http, "checkpoint", 404)
        assert (await get(http, "checkpoints")) == {"checkpoints": [], "next_before": None}
        for address in ("tiles/0/0", "consistency?from=0&to=0", "inclusion?leaf_index=0&tree_size=1"):
            await get(http, address, 404)


async def test_a_tree_with_a_hole_is_told_and_breaks_nothing(signed: Provider) -> None:
    await tampering.remove(signed.unit_of_work(), merkle_tiles, level=0, tile=0)
    assert TileId(0, 0) not in await signed.unit_of_work().merkle_log.tiles([TileId(0, 0)])
    async with signed.http() as http:
        for address in (
            "tiles/0/0",
            "inclusion?leaf_index=3&tree_size=300",
            "consistency?from=10&to=300",
        ):
            await get(http, address, 503)


async def test_nothing_in_the_public_log_tells_of_a_person(signed: Provider) -> None:
    """P7, P9: two people with the same history have leaves without anything in common."""
    async with signed.http() as http:
        answers = [
            await http.get(f"/transparency/{address}")
            for address in ("checkpoint", "checkpoints", "tiles/0/0", "inclusion?leaf_index=0&tree_size=1")
        ]
    everything = b"".join(answer.content for answer in answers)
    for private in (b"citizen-1", b"link-1", b"minh", b"quan-coc"):
        assert private not in everything
    hashes = await leaves(signed)
    assert len(set(hashes)) == len(hashes), "equal events have unequal leaves: a random id is inside"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["checkpoint", "checkpoints", "consistency", "inclusion", "tiles/0/0", "tiles"]),
    st.dictionaries(
        st.sampled_from(["from", "to", "before", "limit", "leaf_index", "tree_size", "x"]),
        st.one_of(st.text(max_size=30), st.integers().map(str), st.sampled_from(["0", "1", "300", "560"])),
        max_size=4,
    ),
    st.text(max_size=12),
)
async def test_whatever_is_asked_is_answered(
    signed: Provider, address: str, query: dict[str, str], more: str
) -> None:
    async with signed.http() as http:
        path = quote(f"/transparency/{address}{more}")
        for answer in (
            await http.get(f"/transparency/{address}", params=query),
            await http.get(path, params=query),
        ):
            assert answer.status_code < 500
            if answer.headers.get("content-type", "").endswith("json"):
                json.loads(answer.content)
