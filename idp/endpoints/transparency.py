"""The public log: checkpoints, proofs and tiles, for everybody and without a credential. RFC 9162 §5, §2.1.

Nothing here tells of a person: a leaf is a hash with a random id inside that nobody can guess. There is no
way to ask for a leaf by its hash, and none is needed: whoever holds an event finds its place in it.
"""

from collections.abc import Sequence
from hashlib import sha256
from http import HTTPStatus

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.checkpoints import CHECKPOINT_TYPE, text_of_hash
from idp.audit.merkle import HASH_SIZE, LARGEST_TREE
from idp.audit.tiles import WIDTH, TileError, TileId, width_in
from idp.store.merkle_log import ANY_SIZE
from idp.web.answers import NO_STORE
from idp.web.log_proofs import consistency, inclusion
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)

FRESH = "public, max-age=10"
"""A new checkpoint comes once a minute."""
FOR_EVER = "public, max-age=31536000, immutable"
"""Of what can never change: a full tile, a proof between two given trees."""

MOST_CHECKPOINTS = 100
_LEVELS = 6
"""A tree of 2^48 leaves has no more."""


@router.api_route("/transparency/checkpoint", methods=["GET", "HEAD"])
async def checkpoint(http: Request) -> Response:
    """Return the newest checkpoint, a JWS of type checkpoint+jwt."""
    newest = await context_of(http).unit_of_work().merkle_log.newest_checkpoint()
    if newest is None:
        return _refusal(404, "nothing was signed yet")
    return _answer(http, newest.signed.encode(), FRESH, f"application/{CHECKPOINT_TYPE}")


@router.api_route("/transparency/checkpoints", methods=["GET", "HEAD"])
async def checkpoints(http: Request) -> Response:
    """Return checkpoints of smaller trees than `before`, the largest first; at most `limit`."""
    before = _number(http, "before", ANY_SIZE)
    limit = _number(http, "limit", MOST_CHECKPOINTS)
    if before is None or limit is None or not 1 <= limit <= MOST_CHECKPOINTS:
        return _refusal(400, f"before is a tree size, limit a number from 1 to {MOST_CHECKPOINTS}")
    found = await context_of(http).unit_of_work().merkle_log.checkpoints_before(before, limit)
    document = {
        "checkpoints": [each.signed for each in found],
        "next_before": found[-1].tree_size if len(found) == limit else None,
    }
    return _json(http, document, FRESH)


@router.api_route("/transparency/consistency", methods=["GET", "HEAD"])
async def consistency_proof(http: Request) -> Response:
    """Prove that the tree of `to` leaves begins with that of `from`: RFC 9162 §5.3."""
    uow = context_of(http).unit_of_work()
    newest = await uow.merkle_log.newest_checkpoint()
    first_size, size = _number(http, "from"), _number(http, "to")
    if first_size is None or size is None or first_size > size:
        return _refusal(400, "from and to are tree sizes, and from is not the larger")
    if newest is None or size > newest.tree_size:
        return _refusal(404, "no tree of that size was signed yet")
    try:
        path = await consistency(uow, first_size, size)
    except TileError:
        return _damaged()
    return _json(http, {"from": first_size, "to": size, "consistency_path": _texts(path)}, FOR_EVER)


@router.api_route("/transparency/inclusion", methods=["GET", "HEAD"])
async def inclusion_proof(http: Request) -> Response:
    """Prove which hash stands at `leaf_index`, from 0, in the tree of `tree_size` leaves: RFC 9162 §5.1."""
    uow = context_of(http).unit_of_work()
    newest = await uow.merkle_log.newest_checkpoint()
    index, size = _number(http, "leaf_index"), _number(http, "tree_size")
    if index is None or size is None or index >= size:
        return _refusal(400, "leaf_index is a place, from 0, in a tree of tree_size leaves")
    if newest is None or size > newest.tree_size:
        return _refusal(404, "no tree of that size was signed yet")
    try:
        proof = await inclusion(uow, index, size)
    except TileError:
        return _damaged()
    document = {
        "leaf_index": index,
        "tree_size": size,
        "leaf_hash": text_of_hash(proof.leaf_hash),
        "inclusion_path": _texts(proof.path),
    }
    return _json(http, document, FOR_EVER)


@router.api_route("/transparency/tiles/{level}/{index}", methods=["GET", "HEAD"])
async def tile(http: Request, level: str, index: str) -> Response:
    """Return the hashes of one tile, 32 bytes each, as far as they are signed for."""
    uow = context_of(http).unit_of_work()
    newest = await uow.merkle_log.newest_checkpoint()
    place = _place(level, index)
    width = 0 if newest is None or place is None else width_in(place, newest.tree_size)
    if place is None or not width:
        return _refusal(404, "there is no such tile")
    found = (await uow.merkle_log.tiles([place])).get(place, b"")
    if len(found) < width * HASH_SIZE:
        return _damaged()
    caching = FOR_EVER if width == WIDTH else FRESH
    return _answer(http, found[: width * HASH_SIZE], caching, "application/octet-stream")


def _refusal(status: int, detail: str) -> Response:
    """Return a problem without a type of its own: RFC 9457 §4.2.1."""
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Response(orjson.dumps(problem), status, headers=NO_STORE, media_type="application/problem+json")


def _damaged() -> Response:
    """Say that a tile is gone that a checkpoint stands for: `idp audit verify` tells an operator which."""
    return _refusal(503, "a part of the log is missing")


def _place(level: str, index: str) -> TileId | None:
    at, number = _read(level), _read(index)
    return None if at is None or number is None or at >= _LEVELS else TileId(at, number)


def _number(http: Request, name: str, default: int | None = None) -> int | None:
    """Read a number from the query; None for what is none or is named twice."""
    values = http.query_params.getlist(name)
    if not values:
        return default
    return _read(values[0]) if len(values) == 1 else None


def _read(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= 15
    return int(text) if is_number and int(text) <= LARGEST_TREE else None


def _texts(hashes: Sequence[bytes]) -> list[str]:
    return [text_of_hash(each) for each in hashes]


def _json(http: Request, document: object, caching: str) -> Response:
    return _answer(http, orjson.dumps(document), caching, "application/json")


def _answer(http: Request, body: bytes, caching: str, media_type: str) -> Response:
    """Return what caches and pages of any origin may keep, or 304 (RFC 9110 §13.1.2)."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"Cache-Control": caching, "ETag": tag, "Access-Control-Allow-Origin": "*"}
    sent = {each.strip().removeprefix("W/") for each in http.headers.get("if-none-match", "").split(",")}
    if tag in sent:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)
