"""Was it not me? The message, the button, and everything that follows, on both engines. P1, P4, P6."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest

from idp.audit.events import Actor, ActorKind
from idp.identity.account_links import Status, move
from idp.identity.cases import NOT_ME, CaseKind, CaseStatus, close, read_reference
from idp.identity.notices import VETO_VALIDITY, NoticeKind
from idp.web.vetoes import Pressed, veto
from tests.support.html_forms import Html
from tests.support.people import Linked, linked, newest_token, told
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import OPERATOR, move_link

pytestmark = pytest.mark.anyio
STAFF = Actor(ActorKind.OPERATOR, "minh")


async def pressed(http: httpx.AsyncClient, address: str) -> str:
    """Press the button and return the number of the case."""
    form = Html((await http.get(address)).text).forms["not-me"]
    answer = await http.post(form.action, data=form.fields or {"x": "y"})
    assert answer.status_code == 303, answer.text
    return reference_on(await http.get(answer.headers["location"]))


def reference_on(page: httpx.Response) -> str:
    assert page.status_code == 200
    reference = read_reference(Html(page.text).ids["case-reference"])
    assert reference is not None
    return reference


async def cases_of(provider: Provider, linked_: Linked) -> list[CaseKind]:
    return [case.kind for case in await provider.unit_of_work().cases.of_citizen(linked_.person.citizen_id)]


async def test_whoever_holds_the_message_stops_the_link_at_once_without_signing_in(
    provider: Provider,
) -> None:
    async with provider.http() as owner, provider.http() as stranger:
        it = await linked(provider, owner)
        await told(provider)
        address = f"{ISSUER}/not-me/{await newest_token(provider, it.person.citizen_id)}"
        page = await stranger.get(address)
        for shown in ("Quán Cóc", "@lan", "acc_lan_1"):
            assert shown in page.text
        assert "Nguyễn Thị Lan" not in page.text, "the message may be in wrong hands"
        assert it.person.personal_number not in page.text
        assert (await it.link()).status is Status.ACTIVE, "looking changes nothing"
        # Told in one moment, two notices would stand in no order.
        provider.clock.advance(seconds=1)
        number = await pressed(stranger, address)
        link = await it.link()
        assert (link.status, link.suspended_because) == (Status.SUSPENDED, NOT_ME)
        bearer = {"Authorization": f"Bearer {it.tokens['access_token']}"}
        assert (await owner.get("/userinfo", headers=bearer)).status_code == 401
        refreshed = await it.platform.refresh(owner, it.tokens["refresh_token"])
        assert refreshed.json()["error"] == "invalid_grant"
        assert (await owner.get("/my/accounts")).status_code == 303, "signed out everywhere"
        case = await provider.unit_of_work().cases.find_by_reference(number)
        assert case is not None
        assert (case.kind, case.status, case.link_id) == (CaseKind.NOT_ME, CaseStatus.OPEN, it.link_id)
        assert case.citizen_id == it.person.citizen_id
        kinds = [
            kept.notice.kind for kept in await provider.unit_of_work().notices.of_citizen(case.citizen_id)
        ]
        assert kinds == [NoticeKind.CASE_OPENED, NoticeKind.LINK_ESTABLISHED]
        await told(provider)
        assert len(await provider.unit_of_work().notices.of_citizen(case.citizen_id)) == 2


async def test_pressing_again_shows_the_same_case_and_changes_nothing(provider: Provider) -> None:
    async with provider.http() as owner, provider.http() as stranger:
        it = await linked(provider, owner)
        await told(provider)
        address = f"{ISSUER}/not-me/{await newest_token(provider, it.person.citizen_id)}"
        number = await pressed(stranger, address)
        for _ in range(2):
            again = await stranger.post(address, data={"x": "y"})
            assert reference_on(await stranger.get(again.headers["location"])) == number
        assert await cases_of(provider, it) == [CaseKind.NOT_ME]
        uow = provider.unit_of_work()
        case = await uow.cases.find_by_reference(number)
        assert case is not None
        closed, _ = close(case, "unchanged", STAFF, provider.clock.now)
        uow.cases.move(case, closed)
        await uow.commit()
        await move_link(provider, it.link_id, Status.ACTIVE)
        await stranger.post(address, data={"x": "y"})
        assert (await it.link()).status is Status.ACTIVE, "the token was spent with its case"
        assert await cases_of(provider, it) == [CaseKind.NOT_ME]


async def test_twenty_presses_at_once_open_one_case(provider: Provider) -> None:
    async with provider.http() as owner:
        it = await linked(provider, owner)
        await told(provider)
        kept, *_ = await provider.unit_of_work().notices.of_citizen(it.person.citizen_id)
        presses = (Pressed(it.link_id, kept.notice_id), Pressed(it.link_id))
        cases = await asyncio.gather(
            *(veto(provider.context, presses[n % 2], provider.clock.now) for n in range(20))
        )
        assert len({case.reference for case in cases}) == 1
        assert await cases_of(provider, it) == [CaseKind.NOT_ME]
        assert (await it.link()).status is Status.SUSPENDED


async def test_whoever_is_signed_in_says_so_at_the_link_and_stays_signed_in_here(provider: Provider) -> None:
    async with provider.http() as owner, provider.http() as elsewhere:
        it = await linked(provider, owner)
        await it.platform.tokens_for(elsewhere, it.person)
        detail = await owner.get(f"/my/accounts/{it.link_id}")
        address = f"{ISSUER}/my/accounts/{it.link_id}/not-me"
        assert address in Html(detail.text).links
        form = Html((await owner.get(address)).text).forms["not-me"]
        for fields in ({"x": "y"}, {"csrf": "0" * 64}):
            assert (await owner.post(form.action, data=fields)).status_code == 403
        assert (await it.link()).status is Status.ACTIVE
        number = await pressed(owner, address)
        assert reference_on(await owner.get(address)) == number
        assert (await elsewhere.get("/my/accounts")).status_code == 303
        assert (await owner.get("/my/accounts")).status_code == 200


async def test_what_its_holder_disowned_only_staff_bring_back_or_end(provider: Provider) -> None:
    """Neither the holder's session, which somebody else may have, nor linking again is a way round it."""
    async with provider.http() as owner:
        it = await linked(provider, owner)
        await pressed(owner, f"{ISSUER}/my/accounts/{it.link_id}/not-me")
        assert f"{ISSUER}/my/accounts/{it.link_id}/end" not in (await owner.get("/my/accounts")).text
        token = Html((await owner.get("/my/accounts")).text).forms["sign-out"].fields
        answer = await owner.post(f"/my/accounts/{it.link_id}/end", data=token)
        assert answer.status_code == 303
        assert (await it.link()).status is Status.SUSPENDED
        again = await owner.get("/authorize", params=it.platform.request())
        for _ in range(3):
            if again.status_code != 303:
                break
            again = await owner.get(again.headers["location"])
        assert again.status_code == 403
        assert "error-reference" in again.text


