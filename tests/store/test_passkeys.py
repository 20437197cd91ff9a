"""Passkeys: whole again as they were kept, used one after the other, revoked once, each its holder's own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.authenticators.passkeys import Attestation, CredentialRecord, Passkey, ShownPasskey
from idp.identity.citizens import CitizenStatus
from idp.store.passkeys import RENAMED_GATE, REVOKED_GATE, USED_GATE
from idp.store.writes import GateClosedError, UniquenessError
from tests.support.stores import NOW, Memory, make_person

pytestmark = pytest.mark.anyio

CREDENTIAL = CredentialRecord(
    credential_id=b"credential-1",
    public_key=b"\xa5key",
    sign_count=3,
    aaguid="00000000-0000-0000-0000-000000000000",
    transports=("hybrid", "internal"),
    attestation=Attestation("packed", is_trusted=True, statement="c3RhdGVtZW50", client_data_hash="aGFzaA"),
    is_hardware=True,
    is_backup_eligible=False,
    is_backed_up=False,
)
PASSKEY = Passkey("passkey-1", "citizen-1", "Điện thoại của mẹ", CREDENTIAL, NOW)


async def two_people(memory: Memory) -> None:
    await memory.add_people(make_person(), make_person("citizen-2"))
    await remember(memory, PASSKEY)


async def remember(memory: Memory, passkey: Passkey) -> None:
    uow = memory.unit_of_work()
    uow.passkeys.add(passkey)
    await uow.commit()


async def test_a_passkey_comes_back_as_it_was_kept_and_its_name_is_sealed(memory: Memory) -> None:
    await two_people(memory)
    found = await memory.unit_of_work().passkeys.find(b"credential-1")
    assert found is not None
    assert (found.passkey, found.citizen_status, found.revoked_at) == (PASSKEY, CitizenStatus.ACTIVE, None)
    assert await memory.contains("Điện thoại") == []
    assert await memory.unit_of_work().passkeys.find(b"credential-2") is None


async def test_an_id_is_known_once(memory: Memory) -> None:
    """WebAuthn 7.1 step 26: a credential id belongs to one account."""
    await two_people(memory)
    with pytest.raises(UniquenessError):
        await remember(memory, replace(PASSKEY, passkey_id="passkey-2", citizen_id="citizen-2"))


async def test_a_person_has_several_oldest_first_without_the_revoked(memory: Memory) -> None:
    await two_people(memory)
    for number in (2, 3):
        credential = replace(CREDENTIAL, credential_id=f"credential-{number}".encode())
        later = NOW + timedelta(days=number)
        await remember(memory, Passkey(f"passkey-{number}", "citizen-1", "", credential, later))
    uow = memory.unit_of_work()
    uow.passkeys.revoke("citizen-1", "passkey-2", "removed", NOW)
    await uow.commit()
    listed = await uow.passkeys.of_citizen("citizen-1", limit=9)
    assert [each.passkey_id for each in listed] == ["passkey-1", "passkey-3"]
    assert await uow.passkeys.count("citizen-1") == 2
    assert await uow.passkeys.of_citizen("citizen-2", limit=9) == []
    assert await uow.passkeys.count("citizen-2") == 0
    revoked = await uow.passkeys.find(b"credential-2")
    assert revoked is not None
    assert revoked.revoked_at == NOW


async def test_of_two_uses_at_once_one_counts(memory: Memory) -> None:
    await two_people(memory)
    first, second = memory.unit_of_work(), memory.unit_of_work()
    for uow, count in ((first, 4), (second, 5)):
        uow.passkeys.use(PASSKEY, ShownPasskey(count, is_backed_up=True, amr=()), NOW)
    await first.commit()
    with pytest.raises(GateClosedError, match=USED_GATE):
        await second.commit()
    found = await first.passkeys.find(b"credential-1")
    assert found is not None
    passkey = found.passkey
    assert (passkey.credential.sign_count, passkey.credential.is_backed_up) == (4, True)
    assert passkey.last_used_at == NOW


async def test_a_revoked_passkey_is_neither_used_nor_renamed_nor_revoked(memory: Memory) -> None:
    await two_people(memory)
    uow = memory.unit_of_work()
    uow.passkeys.revoke_all("citizen-1", "recovered", NOW)
    await uow.commit()
    gates = []
    for change in (
        lambda: uow.passkeys.use(PASSKEY, ShownPasskey(9, is_backed_up=False, amr=()), NOW),
        lambda: uow.passkeys.rename("citizen-1", "passkey-1", "x"),
        lambda: uow.passkeys.revoke("citizen-1", "passkey-1", "removed", NOW),
    ):
        change()
        with pytest.raises(GateClosedError) as closed:
            await uow.commit()
        gates.append(closed.value.gate)
    assert gates == [USED_GATE, RENAMED_GATE, REVOKED_GATE]


async def test_nobody_changes_another_persons_passkey(memory: Memory) -> None:
    await two_people(memory)
    uow = memory.unit_of_work()
    uow.passkeys.rename("citizen-2", "passkey-1", "mine now")
    with pytest.raises(GateClosedError, match=RENAMED_GATE):
        await uow.commit()
    uow.passkeys.revoke("citizen-2", "passkey-1", "removed", NOW)
    with pytest.raises(GateClosedError, match=REVOKED_GATE):
        await uow.commit()
    uow.passkeys.rename("citizen-1", "passkey-1", "Máy của Lan")
    await uow.commit()
    listed = await uow.passkeys.of_citizen("citizen-1", limit=1)
    assert listed == [replace(PASSKEY, name="Máy của Lan")]


async def test_who_has_a_passkey_is_known_at_sign_in(memory: Memory) -> None:
    await two_people(memory)
    uow = memory.unit_of_work()
    before = await uow.authenticators.find("citizen-1")
    uow.passkeys.revoke("citizen-1", "passkey-1", "removed", NOW)
    await uow.commit()
    after, other = await uow.authenticators.find("citizen-1"), await uow.authenticators.find("citizen-2")
    assert before is not None
    assert after is not None
    assert other is not None
    assert [(each.has_passkey, each.has_hardware_passkey) for each in (before, after, other)] == [
        (True, True),
        (False, False),
        (False, False),
    ]
