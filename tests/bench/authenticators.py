"""What people of the measurement sign in with, besides their password: a passkey and a phone each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from idp.app import opened
from idp.authenticators.app_devices import AppDevice, device_id_of
from idp.settings import Settings
from idp.web.passkeys import add_passkey, new_passkey_options
from tests.support.phones import PhoneKey
from tests.support.served import ServedProvider
from tests.support.software_authenticator import SoftwareAuthenticator

NO_HASH = "the measured server takes every PIN, for hashes are budgeted apart"


@dataclass(frozen=True, slots=True)
class Equipped:
    """A person, and the devices that they hold in their hands."""

    number: str
    passkey: SoftwareAuthenticator
    phone: PhoneKey

    @property
    def device_id(self) -> str:
        return device_id_of(self.phone.public)


async def equip(provider: ServedProvider, numbers: Sequence[str]) -> Sequence[Equipped]:
    """Give each person a passkey and a phone, as the pages would; the program's process does not run yet."""
    settings = Settings(
        issuer=provider.url,
        database_url=provider.database_url,
        keys_dir=Path(provider.environment["IDP_KEYS_DIR"]),
    )
    equipped = []
    async with opened(settings) as context:
        for number in numbers:
            uow, now = context.unit_of_work(), datetime.now(UTC)
            citizen = await uow.citizens.find_by_number(number)
            assert citizen is not None
            person = Equipped(number, SoftwareAuthenticator(provider.url), PhoneKey())
            options = await new_passkey_options(context, uow, citizen.citizen_id, number, "bench", now)
            sent = person.passkey.create(options)
            await add_passkey(context, uow, sent, "", citizen.citizen_id, "bench", now)
            uow.app_devices.add(
                AppDevice(
                    device_id=person.device_id,
                    citizen_id=citizen.citizen_id,
                    public_key=person.phone.public,
                    pin_hash=NO_HASH,
                    name="",
                    created_at=now,
                    confirmed_at=now,
                )
            )
            await uow.commit()
            equipped.append(person)
    return equipped