async def test_a_link_that_is_suspended_already_does_not_come_back_with_its_holder(
    provider: Provider,
) -> None:
    async with provider.http() as owner:
        it = await linked(provider, owner)
        await told(provider)
        uow = provider.unit_of_work()
        link = await it.link()
        moved, event = move(link, Status.SUSPENDED, OPERATOR, "citizen_suspended", provider.clock.now)
        uow.account_links.move(link, moved, provider.clock.now)
        uow.ledger.append(event)
        await uow.commit()
        await veto(provider.context, Pressed(it.link_id), provider.clock.now)
        assert (await it.link()).suspended_because == NOT_ME


@pytest.mark.parametrize("status", [Status.ENDED, Status.LAPSED])
async def test_a_link_that_is_over_opens_a_case_still(provider: Provider, status: Status) -> None:
    async with provider.http() as owner, provider.http() as stranger:
        it = await linked(provider, owner)
        await move_link(provider, it.link_id, status)
        await told(provider)
        await pressed(stranger, f"{ISSUER}/not-me/{await newest_token(provider, it.person.citizen_id)}")
        assert (await it.link()).status is Status.ENDED
        assert await cases_of(provider, it) == [CaseKind.NOT_ME]


async def test_p6_whatever_is_wrong_with_a_token_the_answer_is_the_same(provider: Provider) -> None:
    """Guessed, cut short, too old, or never there: the same status and the same page."""
    async with provider.http() as owner, provider.http() as stranger:
        it = await linked(provider, owner)
        await told(provider)
        token = await newest_token(provider, it.person.citizen_id)
        assert len(token) == 22, "128 bits"
        pages = set()

        async def ask(text: str) -> None:
            for answer in (
                await stranger.get(f"/not-me/{text}"),
                await stranger.post(f"/not-me/{text}", data={"x": "y"}),
            ):
                assert answer.status_code == 404, text
                reference = Html(answer.text).ids["error-reference"]
                pages.add(answer.text.replace(reference, ""))

        for wrong in (
            token[:-1],
            token + "A",
            token.swapcase(),
            "x",
            "x" * 900,
            "a%00b",
            "%C3%A9",
            "%E2%80%AE",
        ):
            await ask(wrong)
        provider.clock.advance(seconds=VETO_VALIDITY.total_seconds())
        await ask(token)
        assert len(pages) == 1
        assert (await it.link()).status is Status.ACTIVE
        assert await cases_of(provider, it) == []


