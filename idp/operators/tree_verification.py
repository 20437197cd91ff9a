"""Verifies the Merkle tree over the audit log against events, tiles and everything that was signed of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from idp.audit.chain import encode
from idp.audit.checkpoints import CHECKPOINT_TYPE, Checkpoint, text_of_hash
from idp.audit.merkle import leaf_hash
from idp.audit.retention import is_over
from idp.audit.tiles import WIDTH, TileId, split_hashes
from idp.audit.tree_verification import TreeFinding, TreeFindingKind, TreeVerifier
from idp.protocol.jose import SIGNING_ALGORITHMS, JOSEError, PublicKey, parse_jwk, verify_jws
from idp.store.unit_of_work import UnitOfWork
from keys import Keyring

_PAGE = 500
"""Checkpoints read at once."""

SigningKeys = Mapping[str, PublicKey]


@dataclass(frozen=True, slots=True)
class TreeReport:
    """The outcome; the tree is intact when there is no finding."""

    size: int
    root: bytes
    agreeing: int
    """How many signed roots it has."""
    finding: TreeFinding | None


def every_signing_key(keyring: Keyring) -> SigningKeys:
    """Return the keys there ever were, by kid: what was signed years ago is verified, too."""
    keys = (
        parse_jwk({**record.jwk, "kid": record.kid, "alg": record.algorithm}) for record in keyring.list()
    )
    return {key.kid: key for key in keys if key is not None and key.kid is not None}


def check_signature(checkpoint: Checkpoint, keys: SigningKeys) -> None:
    """Check that the provider signed exactly what is kept of a checkpoint. Raises JOSEError."""
    verified = verify_jws(
        checkpoint.signed,
        tuple(keys.values()),
        algorithms=SIGNING_ALGORITHMS,
        typ=CHECKPOINT_TYPE,
        required=("iss", "iat"),
    )
    said = (verified.claims.get("tree_size"), verified.claims.get("root_hash"), verified.claims["iat"])
    kept = (
        checkpoint.tree_size,
        text_of_hash(checkpoint.root_hash),
        int(checkpoint.created_at.timestamp()),
    )
    if said != kept:
        raise JOSEError("what was signed is not what is kept")


async def verify_tree(
    uow: UnitOfWork, keys: SigningKeys, through: int, now: datetime, advance: Callable[[int], None]
) -> TreeReport:
    """Verify the tree up to event `through`, whose chain is intact. `advance` hears of every piece done."""
    purged = (await uow.merkle_log.purged()).sequence
    verifier, agreeing = TreeVerifier(), 0
    finding = await _purge_finding(uow, keys, purged, now)
    checkpoints = _Checkpoints(uow)
    while finding is None and verifier.size < through:
        first, end = verifier.size, min(verifier.size + WIDTH, through)
        here = await checkpoints.up_to(end)
        unsigned = _signature_finding(here, keys)
        kept = await _tile(uow, TileId(0, first // WIDTH))
        leaves = await _leaves(uow, first, end, purged, kept)
        if len(leaves) < end - first:
            finding = TreeFinding(TreeFindingKind.TILE_DIFFERS, first + len(leaves) + 1, end)
            break
        # What nobody signed says nothing about the tree.
        for tile, derived in verifier.take(leaves, kept, [] if unsigned else here).items():
            verifier.compare(tile, derived, await _tile(uow, tile))
        finding = verifier.finding or unsigned
        agreeing += len(here)
        advance(len(leaves))
    for tile, derived in verifier.upper_edge().items():
        verifier.compare(tile, derived, await _tile(uow, tile))
    finding = finding or verifier.finding or await _beyond(uow, through)
    return TreeReport(verifier.size, verifier.root(), agreeing, finding)


class _Checkpoints:
    """All checkpoints, oldest first, a page at a time."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._page: list[Checkpoint] = []
        self._read_to = 0
        self._is_through = False

    async def up_to(self, size: int) -> list[Checkpoint]:
        """Return those up to a size that were not returned yet."""
        while not self._is_through and self._read_to <= size:
            page = await self._uow.merkle_log.checkpoints_after(self._read_to, _PAGE)
            self._page += page
            self._is_through = len(page) < _PAGE
            self._read_to = page[-1].tree_size if page else self._read_to
        here = [each for each in self._page if each.tree_size <= size]
        self._page = self._page[len(here) :]
        return here


async def _leaves(uow: UnitOfWork, first: int, end: int, purged: int, kept: bytes) -> list[bytes]:
    """Return the leaf hashes behind `first` and up to `end`: of events, and as kept where they are purged."""
    gone = min(max(purged - first, 0), end - first)
    events = await uow.ledger.sealed_after(first + gone, end - first - gone)
    return [*split_hashes(kept)[:gone], *(leaf_hash(encode(event)) for event in events)]


async def _tile(uow: UnitOfWork, tile: TileId) -> bytes:
    return (await uow.merkle_log.tiles([tile])).get(tile, b"")


def _signature_finding(checkpoints: list[Checkpoint], keys: SigningKeys) -> TreeFinding | None:
    for checkpoint in checkpoints:
        try:
            check_signature(checkpoint, keys)
        except JOSEError:
            return TreeFinding(TreeFindingKind.SIGNATURE_INVALID, 1, checkpoint.tree_size)
    return None


async def _purge_finding(
    uow: UnitOfWork, keys: SigningKeys, purged: int, now: datetime
) -> TreeFinding | None:
    """Return what is wrong with a purge: a signed checkpoint behind it must be old enough."""
    if not purged:
        return None
    covering = await uow.merkle_log.checkpoints_after(purged - 1, 1)
    finding = _signature_finding(covering, keys)
    if finding is None and not (covering and is_over(covering[0].created_at, now)):
        finding = TreeFinding(TreeFindingKind.PURGED_TOO_SOON, 1, purged)
    return finding


async def _beyond(uow: UnitOfWork, through: int) -> TreeFinding | None:
    """Return a finding where something was signed of a tree larger than there is now."""
    signed = await uow.merkle_log.newest_checkpoint()
    if signed is None or signed.tree_size <= through or signed.tree_size <= await uow.merkle_log.size():
        return None
    return TreeFinding(TreeFindingKind.CHECKPOINT_BEYOND, through + 1, signed.tree_size)
