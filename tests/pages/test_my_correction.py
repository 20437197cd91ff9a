"""A request to the register: which datum, what is wrong with it, once; answered, or taken back. R9, R14."""

import asyncio

import httpx
import pytest

from idp.identity.cases import CaseKind, CaseStatus
from idp.identity.corrections import CorrectionOutcome
from idp.identity.notices import NoticeKind
from tests.support.decoupled import arrive
from tests.support.html_forms import Form, Html
from tests.support.provider import ISSUER, Person, Provider

pytestmark = pytest.mark.anyio
ADDRESS = "12 ngõ Giả Lập, Hà Nội"


async def signed_in(provider: Provider, http: httpx.AsyncClient, **data: str) -> Person:
    person = await provider.add_person(has_totp=False, **({"address": ADDRESS} | data))
    await arrive(provider, http, person, "/my/correction")
    return person


async def form_of(http: httpx.AsyncClient) -> Form:
    return Html((await http.get("/my/correction")).text).forms["correction"]


async def ask(http: httpx.AsyncClient, datum: str = "address", fault: str = "outdated") -> httpx.Response:
    form = await form_of(http)
    return await http.post(form.action, data=form.fields | {"datum": datum, "fault": fault})


async def test_a_request_becomes_a_case_with_a_number_and_the_person_is_told(provider: Provider) -> None:
    async with provider.http() as http:
        person = await signed_in(provider, http)
        page = (await http.get("/my/correction")).text
        assert ADDRESS in page
        answer = await ask(http)
        (case,) = await provider.unit_of_work().cases.of_citizen(person.citizen_id)
        assert answer.headers["location"] == f"{ISSUER}/my/cases/{case.reference}"
        assert (case.kind, dict(case.content)) == (
            CaseKind.CORRECTION,
            {"datum": "address", "fault": "outdated"},
        )
        assert case.due_at is not None
        assert 10 <= (case.due_at - case.opened_at).days <= 13
        shown = Html((await http.get(answer.headers["location"])).text)
        assert "Trước đây đúng, nay đã đổi" in shown.text
        kept = await provider.unit_of_work().notices.of_citizen(person.citizen_id)
        assert [each.notice.kind for each in kept] == [NoticeKind.CORRECTION_ASKED]
        assert case.reference[:4] in (await http.get("/my/notices")).text
        assert "Yêu cầu gửi cơ quan đăng ký" in (await http.get("/my/cases")).text


async def test_asked_twice_or_at_once_it_is_one_case_and_another_datum_is_another(provider: Provider) -> None:
    async with provider.http() as http:
        person = await signed_in(provider, http)
        form = await form_of(http)
        sent = form.fields | {"datum": "name", "fault": "misspelt"}
        answers = await asyncio.gather(*(http.post(form.action, data=sent) for _ in range(6)))
        assert {answer.status_code for answer in answers} == {303}
        assert len({answer.headers["location"] for answer in answers}) == 1
        assert (await ask(http, "name", "not_mine")).headers["location"] == answers[0].headers["location"]
        await ask(http, "email", "missing")
        assert len(await provider.unit_of_work().cases.of_citizen(person.citizen_id)) == 2
        assert 'id="datum-name"' not in (await http.get("/my/correction")).text, "it is asked already"


async def test_it_is_taken_back_and_can_be_asked_anew(provider: Provider) -> None:
    async with provider.http() as http:
        person = await signed_in(provider, http)
        address = (await ask(http)).headers["location"]
        form = Html((await http.get(address)).text).forms["answer"]
        for _ in range(2):
            await http.post(form.action, data=form.fields | {"answer": "take_back"})
        (case,) = await provider.unit_of_work().cases.of_citizen(person.citizen_id)
        assert (case.status, case.outcome) == (CaseStatus.CLOSED, CorrectionOutcome.WITHDRAWN)
        assert "Bạn đã rút yêu cầu" in (await http.get(address)).text
        assert (await ask(http)).headers["location"] != address
        assert len(await provider.unit_of_work().cases.of_citizen(person.citizen_id)) == 2


@pytest.mark.parametrize(
    "sent",
    [{}, {"datum": "address"}, {"fault": "missing"}, {"datum": "x", "fault": "missing"}, {"datum": "\0"}],
)
async def test_half_an_answer_is_asked_again_beside_its_questions(
    provider: Provider, sent: dict[str, str]
) -> None:
    async with provider.http() as http:
        person = await signed_in(provider, http)
        form = await form_of(http)
        answer = await http.post(form.action, data={"csrf": form.fields["csrf"]} | sent)
        assert answer.status_code == 400
        assert await provider.unit_of_work().cases.of_citizen(person.citizen_id) == []


async def test_nothing_typed_is_kept_and_nobody_else_sees_it(provider: Provider) -> None:
    """No free text: whatever else is sent stands nowhere (data that is not needed is not collected)."""
    async with provider.http() as http, provider.http() as other:
        person = await signed_in(provider, http)
        form = await form_of(http)
        sent = form.fields | {"datum": "address", "fault": "missing", "value": "số nhà mới 99"}
        address = (await http.post(form.action, data=sent)).headers["location"]
        (case,) = await provider.unit_of_work().cases.of_citizen(person.citizen_id)
        assert set(case.content) == {"datum", "fault"}
        await signed_in(provider, other, address="nơi khác")
        assert (await other.get(address)).status_code == 404
        assert ADDRESS not in (await other.get("/my/correction")).text


async def test_another_site_asks_nothing_and_an_old_sign_in_shows_nothing(provider: Provider) -> None:
    async with provider.http() as http:
        person = await signed_in(provider, http)
        form = await form_of(http)
        sent = form.fields | {"datum": "address", "fault": "missing"}
        foreign = {"Origin": "https://evil.example"}
        assert (await http.post(form.action, data=sent, headers=foreign)).status_code == 403
        assert (await http.post(form.action, data=sent | {"csrf": "x"})).status_code == 403
        provider.clock.advance(minutes=11)
        for answer in (await http.get("/my/correction"), await http.post(form.action, data=sent)):
            assert answer.headers["location"] == f"{ISSUER}/sign-in/correction"
        assert await provider.unit_of_work().cases.of_citizen(person.citizen_id) == []
