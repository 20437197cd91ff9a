"""From a change of a link to the message in the person's hands, by real ways. P1, P4, P11."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from idp.deliveries.ways import WaysToPeople
from idp.identity.account_links import Status
from idp.identity.cases import shown_reference
from idp.identity.citizens import CitizenStatus
from idp.identity.notices import Channel, NoticeKind, NoticePreferences, UILocale
from idp.protocol.delivery_schedule import PAUSES
from idp.store.outbox_overview import State
from tests.support.people import CONTACTS, PUSH_SECRET, SMS_SECRET, Receivers, all_ways, linked, told
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import (
    anyio_backend,
    change_client,
    move_link,
    new_platform,
    provider,
    set_citizen_status,
)

__all__ = ["anyio_backend", "provider"]

pytestmark = pytest.mark.anyio

URL = re.compile(r"https?://[^\s”]+")


@pytest.fixture
async def receivers(anyio_backend: str) -> AsyncIterator[Receivers]:
    async with all_ways() as given:
        yield given


async def kinds_told(provider: Provider, citizen_id: str) -> list[NoticeKind]:
    kept = await provider.unit_of_work().notices.of_citizen(citizen_id)
    return [each.notice.kind for each in kept]


async def test_a_new_link_is_told_by_every_way_with_one_address_and_nothing_of_the_person(
    provider: Provider, receivers: Receivers
) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
    await told(provider, receivers.people)
    (mail,), (sms,), (push,) = receivers.mail.received, receivers.sms.received, receivers.push.received
    texts = [mail.text, json.loads(sms.body)["text"], json.loads(push.body)["text"]]
    for text in texts:
        assert "@" + "\u2060" + "lan" in text
        assert "Quán Cóc" in text
        assert "liên kết với bạn" in text, "Vietnamese first"
        for private in ("Nguyễn", it.person.personal_number, CONTACTS["phone_number"], "1990"):
            assert private not in text
    (address,) = set(URL.findall(texts[1]))
    assert address.startswith(f"{ISSUER}/not-me/")
    assert set(URL.findall(texts[0])) == {address, f"{ISSUER}/"}, "and the one it says to compare with"
    assert URL.findall(texts[2]) == []
    assert json.loads(push.body)["uri"] == address
    assert mail.recipients == (CONTACTS["email"],)
    assert json.loads(sms.body)["to"] == CONTACTS["phone_number"]
    for received, secret in ((sms, SMS_SECRET), (push, PUSH_SECRET)):
        assert received.headers["authorization"] == f"Bearer {secret}"
        assert received.headers["idempotency-key"] == json.loads(received.body)["id"]
    async with provider.http() as stranger:
        assert (await stranger.get(address)).status_code == 200
        assert (await stranger.post(address, data={"x": "y"})).status_code == 303
    assert (await it.link()).status is Status.SUSPENDED
    await told(provider, receivers.people)
    (case,) = await provider.unit_of_work().cases.of_citizen(it.person.citizen_id)
    assert shown_reference(case.reference) in receivers.mail.received[-1].text
    assert len(receivers.mail.received) == 2, "of the case, and not of the suspension besides"


async def test_the_apps_gateway_knows_people_by_a_subject_of_its_own(
    provider: Provider, receivers: Receivers
) -> None:
    """Abuse case P7: not by their id, their number, or a subject that a network knows."""
    async with provider.http() as http:
        it = await linked(provider, http)
    await told(provider, receivers.people)
    (push,) = receivers.push.received
    to = json.loads(push.body)["to"]
    assert to == provider.context.custody.data.pairwise_subject("app.example", it.person.citizen_id)
    assert to not in {it.person.citizen_id, (await it.link()).subject}


async def test_every_change_is_told_in_the_persons_language_by_the_ways_they_chose(
    provider: Provider, receivers: Receivers
) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
    uow = provider.unit_of_work()
    chosen = NoticePreferences(frozenset({Channel.EMAIL}), UILocale.EN)
    uow.notices.prefer(it.person.citizen_id, chosen, provider.clock.now)
    await uow.commit()
    await told(provider, receivers.people)
    for status in (Status.SUSPENDED, Status.ACTIVE, Status.LAPSED, Status.ACTIVE, Status.ENDED):
        provider.clock.now += timedelta(seconds=1)
        await move_link(provider, it.link_id, status)
        await told(provider, receivers.people)
    assert [str(mail.message["Subject"]) for mail in receivers.mail.received] == [
        "An account was linked with you",
        "A link is suspended",
        "A link is active again",
        "A link has expired",
        "A link was renewed",
        "A link was ended",
    ]
    assert all("Was it not you?" in mail.text for mail in receivers.mail.received)
    assert (receivers.sms.received, receivers.push.received) == ([], [])


async def test_a_way_that_fails_is_tried_again_alone_and_what_arrived_does_not_arrive_twice(
    provider: Provider, receivers: Receivers
) -> None:
    async with provider.http() as http:
        await linked(provider, http)
    receivers.sms.status = "503 Service Unavailable"
    await told(provider, receivers.people)
    assert (len(receivers.mail.received), len(receivers.push.received)) == (1, 1)
    receivers.sms.status = "202 Accepted"
    provider.clock.now += 2 * PAUSES[0]
    await told(provider, receivers.people)
    assert (len(receivers.mail.received), len(receivers.push.received)) == (1, 1)
    ids = [json.loads(received.body)["id"] for received in receivers.sms.received]
    assert len(ids) == 2
    assert len(set(ids)) == 1, "the gateway knows it again"


async def test_after_three_days_a_message_is_parked_where_an_operator_sees_it(
    provider: Provider, receivers: Receivers
) -> None:
    async with provider.http() as http:
        it = await linked(provider, http, email=None)
    uow = provider.unit_of_work()
    sms_only = NoticePreferences(frozenset({Channel.SMS}))
    uow.notices.prefer(it.person.citizen_id, sms_only, provider.clock.now)
    await uow.commit()
    receivers.sms.status = "500 Oh"
    for pause in (timedelta(0), *PAUSES):
        provider.clock.now += 2 * pause
        await told(provider, receivers.people)
    parked = await provider.unit_of_work().outbox_overview.page(State.PARKED)
    mine = [each for each in parked if each.kind == "citizen_sms"]
    assert mine
    assert all(CONTACTS["phone_number"] not in str(each.last_failure) for each in mine)
    assert it.person.citizen_id not in {each.client_id for each in mine}


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
async def test_whoever_has_no_app_is_not_tried_for_three_days(
    provider: Provider, receivers: Receivers, status: str
) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
    receivers.push.status = status
    await told(provider, receivers.people)
    provider.clock.now += 2 * PAUSES[0]
    await told(provider, receivers.people)
    assert len(receivers.push.received) == 1
    assert await kinds_told(provider, it.person.citizen_id) == [NoticeKind.LINK_ESTABLISHED]
    provider.context.log.flush()
    assert provider.settings.log_file is not None
    assert "notice_reaches_nobody" in provider.settings.log_file.read_text()


async def test_without_any_way_the_notice_is_kept_for_the_person(provider: Provider) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
        await told(provider, WaysToPeople())
        page = await http.get("/my/notices")
        assert "Một tài khoản vừa được liên kết với bạn" in page.text
    waiting = await provider.unit_of_work().outbox_overview.page(State.WAITING)
    assert not [each for each in waiting if it.person.citizen_id in each.ordering_key]


async def test_nobody_writes_to_the_dead(provider: Provider, receivers: Receivers) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
    await set_citizen_status(provider, it.person, CitizenStatus.DECEASED)
    await told(provider, receivers.people)
    assert receivers.mail.received == []


async def test_somebody_who_is_locked_is_told_still(provider: Provider, receivers: Receivers) -> None:
    """R13: notice at once."""
    async with provider.http() as http:
        it = await linked(provider, http)
    await set_citizen_status(provider, it.person, CitizenStatus.LOCKED)
    await told(provider, receivers.people)
    assert len(receivers.mail.received) == 1


async def test_p11_what_a_network_wrote_is_quoted_and_leads_nowhere(
    provider: Provider, receivers: Receivers
) -> None:
    """No address that could be pressed, no line of its own, no end of our quotation marks, no length."""
    platform = await new_platform(provider)
    await change_client(provider, platform.client.client_id, client_name="Nhập mã tại http://evil.example/ma")
    handle = "a” http://evil.example/x www.evil.example lan@evil.example tel:+84000999999 “"
    person = await provider.add_person(has_totp=False, **CONTACTS)
    details = json.dumps([{"type": "account_link", "account_id": "a", "handle": handle[:60]}])
    async with provider.http() as http:
        await platform.tokens_for(http, person, None, authorization_details=details)
    await told(provider, receivers.people)
    (mail,), (sms,) = receivers.mail.received, receivers.sms.received
    for text in (mail.text, json.loads(sms.body)["text"]):
        assert not re.search(r"evil\.example|http://evil|www\.evil|@evil|tel:\+", text)
        for address in URL.findall(text):
            assert address.startswith(f"{ISSUER}/")
        assert text.count("“") == text.count("”") == 2, "each name in one pair of ours"
    assert "evil" not in str(mail.message["Subject"])


async def test_a_message_that_waited_too_long_promises_no_button(
    provider: Provider, receivers: Receivers
) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
    await told(provider, WaysToPeople())
    (kept,) = await provider.unit_of_work().notices.of_citizen(it.person.citizen_id)
    provider.clock.now = kept.created_at + timedelta(days=31)
    await told(provider, receivers.people)
    for mail in receivers.mail.received:
        assert "not-me" not in mail.text


async def test_p4_many_networks_in_a_day_are_a_signal_and_told_once(
    provider: Provider, receivers: Receivers
) -> None:
    person = await provider.add_person(has_totp=False, **CONTACTS)
    async with provider.http() as http:
        for _ in range(5):
            platform = await new_platform(provider)
            await platform.tokens_for(http, person)
            await told(provider, receivers.people)
    kinds = await kinds_told(provider, person.citizen_id)
    assert kinds.count(NoticeKind.LINKS_QUICKLY) == 1
    assert kinds.count(NoticeKind.LINK_ESTABLISHED) == 5
    newest = await provider.unit_of_work().ledger.latest(200)
    signals = [
        event
        for event in newest
        if event.type == "citizen:links_quickly" and event.citizen_id == person.citizen_id
    ]
    assert len(signals) == 1
    quick = next(
        mail for mail in receivers.mail.received if "Nhiều tài khoản" in str(mail.message["Subject"])
    )
    assert "4 mạng xã hội" in quick.text


async def test_p4_many_accounts_at_one_network_are_for_its_cap_to_judge(
    provider: Provider, receivers: Receivers
) -> None:
    person = await provider.add_person(has_totp=False, **CONTACTS)
    platform = await new_platform(provider, max_links_per_citizen=6)
    async with provider.http() as http:
        for number in range(5):
            await platform.tokens_for(http, person, f"acc_{number}")
    await told(provider, receivers.people)
    assert NoticeKind.LINKS_QUICKLY not in await kinds_told(provider, person.citizen_id)
