"""The key directory on disk: an exclusive lock, whole files only, modes that keep others out.

keyring.json    the index with the sealed keys; replaced as a whole, never written in place
keyring.lock    held by whoever changes the index; not empty once there has been one
seal.secret     the seal, unless IDP_SEAL_FILE keeps it elsewhere
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from keys.errors import CustodyError
from keys.seal import Seal, make_secret, parse_secret

INDEX = "keyring.json"
LOCK = "keyring.lock"
SEAL = "seal.secret"
_LOCK_NOTE = b"There has been a keyring.json here. If it is gone, restore it: nothing else makes it again.\n"


class Stamp(NamedTuple):
    """By which a changed index is recognised."""

    inode: int
    modified_at_ns: int
    size: int


class KeyDirectory:
    """Reads and replaces the files of a key directory. It knows nothing of what they mean."""

    def __init__(self, path: Path, seal_file: Path | None) -> None:
        self._path = path
        self._index = path / INDEX
        self._lock = path / LOCK
        self._seal_file = seal_file or path / SEAL

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory alone. The kernel lets go of the lock when the process dies, however it dies."""
        with _explained("cannot be locked for a change", self._lock):
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def has_index(self) -> bool:
        """Tell whether there is a keyring here."""
        return self._index.exists()

    def has_lost_its_index(self) -> bool:
        """Tell whether there was a keyring here that is gone. Call it under the lock."""
        return not self.has_index() and self._lock.stat().st_size > 0

    def stamp(self) -> Stamp:
        """Return the stamp of the index as it is now: one stat."""
        with _explained("cannot be read", self._index):
            return _stamp(self._index.stat())

    def read_index(self) -> tuple[bytes, Stamp]:
        """Return the index with the stamp of these very bytes, whatever is renamed over it meanwhile."""
        with _explained("cannot be read", self._index), self._index.open("rb") as file:
            return file.read(), _stamp(os.fstat(file.fileno()))

    def replace_index(self, content: bytes) -> Stamp:
        """Put a new index in the place of the old one. Call it under the lock."""
        newer_than = self.stamp().modified_at_ns if self.has_index() else 0
        with _explained("cannot be written", self._index):
            stamp = _replace(self._index, content, newer_than)
            if self._lock.stat().st_size == 0:
                self._lock.write_bytes(_LOCK_NOTE)
            return stamp

    def read_seal(self) -> Seal:
        """Read the seal. A missing one is never made up: it is the only way to the keys."""
        try:
            content = self._seal_file.read_bytes()
        except FileNotFoundError:
            raise CustodyError(
                f"the seal {self._seal_file} is missing, and the keyring cannot be opened without it; "
                "restore the file from where it was put away, or name it in IDP_SEAL_FILE"
            ) from None
        except OSError as error:
            raise CustodyError(f"the seal {self._seal_file} cannot be read: {error.strerror}") from error
        return parse_secret(content)

    def begin_seal(self) -> Seal:
        """Return the seal for a first keyring, made when there is none. Call it under the lock."""
        if not self._seal_file.exists():
            with _explained("cannot be written", self._seal_file):
                self._seal_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _replace(self._seal_file, make_secret(), newer_than=0)
        return self.read_seal()


@contextmanager
def _explained(what: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CustodyError(f"{path} {what}: {error.strerror}") from error


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_ino, status.st_mtime_ns, status.st_size)


def _replace(path: Path, content: bytes, newer_than: int) -> Stamp:
    """Write beside, fsync, rename, fsync the directory: after a crash there is the old file or the new one.

    The modification time always grows: two changes within one tick of the file system's clock could
    otherwise bring back inode, time and size, and a reader would miss them.
    """
    beside = path.with_name(f"{path.name}.new")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(file, 0o600)
        written = 0
        while written < len(content):
            written += os.write(file, content[written:])
        status = os.fstat(file)
        os.utime(file, ns=(status.st_atime_ns, max(status.st_mtime_ns, newer_than + 1)))
        os.fsync(file)
        stamp = _stamp(os.fstat(file))
    finally:
        os.close(file)
    beside.replace(path)
    _fsync_directory(path.parent)
    return stamp


def _fsync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
