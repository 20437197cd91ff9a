"""Tells a person what happened: finds out by which ways, and then each way leaves by itself.

The two steps are deliveries of their own, so that a way that is slow or gone holds up no other, and what was
handed over by one is not handed over again because another failed. Where somebody can be reached is read
when a message leaves and stands nowhere else. A person whom no way reaches finds the notice in their own
list (/my/notices), where each is kept.
"""

from collections.abc import Mapping
from datetime import datetime

from idp.deliveries.message_texts import compose
from idp.deliveries.world import DeliveryFailedError, World
from idp.identity.citizens import Citizen, CitizenStatus
from idp.identity.notices import (
    STOPPABLE,
    Channel,
    KeptNotice,
    NoticePreferences,
    UILocale,
    can_be_vetoed,
    channels_to_use,
)
from idp.outbound.channels import Message, MessageNotSentError, UnknownRecipientError
from idp.store.outbox import Delivery
from idp.web.notice_facts import facts_of

MESSAGE_KINDS: Mapping[Channel, str] = {
    Channel.EMAIL: "citizen_email",
    Channel.SMS: "citizen_sms",
    Channel.PUSH: "citizen_push",
}
"""The kind of delivery for each way: ways stand in lanes of their own."""
_CHANNELS = {kind: channel for channel, kind in MESSAGE_KINDS.items()}


async def find_ways(world: World, delivery: Delivery) -> None:
    """Record one message for each way by which the person is told.

    Doing it twice tells nobody twice: a message's id follows from the notice and the way.
    """
    uow, now = world.unit_of_work(), world.clock()
    kept = await uow.notices.find(delivery.content["notice_id"])
    citizen = None if kept is None else await uow.citizens.find(kept.notice.citizen_id)
    if kept is None or citizen is None or citizen.status is CitizenStatus.DECEASED:
        return
    preferences = await uow.notices.preferences(citizen.citizen_id)
    if delivery.content["channels"] is not None:
        chosen = frozenset(map(Channel, delivery.content["channels"]))
        preferences = NoticePreferences(chosen, preferences.ui_locale)
    for channel in channels_to_use(preferences, _reachable(world, citizen)):
        message = _message(kept, channel, preferences.ui_locale, delivery.content["token"], now)
        uow.outbox.add(message)
    await uow.commit()


def _message(
    kept: KeptNotice, channel: Channel, ui_locale: UILocale, token: str | None, now: datetime
) -> Delivery:
    kind = MESSAGE_KINDS[channel]
    return Delivery(
        delivery_id=f"{kind}:{kept.notice_id}",
        kind=kind,
        client_id="",
        # What happened to a person reaches them in the order in which it happened, by each way.
        ordering_key=f"{kind}:{kept.notice.citizen_id}",
        content={"notice_id": kept.notice_id, "token": token, "ui_locale": ui_locale.value},
        created_at=now,
        next_attempt_at=now,
    )


def _reachable(world: World, citizen: Citizen) -> list[Channel]:
    return [channel for channel in world.people.ways if _address(world, citizen, channel) is not None]


def _address(world: World, citizen: Citizen, channel: Channel) -> str | None:
    """Return where a way reaches the person.

    The app's gateway knows its people as a platform does, by a subject of its own: it learns no number.
    """
    data = citizen.personal_data
    match channel:
        case Channel.EMAIL:
            return data.email
        case Channel.SMS:
            return data.phone_number
        case Channel.PUSH:
            return world.custody.data.pairwise_subject(world.people.push_sector, citizen.citizen_id)


async def send_message(world: World, delivery: Delivery) -> None:
    """Send one message by one way. Raises DeliveryFailedError when it is worth another try."""
    channel = _CHANNELS[delivery.kind]
    uow, content, way = world.unit_of_work(), delivery.content, world.people.ways.get(channel)
    kept = await uow.notices.find(content["notice_id"])
    citizen = None if kept is None else await uow.citizens.find(kept.notice.citizen_id)
    address = None if citizen is None else _address(world, citizen, channel)
    if kept is None or address is None:
        # The notice was purged, or the register knows the address no more.
        return
    if way is None:
        raise DeliveryFailedError("this way is not set up any more")
    ui_locale = UILocale(content["ui_locale"])
    facts, token = await facts_of(uow, world.clients, kept), _token(kept, content["token"], world.clock())
    wording = compose(world.policy.issuer, facts, token, channel, ui_locale)
    message = Message(
        message_id=delivery.delivery_id.replace(":", "."),
        to=address,
        title=wording.title,
        text=wording.text,
        uri=wording.uri,
        ui_locale=ui_locale.value,
    )
    try:
        await way.send(message)
    except UnknownRecipientError as error:
        # Trying again would change nothing; the notice stands in the person's list, and the log says so.
        world.log.write(
            "notice_reaches_nobody",
            world.clock(),
            kind=delivery.kind,
            delivery_id=delivery.delivery_id,
            reason=str(error),
        )
    except MessageNotSentError as error:
        raise DeliveryFailedError(str(error)) from error


def _token(kept: KeptNotice, token: str | None, now: datetime) -> str | None:
    """Return the token that may still stand in the message."""
    return token if kept.notice.kind in STOPPABLE or can_be_vetoed(kept, now) else None
