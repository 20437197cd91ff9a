"""A proof that a person downloaded of an entry of their own: that it stands in the public log, and where."""

import json
from dataclasses import dataclass
from pathlib import Path

from .checkpoints import Checkpoint, FindKey, read_hash, read_hashes, verify_checkpoint
from .tree import TamperedError, leaf_hash, root_by_inclusion

LARGEST_FILE = 256 * 1024


class UnreadableProofError(Exception):
    """The file holds no proof."""


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An entry that stands in the tree of a signed checkpoint."""

    leaf_index: int
    entry: str | None
    """What it says; None where the file names it by its hash alone."""
    checkpoint: Checkpoint


def verify_proof(file: Path, issuer: str, find_key: FindKey, now: float) -> ProvenEntry:
    """Verify a proof against the checkpoint in it. Raises UnreadableProofError, TamperedError."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise UnreadableProofError(f"{file} is too large")
        proof = json.loads(file.read_bytes())
        index, size, signed = int(proof["leaf_index"]), int(proof["tree_size"]), str(proof["checkpoint"])
        entry, hashed, path = proof["leaf"], read_hash(proof["leaf_hash"]), proof["inclusion_path"]
    except (OSError, ValueError, TypeError, LookupError, TamperedError) as error:
        raise UnreadableProofError(f"{file} holds no proof") from error
    checkpoint = verify_checkpoint(signed, issuer, find_key, now)
    if entry is not None and leaf_hash(str(entry).encode()) != hashed:
        raise TamperedError("the entry of a proof is not the one that was logged")
    if size != checkpoint.tree_size:
        raise TamperedError("a proof is not of the tree that its checkpoint is of")
    if root_by_inclusion(hashed, index, size, read_hashes(path)) != checkpoint.root_hash:
        raise TamperedError("an entry does not stand in the signed log")
    return ProvenEntry(index, None if entry is None else str(entry), checkpoint)
