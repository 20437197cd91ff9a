import os
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import orjson
import pytest

from keys import Custody, CustodyError, KeyState, SealedDataError
from keys.document import _tag, decode
from keys.key_pairs import to_pkcs8
from keys.policy import KeyPolicy, read_policy


def altered(directory: Path, change: Callable[[dict[str, object]], object]) -> None:
    index = directory / "keyring.json"
    document = orjson.loads(index.read_bytes())
    change(document)
    index.write_bytes(orjson.dumps(document))


def test_only_the_owner_may_read_what_is_made(custody: Custody, directory: Path) -> None:
    assert custody.signing.list()
    assert directory.stat().st_mode & 0o777 == 0o700
    files = sorted(directory.iterdir())
    assert [file.name for file in files] == ["keyring.json", "keyring.lock", "seal.secret"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_no_private_material_stands_unsealed_on_disk(custody: Custody, directory: Path) -> None:
    raw = (directory / "keyring.json").read_bytes()
    ring, private_keys = custody.data._ciphers.ring, custody.signing._view.keys.private_keys
    secrets = [*ring.secrets.values(), *(to_pkcs8(key) for key in private_keys.values())]
    assert len(secrets) == 3 + 4
    for secret in secrets:
        assert secret not in raw
        assert b64encode(secret)[:40] not in raw
        assert secret.hex().encode() not in raw


def test_nothing_that_is_shown_contains_private_material(custody: Custody) -> None:
    ring, keys = custody.data._ciphers.ring, custody.signing._view.keys
    secret = next(iter(ring.secrets.values()))
    shown = "".join(
        repr(thing) for thing in (custody, custody.data, custody.signing, ring, keys, custody._seal)
    )
    assert repr(secret) not in shown
    assert secret.hex() not in shown
    assert "PrivateKey" not in shown


def test_the_private_key_of_a_retiring_key_is_erased(
    custody: Custody, directory: Path, now: datetime
) -> None:
    custody.signing.rotate(now)
    document = orjson.loads((directory / "keyring.json").read_bytes())
    held = {entry["state"]: entry["sealed_private_key"] is not None for entry in document["signing"]}
    assert held == {"retiring": False, "active": True, "next": True}


def test_a_second_opening_finds_the_same_keys(open_custody: Callable[..., Custody]) -> None:
    first, second = open_custody(), open_custody()
    assert first.signing.list() == second.signing.list()
    assert second.data.open(first.data.seal(b"value", b"context"), b"context") == b"value"


def test_a_second_opening_takes_less_than_150_ms_and_writes_nothing(
    full_directory: Path, now: datetime
) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in full_directory.iterdir()}
    began = time.perf_counter()
    Custody.open(full_directory, None, now)
    assert time.perf_counter() - began < 0.15
    assert {file.name: file.stat().st_mtime_ns for file in full_directory.iterdir()} == before


def test_the_seal_may_be_kept_elsewhere(
    directory: Path, tmp_path: Path, open_custody: Callable[..., Custody]
) -> None:
    seal_file = tmp_path / "away" / "seal"
    custody = open_custody(seal_file)
    assert not (directory / "seal.secret").exists()
    assert seal_file.stat().st_mode & 0o777 == 0o600
    assert open_custody(seal_file).signing.list() == custody.signing.list()


def test_a_seal_that_was_put_there_before_is_used_and_left_as_it_is(
    tmp_path: Path, open_custody: Callable[..., Custody]
) -> None:
    seal_file = tmp_path / "seal"
    content = b64encode(bytes(range(48)))
    folded = content[:40] + b"\n" + content[40:] + b"\n"
    seal_file.write_bytes(folded)
    open_custody(seal_file)
    assert seal_file.read_bytes() == folded


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"", "at least 32 random bytes", id="empty"),
        pytest.param(b64encode(b"too short"), "at least 32 random bytes", id="short"),
        pytest.param(b"correct horse battery staple!", "as base64", id="a pass phrase"),
    ],
)
def test_a_seal_that_is_no_secret_is_refused_and_nothing_is_made(
    directory: Path, tmp_path: Path, open_custody: Callable[..., Custody], content: bytes, complaint: str
) -> None:
    seal_file = tmp_path / "seal"
    seal_file.write_bytes(content)
    with pytest.raises(CustodyError, match=complaint) as refusal:
        open_custody(seal_file)
    assert not content or content.decode() not in str(refusal.value)
    assert not (directory / "keyring.json").exists()


