"""The Merkle log: its tiles, the checkpoints that were signed, and how much of the chain was purged.

A tile is only ever replaced by a longer one, and its content follows from the chain: writing it twice, or
late, changes nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import bindparam, desc, func, literal_column, select

from idp.audit.chain import START, Head
from idp.audit.checkpoints import Checkpoint
from idp.audit.merkle import HASH_SIZE
from idp.audit.tiles import WIDTH, TileId, edge_of
from idp.store.database import Row
from idp.store.encoding import micros, moment
from idp.store.oversight_tables import checkpoints, merkle_tiles, purged_log
from idp.store.recorder import Recorder
from idp.store.writes import Insert, Merge, Values

_KEEP = Insert(
    "merkle_tile",
    merkle_tiles,
    ("level", "tile", "hashes"),
    merge=Merge(
        ("level", "tile"),
        lambda proposed, _: {"hashes": proposed.hashes},
        only_if=lambda proposed, kept: func.length(proposed.hashes) > func.length(kept.c.hashes),
    ),
)
_PUBLISH = Insert(
    "checkpoint",
    checkpoints,
    ("tree_size", "root_hash", "signed", "created_at"),
    gate=True,
    unless_exists=True,
)
_PURGED = Insert(
    "purged_log",
    purged_log,
    ("purge_id", "sequence", "chain_hash", "purged_at"),
    gate=True,
    merge=Merge(
        ("purge_id",),
        lambda proposed, _: {
            "sequence": proposed.sequence,
            "chain_hash": proposed.chain_hash,
            "purged_at": proposed.purged_at,
        },
        only_if=lambda proposed, kept: proposed.sequence > kept.c.sequence,
    ),
)
_TILE = select(merkle_tiles.c.hashes).where(
    merkle_tiles.c.level == bindparam("level"), merkle_tiles.c.tile == bindparam("tile")
)
_LAST_TILE = (
    select(merkle_tiles)
    .where(merkle_tiles.c.level == literal_column("0"))
    .order_by(desc(merkle_tiles.c.tile))
    .limit(literal_column("1"))
)
_CHECKPOINTS_BEFORE = (
    select(checkpoints)
    .where(checkpoints.c.tree_size < bindparam("before"))
    .order_by(desc(checkpoints.c.tree_size))
    .limit(bindparam("limit"))
)
_CHECKPOINTS_AFTER = (
    select(checkpoints)
    .where(checkpoints.c.tree_size > bindparam("after"))
    .order_by(checkpoints.c.tree_size)
    .limit(bindparam("limit"))
)
_PURGE = select(purged_log).where(purged_log.c.purge_id == literal_column("1"))

ANY_SIZE = 2**63 - 1
"""A size that is larger than that of any checkpoint."""


class MerkleLog:
    """What the program remembers of its published log."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def size(self) -> int:
        """Return how many leaves the tree has."""
        row = await self._recorder.fetch_one(_LAST_TILE)
        if row is None:
            return 0
        size: int = row["tile"] * WIDTH + len(bytes(row["hashes"])) // HASH_SIZE
        return size

    async def tiles(self, wanted: Iterable[TileId]) -> dict[TileId, bytes]:
        """Return the tiles that exist of those that are wanted: a handful, each found by its key."""
        found: dict[TileId, bytes] = {}
        for tile in wanted:
            row = await self._recorder.fetch_one(_TILE, level=tile.level, tile=tile.index)
            if row is not None:
                found[tile] = bytes(row["hashes"])
        return found

    async def edge(self, size: int) -> dict[TileId, bytes]:
        """Return the last tile of every level of the tree of that size."""
        return await self.tiles(edge_of(size))

    def keep(self, tiles: Mapping[TileId, bytes]) -> None:
        """Record new and longer tiles; one that is kept and not shorter stays."""
        rows: list[Values] = [
            {"level": tile.level, "tile": tile.index, "hashes": held} for tile, held in tiles.items()
        ]
        self._recorder.record_many(_KEEP, rows)

    def publish(self, checkpoint: Checkpoint) -> None:
        """Record a checkpoint. The gate `checkpoint` closes for a second one of the same size."""
        self._recorder.record(
            _PUBLISH,
            tree_size=checkpoint.tree_size,
            root_hash=checkpoint.root_hash,
            signed=checkpoint.signed,
            created_at=micros(checkpoint.created_at),
        )

    async def newest_checkpoint(self) -> Checkpoint | None:
        """Return the checkpoint that stands for the log now."""
        return next(iter(await self.checkpoints_before(ANY_SIZE, 1)), None)

    async def checkpoints_before(self, size: int, limit: int) -> list[Checkpoint]:
        """Return checkpoints of smaller trees, newest first."""
        rows = await self._recorder.fetch_all(_CHECKPOINTS_BEFORE, before=size, limit=limit)
        return [_checkpoint(row) for row in rows]

    async def checkpoints_after(self, size: int, limit: int) -> list[Checkpoint]:
        """Return checkpoints of larger trees, oldest first."""
        rows = await self._recorder.fetch_all(_CHECKPOINTS_AFTER, after=size, limit=limit)
        return [_checkpoint(row) for row in rows]

    async def purged(self) -> Head:
        """Return the last event that was purged; the start of the chain where none was."""
        row = await self._recorder.fetch_one(_PURGE)
        return START if row is None else Head(int(row["sequence"]), bytes(row["chain_hash"]))

    def purge(self, last: Head, now: datetime) -> None:
        """Record up to which event the log is purged. The gate `purged_log` closes when it is already."""
        self._recorder.record(
            _PURGED, purge_id=1, sequence=last.sequence, chain_hash=last.chain_hash, purged_at=micros(now)
        )


def _checkpoint(row: Row) -> Checkpoint:
    return Checkpoint(
        tree_size=row["tree_size"],
        root_hash=bytes(row["root_hash"]),
        created_at=moment(row["created_at"]),
        signed=row["signed"],
    )
