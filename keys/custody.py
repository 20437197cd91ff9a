"""Custody of all keys of the provider in one directory, shared by every process that uses them.

Readers take no lock: they see the old index or the new one. Whoever changes it holds the lock, reads what
the others wrote, applies a pure rule to it and replaces the whole.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from keys.data_keys import DataKeyRing, DataKeys, begin_ring
from keys.directory import KeyDirectory, Stamp
from keys.document import Contents, decode, encode
from keys.errors import CustodyError
from keys.keyring import Keyring, SigningKeys, begin_missing, missing_algorithms
from keys.policy import KeyPolicy, read_policy
from keys.seal import Seal


class Custody:
    """The opened key directory. `signing` and `data` stay the same objects; what they hold is renewed."""

    __slots__ = ("_directory", "_now", "_seal", "_stamp", "data", "signing")

    def __init__(
        self,
        directory: KeyDirectory,
        seal: Seal,
        policy: KeyPolicy,
        contents: Contents,
        stamp: Stamp,
        now: datetime,
    ) -> None:
        self._directory = directory
        self._seal = seal
        self._stamp = stamp
        self._now = now
        self.signing = Keyring(
            contents.signing, policy.signing, change=self._change_signing, refresh=self._reload
        )
        self.data = DataKeys(contents.data, policy.encryption, change=self._change_data, refresh=self._reload)
        self.signing.retire_due(now)

    @classmethod
    def open(
        cls, directory: Path, seal_file: Path | None, now: datetime, *, policy: KeyPolicy | None = None
    ) -> "Custody":
        """Open a key directory and create what is missing in it. Raises CustodyError.

        A new seal is made only together with the first keyring; a keyring whose seal is missing is an error.
        Without anything to create, nothing is written: the directory may be mounted read-only.
        """
        _check_aware(now)
        policy = policy or read_policy()
        files = KeyDirectory(directory, seal_file)
        if not files.has_index():
            _begin(files, policy, now)
        seal = files.read_seal()
        raw, stamp = files.read_index()
        custody = cls(files, seal, policy, decode(raw, seal), stamp, now)
        custody._begin_missing(policy.signing.algorithms)
        return custody

    def reload_if_changed(self, now: datetime) -> bool:
        """Take over what another process changed and retire what is due; tell whether either happened.

        One stat when there is nothing to do. When the index has become unreadable this raises CustodyError,
        and the keys that were read before stay in use.
        """
        _check_aware(now)
        self._now = now
        return self._reload() or self.signing.retire_due(now)

    def _reload(self) -> bool:
        if self._directory.stamp() == self._stamp:
            return False
        raw, stamp = self._directory.read_index()
        self._adopt(decode(raw, self._seal), stamp)
        return True

    def _adopt(self, contents: Contents, stamp: Stamp) -> None:
        self.data.adopt(contents.data)
        self.signing.adopt(contents.signing)
        self.signing.retire_due(self._now)
        self._stamp = stamp

    def _begin_missing(self, algorithms: tuple[str, ...]) -> None:
        """Make the first keys of algorithms that the policy has gained since the ring was made."""
        held = SigningKeys(self.signing.list(), {})
        if missing_algorithms(held, algorithms):
            self._change_signing(lambda keys: begin_missing(keys, algorithms, self._now))

    def _change_signing(self, rule: Callable[[SigningKeys], SigningKeys]) -> None:
        self._change(lambda contents: replace(contents, signing=rule(contents.signing)))

    def _change_data(self, rule: Callable[[DataKeyRing], DataKeyRing]) -> None:
        self._change(lambda contents: replace(contents, data=rule(contents.data)))

    def _change(self, rule: Callable[[Contents], Contents]) -> None:
        with self._directory.locked():
            raw, _ = self._directory.read_index()
            contents = rule(decode(raw, self._seal))
            stamp = self._directory.replace_index(encode(contents, self._seal))
        self._adopt(contents, stamp)


def _begin(files: KeyDirectory, policy: KeyPolicy, now: datetime) -> None:
    """Make the first keyring, unless another process was quicker: seal first, index last."""
    with files.locked():
        if files.has_index():
            return
        if files.has_lost_its_index():
            raise CustodyError(
                "keyring.json is missing from a directory that had one; restore it from a backup, "
                "since new keys could neither open the stored data nor find a citizen"
            )
        seal = files.begin_seal()
        signing = begin_missing(SigningKeys((), {}), policy.signing.algorithms, now)
        files.replace_index(encode(Contents(signing, begin_ring(now)), seal))


def _check_aware(now: datetime) -> None:
    if now.tzinfo is None:
        raise ValueError("the time must be aware (UTC)")