def test_a_missing_seal_is_reported_and_never_made_anew(
    custody: Custody, directory: Path, open_custody: Callable[..., Custody]
) -> None:
    assert custody.signing.list()
    (directory / "seal.secret").unlink()
    with pytest.raises(CustodyError, match=r"the seal .* is missing"):
        open_custody()
    assert not (directory / "seal.secret").exists()


def test_a_wrong_seal_is_told_from_an_altered_file(
    custody: Custody, directory: Path, open_custody: Callable[..., Custody]
) -> None:
    assert custody.signing.list()
    (directory / "seal.secret").write_bytes(b64encode(bytes(32)))
    with pytest.raises(CustodyError, match="not the one that this keyring was sealed under"):
        open_custody()


def test_a_lost_keyring_is_not_replaced_by_a_new_one(
    custody: Custody, directory: Path, open_custody: Callable[..., Custody]
) -> None:
    assert custody.signing.list()
    (directory / "keyring.json").unlink()
    with pytest.raises(CustodyError, match="restore it from a backup"):
        open_custody()
    assert not (directory / "keyring.json").exists()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda document: document["signing"][0].update(state="retiring"), id="state"),
        pytest.param(lambda document: document["signing"][0]["jwk"].update(x="AAAA"), id="public key"),
        pytest.param(lambda document: document["signing"].pop(), id="record removed"),
        pytest.param(lambda document: document["data"].pop(0), id="data key removed"),
        pytest.param(lambda document: document["data"][0].update(sealed_key="AAAA"), id="sealed key"),
        pytest.param(lambda document: document.pop("tag"), id="tag removed"),
        pytest.param(lambda document: document.update(tag="ä"), id="tag replaced"),
        pytest.param(lambda document: document.update(format=2), id="format"),
        pytest.param(lambda document: document.update(more=1), id="member added"),
    ],
)
def test_an_altered_keyring_is_refused(
    custody: Custody,
    directory: Path,
    open_custody: Callable[..., Custody],
    change: Callable[[dict[str, object]], object],
) -> None:
    assert custody.signing.list()
    altered(directory, change)
    with pytest.raises(SealedDataError, match="altered or cut short"):
        open_custody()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_keyring_that_is_not_json_is_refused(
    custody: Custody, directory: Path, open_custody: Callable[..., Custody], content: bytes
) -> None:
    assert custody.signing.list()
    (directory / "keyring.json").write_bytes(content)
    with pytest.raises(SealedDataError, match="altered or cut short"):
        open_custody()


@pytest.mark.parametrize(
    ("kind", "one", "other", "member"),
    [
        pytest.param("signing", 0, 1, "sealed_private_key", id="signing keys"),
        pytest.param("data", 0, 2, "sealed_key", id="data keys"),
    ],
)
def test_sealed_keys_that_changed_places_are_refused_by_their_context(
    custody: Custody, directory: Path, kind: str, one: int, other: int, member: str
) -> None:
    """Even where the tag is right: one key never stands in for another."""
    document = orjson.loads((directory / "keyring.json").read_bytes())
    del document["tag"]
    entries = document[kind]
    entries[one][member], entries[other][member] = entries[other][member], entries[one][member]
    raw = orjson.dumps(document | {"tag": _tag(document, custody._seal)})
    with pytest.raises(SealedDataError, match="altered or moved"):
        decode(raw, custody._seal)