async def test_no_other_site_presses_the_button(provider: Provider) -> None:
    async with provider.http() as owner, provider.http() as stranger:
        it = await linked(provider, owner)
        await told(provider)
        address = f"{ISSUER}/not-me/{await newest_token(provider, it.person.citizen_id)}"
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await stranger.post(address, data={"x": "y"}, headers=headers)).status_code == 403
        assert (await stranger.head(address)).status_code in {200, 405}
        assert (await it.link()).status is Status.ACTIVE


async def test_another_persons_link_cannot_be_disowned(provider: Provider) -> None:
    """Abuse class 24."""
    async with provider.http() as owner, provider.http() as other:
        it, theirs = await linked(provider, owner), await linked(provider, other)
        own = Html((await other.get(f"/my/accounts/{theirs.link_id}/not-me")).text).forms["not-me"].fields
        assert (await other.get(f"/my/accounts/{it.link_id}/not-me")).status_code == 404
        assert (await other.post(f"/my/accounts/{it.link_id}/not-me", data=own)).status_code == 404
        assert (await it.link()).status is Status.ACTIVE


async def test_neither_token_nor_number_of_the_case_reaches_the_log(provider: Provider) -> None:
    async with provider.http() as owner, provider.http() as stranger:
        it = await linked(provider, owner)
        await told(provider)
        token = await newest_token(provider, it.person.citizen_id)
        number = await pressed(stranger, f"{ISSUER}/not-me/{token}")
        provider.context.log.flush()
        assert provider.settings.log_file is not None
        log = provider.settings.log_file.read_text()
        assert token not in log
        assert number not in log
        assert re.search(r'"route":"/not-me/\{token\}"', log)


async def test_ended_by_oneself_is_told_too(provider: Provider) -> None:
    """The message on every ended link: somebody else may sit at the device."""
    async with provider.http() as owner:
        it = await linked(provider, owner)
        form = Html((await owner.get(f"/my/accounts/{it.link_id}/end")).text).forms["end-link"]
        await owner.post(form.action, data=form.fields)
        provider.clock.now += timedelta(seconds=1)
        await told(provider)
        kinds = {
            kept.notice.kind
            for kept in await provider.unit_of_work().notices.of_citizen(it.person.citizen_id)
        }
        assert kinds == {NoticeKind.LINK_ESTABLISHED, NoticeKind.LINK_ENDED}
