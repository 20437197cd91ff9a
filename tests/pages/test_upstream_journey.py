"""Signing in at another identity provider, both kinds over HTTP: who comes in, as whom, what is remembered.

How it is attacked is in tests/security/test_upstream_abuse.py.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import jwt
import pytest

from idp.identity.assurance import Acr, Proofing
from idp.identity.citizens import CitizenStatus
from idp.identity.notices import NoticeKind
from tests.support.before_doors import form_of
from tests.support.databases import migrated_database
from tests.support.html_forms import Html
from tests.support.platform import query_of
from tests.support.provider import ISSUER
from tests.support.shared_provider import set_citizen_status
from tests.support.upstream_openid import front_channel
from tests.support.upstream_scene import KINDS, WELCOME, Kind, UpstreamScene, trouble_of, upstream_scene

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[UpstreamScene]:
    folder = tmp_path_factory.mktemp("upstreams")
    with migrated_database(request.param, folder) as url:
        async with upstream_scene(url, folder) as scene:
            yield scene


@pytest.fixture
def scene(opened: UpstreamScene) -> UpstreamScene:
    opened.standard.forget()
    opened.dialect.forget()
    return opened


async def page_after(browser: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 303
    return await browser.get(answer.headers["location"])


@pytest.mark.parametrize("kind", KINDS)
async def test_a_known_person_comes_in_by_their_number(scene: UpstreamScene, kind: Kind) -> None:
    person = await scene.provider.add_person(has_password=False, has_totp=False)
    scene.at(kind, person.personal_number)
    async with scene.provider.http() as browser:
        answer = await scene.come(browser, kind)
        assert answer.headers["location"] == WELCOME
        assert await scene.who_is_in(browser) == person.citizen_id
        found = await scene.provider.unit_of_work().sessions.find(browser.cookies["lienket-session"])
    assert found is not None
    assert found.session.context.acr is Acr.VN_2
    assert found.session.context.amr == ("pwd", "otp", "mfa")
    (account,) = await scene.provider.unit_of_work().upstream_accounts.of_citizen(person.citizen_id)
    assert account.upstream_id == kind
    notices = await scene.provider.unit_of_work().notices.of_citizen(person.citizen_id, limit=10)
    assert [kept.notice.kind for kept in notices] == [NoticeKind.AUTHENTICATOR_ADDED]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_network_gets_its_answer_at_the_level_that_was_reached_there(
    scene: UpstreamScene, kind: Kind
) -> None:
    person = await scene.provider.add_person(has_password=False, has_totp=False)
    scene.at(kind, person.personal_number)
    async with scene.provider.http() as browser:
        platform, visit_id = await scene.platform_visit(browser, acr_values="vn-2")
        answer = await scene.come(browser, kind, visit_id)
        asked = await browser.get(answer.headers["location"])
        consent = await browser.get(asked.headers["location"])
        form = Html(consent.text).forms["consent"]
        agreed = await browser.post(form.action, data={**form.fields, "decision": "allow"})
        back = await browser.get(agreed.headers["location"])
        tokens = await platform.redeem(browser, query_of(back.headers["location"])["code"])
    claims = jwt.decode(tokens.json()["id_token"], options={"verify_signature": False})
    assert (claims["acr"], claims["amr"]) == (f"{ISSUER}/acr/vn-2", ["pwd", "otp", "mfa"])
    assert person.personal_number not in str(claims)


async def test_the_standard_way_is_pushed_and_holds_pkce_state_nonce_and_nothing_of_the_network(
    scene: UpstreamScene,
) -> None:
    scene.at("standard", scene.newcomer())
    async with scene.provider.http() as browser:
        _, visit_id = await scene.platform_visit(browser, max_age="300")
        address = await scene.leave(browser, "standard", visit_id)
    assert set(front_channel(address)) == {"client_id", "request_uri"}
    (pushed,) = (parameters for path, parameters in scene.standard.requests if path == "/par")
    assert pushed["code_challenge_method"] == "S256"
    assert len(pushed["code_challenge"]) == 43
    assert min(len(pushed["state"]), len(pushed["nonce"])) >= 43
    assert pushed["redirect_uri"] == f"{ISSUER}/upstreams/standard/callback"
    assert (pushed["acr_values"], pushed["max_age"]) == ("loa2 loa3", "300")
    assert visit_id not in str(pushed)


async def test_the_dialect_gets_pkce_and_state_and_its_own_parameters(scene: UpstreamScene) -> None:
    async with scene.provider.http() as browser:
        sent = front_channel(await scene.leave(browser, "dialect"))
    assert set(sent) == {
        "response_type",
        "client_id",
        "redirect_uri",
        "state",
        "channel",
        "code_challenge",
        "code_challenge_method",
    }


async def test_the_levels_of_an_upstream_are_those_of_the_configuration(scene: UpstreamScene) -> None:
    person = await scene.provider.add_person()
    reached = []
    for claims in ({"acr": "loa1"}, {"acr": "loa2"}, {"acr": "loa2", "amr": ["face", "magic"]}):
        scene.at("standard", person.personal_number, subject=person.citizen_id, **claims)
        async with scene.provider.http() as browser:
            await scene.come(browser, "standard")
            found = await scene.provider.unit_of_work().sessions.find(browser.cookies["lienket-session"])
            assert found is not None
            reached.append(found.session.context.acr)
    assert reached == [Acr.VN_1, Acr.VN_2, Acr.VN_4]


@pytest.mark.parametrize(("kind", "claim"), [("standard", "acr"), ("dialect", "mucDo")])
async def test_a_level_that_nobody_translated_lets_nobody_in(
    scene: UpstreamScene, kind: Kind, claim: str
) -> None:
    person = await scene.provider.add_person()
    for told in ("loa9", None, ["loa2"]):
        scene.at(kind, person.personal_number, **{claim: told})
        async with scene.provider.http() as browser:
            answer = await scene.come(browser, kind)
            assert trouble_of(answer) == "incomplete"
            assert await scene.who_is_in(browser) is None


async def test_a_first_arrival_makes_a_record_where_the_configuration_allows_it(scene: UpstreamScene) -> None:
    number = scene.newcomer()
    scene.at("standard", number, gender="Nữ", phone_number="no number at all")
    async with scene.provider.http() as browser:
        answer = await scene.come(browser, "standard")
        assert answer.headers["location"] == WELCOME
        citizen_id = await scene.who_is_in(browser)
    citizen = await scene.provider.unit_of_work().citizens.find_by_number(number)
    assert citizen is not None
    assert citizen.citizen_id == citizen_id
    assert (citizen.status, citizen.proofing) == (CitizenStatus.ACTIVE, Proofing.VN2)
    data = citizen.personal_data
    assert (data.name, data.birthdate, data.gender) == ("Nguyễn Thị Lan", "1990-01-02", "female")
    assert data.phone_number is None
    again = await second_arrival(scene, number)
    assert again == citizen_id


async def second_arrival(scene: UpstreamScene, number: str) -> str | None:
    assert scene.standard.person is not None
    scene.at("standard", number, subject=scene.standard.person.subject)
    async with scene.provider.http() as browser:
        await scene.come(browser, "standard")
        return await scene.who_is_in(browser)


@pytest.mark.parametrize(
    "changes",
    [{"name": None}, {"birthdate": "1990-31-31"}, {"identity": {"number": "000390999999", "level": 7}}],
    ids=["no name", "no day", "unknown proofing"],
)
async def test_somebody_new_of_whom_too_little_is_told_is_not_made_up(
    scene: UpstreamScene, changes: dict[str, object]
) -> None:
    number = "000390999999"
    scene.at("standard", number, **changes)
    async with scene.provider.http() as browser:
        answer = await scene.come(browser, "standard")
        assert trouble_of(answer) == "incomplete"
    assert await scene.provider.unit_of_work().citizens.find_by_number(number) is None


async def test_a_real_persons_number_is_refused_where_people_are_fictitious(scene: UpstreamScene) -> None:
    number = "001890123456"
    scene.at("standard", number)
    async with scene.provider.http() as browser:
        answer = await scene.come(browser, "standard")
        assert trouble_of(answer) == "incomplete"


async def test_where_nobody_is_created_a_clear_page_leaves_the_other_ways_open(scene: UpstreamScene) -> None:
    scene.at("dialect", scene.newcomer())
    async with scene.provider.http() as browser:
        page = await page_after(browser, await scene.come(browser, "dialect"))
        assert page.status_code == 403
        assert "upstream" not in Html(page.text).forms
        assert Html(page.text).ids["error-reference"] in scene.logged()
        assert f"{ISSUER}/sign-in/my" in Html(page.text).links
        english = await browser.get(str(page.url), params={"lang": "en"})
    assert "is known here yet" in english.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [CitizenStatus.LOCKED, CitizenStatus.REVOKED, CitizenStatus.DECEASED])
async def test_a_person_whose_account_cannot_be_used_is_refused(
    scene: UpstreamScene, kind: Kind, status: CitizenStatus
) -> None:
    """Abuse class 17."""
    person = await scene.provider.add_person()
    scene.at(kind, person.personal_number)
    async with scene.provider.http() as browser:
        await scene.come(browser, kind)
    await set_citizen_status(scene.provider, person, status)
    async with scene.provider.http() as browser:
        page = await page_after(browser, await scene.come(browser, kind))
        assert page.status_code == 403
        assert await scene.who_is_in(browser) is None


@pytest.mark.parametrize("kind", KINDS)
async def test_whoever_says_no_there_comes_back_to_a_page_with_every_way(
    scene: UpstreamScene, kind: Kind
) -> None:
    scene.at(kind, scene.newcomer())
    scene.upstream(kind).denies = "access_denied"
    async with scene.provider.http() as browser:
        page = await page_after(browser, await scene.come(browser, kind))
        assert page.status_code == 200
        assert "upstream" in Html(page.text).forms
        assert await scene.who_is_in(browser) is None


async def test_an_earlier_sign_in_there_is_not_taken_for_a_fresh_one(scene: UpstreamScene) -> None:
    person = await scene.provider.add_person()
    now = scene.provider.clock.now
    for kind in KINDS:
        scene.at(kind, person.personal_number)
        for changes in ({"prompt": "login"}, {"max_age": "300"}):
            scene.upstream(kind).signed_in_at = now - timedelta(minutes=10)
            async with scene.provider.http() as browser:
                _, visit_id = await scene.platform_visit(browser, **changes)
                answer = await scene.come(browser, kind, visit_id)
                assert trouble_of(answer) == "not-fresh"
                scene.upstream(kind).signed_in_at = None
                again = await scene.come(browser, kind, visit_id)
                assert "login" in str(scene.upstream(kind).requests) or "max_age" in changes
                assert again.headers["location"] == f"{ISSUER}/authorize/{visit_id}"


async def test_the_time_of_an_earlier_sign_in_there_is_the_sessions(scene: UpstreamScene) -> None:
    person = await scene.provider.add_person()
    earlier = scene.provider.clock.now - timedelta(minutes=10)
    for kind in KINDS:
        scene.at(kind, person.personal_number)
        scene.upstream(kind).signed_in_at = earlier
        async with scene.provider.http() as browser:
            await scene.come(browser, kind)
            found = await scene.provider.unit_of_work().sessions.find(browser.cookies["lienket-session"])
        assert found is not None
        assert found.session.context.auth_time == earlier


async def test_a_disconnected_account_is_connected_again_by_its_person_signed_in_otherwise_and_they_are_told(
    scene: UpstreamScene,
) -> None:
    person = await scene.provider.add_person()
    subject = scene.at("standard", person.personal_number).subject
    async with scene.provider.http() as browser:
        await scene.come(browser, "standard")
    uow = scene.provider.unit_of_work()
    uow.upstream_accounts.disconnect("standard", person.citizen_id, scene.provider.clock.now)
    await uow.commit()
    assert await uow.upstream_accounts.of_citizen(person.citizen_id) == []
    scene.at("standard", person.personal_number, subject=subject)
    async with scene.provider.http() as thief, scene.provider.http() as browser:
        page = await page_after(thief, await scene.come(thief, "standard"))
        assert page.status_code == 403
        assert "upstream" not in Html(page.text).forms
        assert await scene.who_is_in(thief) is None
        await browser.post("/sign-in/my", data=form_of(person))
        assert trouble_of(await scene.come(browser, "standard")) == "disconnected", "a password alone"
        await browser.post("/second-factor/my", data={"code": person.code(scene.provider.clock.now)})
        await scene.come(browser, "standard")
        assert await scene.who_is_in(browser) == person.citizen_id
        await scene.come(thief, "standard")
        assert await scene.who_is_in(thief) == person.citizen_id, "connected for all browsers"
    assert len(await scene.provider.unit_of_work().notices.of_citizen(person.citizen_id, limit=10)) == 2


async def test_no_upstream_is_offered_where_none_is_configured_or_under_another_name(
    scene: UpstreamScene,
) -> None:
    async with scene.provider.http() as browser:
        for address in (
            "/sign-in/my/upstream/nobody",
            "/sign-in/my/upstream/standard/nonsense/U01-7F3K91QD",
            "/sign-in/my/upstream/standard/cancelled/nonsense",
            "/upstreams/nobody/callback?state=x&code=y",
        ):
            assert (await browser.get(address)).status_code == 404