def test_a_process_goes_on_with_its_keys_while_the_file_is_unreadable(
    custody: Custody, directory: Path, now: datetime
) -> None:
    good = (directory / "keyring.json").read_bytes()
    kid = custody.signing.signer("ES256").kid
    (directory / "keyring.json").write_bytes(b"{}")
    with pytest.raises(CustodyError):
        custody.reload_if_changed(now)
    assert custody.signing.signer("ES256").kid == kid
    (directory / "keyring.json").write_bytes(good)
    assert custody.reload_if_changed(now)


def test_nothing_is_reloaded_while_nothing_changed(custody: Custody, now: datetime) -> None:
    assert not custody.reload_if_changed(now)


def test_a_rotation_is_seen_by_another_process_without_restart(
    open_custody: Callable[..., Custody], now: datetime
) -> None:
    custody, other = open_custody(), open_custody()
    signing = other.signing
    custody.signing.rotate(now)
    assert other.reload_if_changed(now)
    assert not other.reload_if_changed(now)
    assert not custody.reload_if_changed(now)
    assert signing.signer("ES256").kid == custody.signing.signer("ES256").kid
    assert signing.public_jwks() == custody.signing.public_jwks()


def test_a_token_of_a_process_that_rotated_twice_verifies_before_the_next_reload(
    open_custody: Callable[..., Custody], now: datetime
) -> None:
    custody, other = open_custody(), open_custody()
    custody.signing.rotate(now)
    custody.signing.rotate(now)
    assert other.signing.verification_key(custody.signing.signer("ES256").kid) is not None


def test_a_compromise_is_seen_by_another_process(open_custody: Callable[..., Custody], now: datetime) -> None:
    custody, other = open_custody(), open_custody()
    lost = other.signing.signer("EdDSA").kid
    custody.signing.compromise(lost, now)
    other.reload_if_changed(now)
    assert other.signing.verification_key(lost) is None
    assert other.signing.signer("EdDSA").kid == custody.signing.signer("EdDSA").kid


def test_the_modification_time_always_grows_so_that_no_change_is_missed(
    custody: Custody, directory: Path, now: datetime
) -> None:
    index = directory / "keyring.json"
    ahead = index.stat().st_mtime_ns + 3_600_000_000_000
    os.utime(index, ns=(ahead, ahead))
    custody.data.rotate(now)
    assert index.stat().st_mtime_ns == ahead + 1
    custody.data.rotate(now)
    assert index.stat().st_mtime_ns == ahead + 2


def test_an_algorithm_that_the_policy_gained_gets_its_keys_at_the_next_opening(
    directory: Path, quick_policy: KeyPolicy, now: datetime, custody: Custody
) -> None:
    before = custody.signing.list()
    opened = Custody.open(directory, None, now, policy=read_policy())
    gained = opened.signing.list()[len(before) :]
    assert opened.signing.list()[: len(before)] == before
    assert [(record.algorithm, record.state) for record in gained] == [
        ("RS256", KeyState.ACTIVE),
        ("RS256", KeyState.NEXT),
    ]
    assert "RS256" not in quick_policy.signing.algorithms


def test_a_path_that_cannot_be_a_directory_is_explained(
    tmp_path: Path, quick_policy: KeyPolicy, now: datetime
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CustodyError, match="cannot be locked"):
        Custody.open(tmp_path / "file" / "keys", None, now, policy=quick_policy)


def test_a_seal_that_cannot_be_read_is_explained(
    custody: Custody, tmp_path: Path, open_custody: Callable[..., Custody]
) -> None:
    assert custody.signing.list()
    with pytest.raises(CustodyError, match="cannot be read"):
        open_custody(tmp_path)


def test_a_naive_time_is_refused(
    custody: Custody, open_custody: Callable[..., Custody], now: datetime
) -> None:
    naive = now.replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"):
        custody.reload_if_changed(naive)
    with pytest.raises(ValueError, match="aware"):
        open_custody(at=naive)
