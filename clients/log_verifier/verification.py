"""What is verified, in which order: the signature, what was known, every leaf, a person's proofs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from .checkpoints import Checkpoint, verify_checkpoint
from .memory import Known
from .proofs import ProvenEntry, verify_proof
from .public_log import TILE, PublicLog, RevokedKeyError
from .tree import GrowingTree, TamperedError, check_consistency

HISTORY = 100
"""The newest checkpoints before the present one: each is compared with the log as derived."""

Advance = Callable[[int], None]
"""Is told how many more leaves were looked at."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A log that holds together."""

    checkpoint: Checkpoint
    tree: GrowingTree
    compared: int
    """Earlier checkpoints that agree with it."""


def begin(log: PublicLog, known: Known | None, now: float) -> Checkpoint:
    """Return the newest checkpoint, signed by the provider and consistent with what is known.

    Raises TamperedError, UnreachableError.
    """
    log.open()
    newest = verify_checkpoint(log.checkpoint(), log.issuer, log.find_key, now)
    if known is not None:
        path = []
        if 0 < known.tree_size < newest.tree_size:
            path = log.consistency(known.tree_size, newest.tree_size)
        check_consistency(known.tree_size, known.root_hash, newest.tree_size, newest.root_hash, path)
    return newest


def derive(log: PublicLog, newest: Checkpoint, known: Known | None, now: float, advance: Advance) -> Verified:
    """Derive the root from the leaves that are not known yet, and compare all that was signed on the way.

    Raises TamperedError, UnreachableError.
    """
    tree = GrowingTree() if known is None else known.tree()
    signed = {each.tree_size: each for each in _history(log, newest, now)}
    compared = 0
    while tree.size < newest.tree_size:
        index, offset = divmod(tree.size, TILE)
        width = min(TILE, newest.tree_size - index * TILE)
        for leaf in log.tile(index, width)[offset:]:
            tree.append(leaf)
            earlier = signed.get(tree.size)
            if earlier is not None and earlier.root_hash != tree.root():
                raise TamperedError(f"the first {tree.size} entries are not those that were signed")
            compared += earlier is not None
        advance(width - offset)
    if tree.root() != newest.root_hash:
        raise TamperedError(f"the {tree.size} entries that are shown are not those that were signed")
    return Verified(newest, tree, compared)


def verify_proofs(log: PublicLog, newest: Checkpoint, files: Iterable[Path], now: float) -> list[ProvenEntry]:
    """Verify proofs, and that the log they are of is the one that everybody sees.

    Raises UnreadableProofError, TamperedError, UnreachableError.
    """
    proven = [verify_proof(file, log.issuer, log.find_key, now) for file in files]
    for entry in proven:
        smaller, larger = sorted((entry.checkpoint, newest), key=lambda each: each.tree_size)
        path = []
        if smaller.tree_size < larger.tree_size:
            path = log.consistency(smaller.tree_size, larger.tree_size)
        check_consistency(smaller.tree_size, smaller.root_hash, larger.tree_size, larger.root_hash, path)
    return proven


def _history(log: PublicLog, newest: Checkpoint, now: float) -> Iterable[Checkpoint]:
    for signed in log.checkpoints(newest.tree_size, HISTORY):
        try:
            yield verify_checkpoint(signed, log.issuer, log.find_key, now)
        except RevokedKeyError:
            # Whoever has the key can have made it: it says nothing against the log.
            continue
