"""What is remembered from one time to the next: the last verified state, in a file that you alone write."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from joserfc.util import urlsafe_b64encode

from .checkpoints import read_hash, read_hashes
from .tree import GrowingTree, TamperedError


class UnusableMemoryError(Exception):
    """The file is not one of ours, or of another provider."""


@dataclass(frozen=True, slots=True)
class Known:
    """A state of the log that was verified before."""

    tree_size: int
    root_hash: bytes
    subtrees: tuple[bytes, ...]
    """From which the tree is grown on: no leaf has to be downloaded twice."""

    def tree(self) -> GrowingTree:
        """Return the tree as it was."""
        return GrowingTree(self.tree_size, self.subtrees)


def recall(file: Path, issuer: str) -> Known | None:
    """Read what is remembered of a provider; None where there is no file yet. Raises UnusableMemoryError."""
    if not file.exists():
        return None
    try:
        held = json.loads(file.read_text())
        size, root, subtrees = held["tree_size"], read_hash(held["root_hash"]), read_hashes(held["subtrees"])
        known = Known(int(size), root, tuple(subtrees))
        is_whole = known.tree().root() == root
    except (ValueError, TypeError, LookupError, TamperedError) as error:
        raise UnusableMemoryError(f"{file} is no memory of a log") from error
    if held.get("issuer") != issuer:
        raise UnusableMemoryError(f"{file} remembers {held.get('issuer')}")
    if not is_whole:
        raise UnusableMemoryError(f"{file} was changed")
    return known


def remember(file: Path, issuer: str, tree: GrowingTree, signed: str) -> None:
    """Write a verified state; the file is the old one or the new one, never half of either."""
    held = {
        "issuer": issuer,
        "tree_size": tree.size,
        "root_hash": text_of(tree.root()),
        "subtrees": [text_of(each) for each in tree.subtrees],
        "checkpoint": signed,
    }
    beside = file.with_name(file.name + ".new")
    with beside.open("w") as stream:
        json.dump(held, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)


def text_of(value: bytes) -> str:
    """Return a hash as base64url without padding."""
    return urlsafe_b64encode(value).decode()
