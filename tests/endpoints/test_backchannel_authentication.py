"""CIBA over HTTP, on both engines. CIBA Core 1.0; FAPI: CIBA Profile 1.0; checklist CIBA-01 … CIBA-19."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest

from idp.identity.account_links import Status
from idp.identity.assurance import Acr
from idp.identity.citizens import CitizenStatus
from idp.protocol.login_hint import Hint, HintKind
from idp.protocol.profiles import CIBA_GRANT
from idp.web.hinted_person import find_hinted_person
from tests.support.decoupled import (
    ENDPOINT,
    CIBAPlatform,
    answer_newest,
    ciba_platform,
    known_person,
    waiting_for,
)
from tests.support.html_forms import Html
from tests.support.platform import LINK
from tests.support.protocol_builders import JWKS, sign
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import move_link, new_platform, set_citizen_status, suspend_client

pytestmark = pytest.mark.anyio
MINUTE = 60


async def test_a_client_asks_the_person_agrees_and_the_client_gets_bound_tokens(provider: Provider) -> None:
    """CIBA-01, CIBA-02, CIBA-13, CIBA-16."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        answer = await ciba.ask(http, person)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        told = answer.json()
        assert set(told) == {"auth_req_id", "expires_in", "interval"}
        assert (told["expires_in"], told["interval"]) == (300, 5)
        assert len(told["auth_req_id"]) == 43
        pending = await ciba.token(http, told["auth_req_id"])
        assert (pending.status_code, pending.json()["error"]) == (400, "authorization_pending")
        await answer_newest(provider, phone, person)
        tokens = await ciba.token(http, told["auth_req_id"])
    assert tokens.status_code == 200, tokens.text
    assert tokens.headers["cache-control"] == "no-store"
    content = tokens.json()
    assert (content["token_type"], content["scope"]) == ("DPoP", "openid")
    assert jwt.decode(content["access_token"], options={"verify_signature": False})["cnf"] == {
        "jkt": ciba.key.jkt
    }
    claims = jwt.decode(content["id_token"], options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, ciba.client_id, ciba.subject_of(person))
    assert claims["acr"] == Acr.VN_2.uri(ISSUER)
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    assert not {"c_hash", "s_hash", "nonce"} & set(claims)


async def test_what_is_asked_again_too_soon_is_told_to_slow_down_and_a_decision_at_once(
    provider: Provider,
) -> None:
    """CIBA-13: the interval holds for questions without an answer alone."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        auth_req_id = await ciba.asked(http, person)

        async def error() -> str:
            return str((await ciba.token(http, auth_req_id)).json()["error"])

        assert await error() == "authorization_pending"
        provider.clock.advance(seconds=2)
        assert await error() == "slow_down"
        provider.clock.advance(seconds=3)
        assert await error() == "authorization_pending"
        await answer_newest(provider, phone, person, "deny")
        assert await error() == "access_denied"


async def test_a_refusal_and_a_request_that_nobody_answered_say_so(provider: Provider) -> None:
    """CIBA-14; both with status 400 at the token endpoint."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        denied = await ciba.asked(http, person)
        await answer_newest(provider, phone, person, "deny")
        over = await ciba.asked(http, person, requested_expiry=30)
        provider.clock.advance(seconds=30)
        answers = [await ciba.token(http, each) for each in (denied, over)]
        assert [(each.status_code, each.json()["error"]) for each in answers] == [
            (400, "access_denied"),
            (400, "expired_token"),
        ]
        assert await waiting_for(provider, phone, person) == []


async def test_an_id_is_good_once_and_for_its_client_alone(provider: Provider) -> None:
    """CIBA-15; abuse class 7."""
    ciba, other = await ciba_platform(provider), await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        auth_req_id = await ciba.asked(http, person)
        await answer_newest(provider, phone, person)
        foreign = await other.token(http, auth_req_id)
        assert (await ciba.token(http, auth_req_id)).status_code == 200
        again = await ciba.token(http, auth_req_id)
        unknown = await ciba.token(http, "A" * 43)
        for refused in (foreign, again, unknown):
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        missing = await http.post(
            "/token", data=ciba.assertion() | {"grant_type": CIBA_GRANT}, headers=ciba.proof()
        )
        assert missing.json()["error"] == "invalid_request"


async def test_without_the_proof_of_a_key_there_are_no_tokens(provider: Provider) -> None:
    """CIBA-17."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        auth_req_id = await ciba.asked(http, person)
        await answer_newest(provider, phone, person)
        form = ciba.assertion() | {"grant_type": CIBA_GRANT, "auth_req_id": auth_req_id}
        bare = await http.post("/token", data=form)
        assert (bare.status_code, bare.json()["error"]) == (400, "invalid_dpop_proof")
        assert (await ciba.token(http, auth_req_id)).status_code == 200


async def test_a_refresh_token_is_its_clients_alone(provider: Provider) -> None:
    """CIBA-18."""
    scope = "openid offline_access"
    ciba = await ciba_platform(provider, {"scope": scope})
    other = await ciba_platform(provider, {"scope": scope})
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        auth_req_id = await ciba.asked(http, person, scope=scope)
        await answer_newest(provider, phone, person)
        refresh_token = (await ciba.token(http, auth_req_id)).json()["refresh_token"]
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        foreign = await http.post("/token", data=other.assertion() | form, headers=other.proof())
        own = await http.post("/token", data=ciba.assertion() | form, headers=ciba.proof())
    assert (foreign.status_code, foreign.json()["error"]) == (400, "invalid_grant")
    assert own.status_code == 200


@pytest.mark.parametrize("missing", ["iss", "aud", "iat", "exp", "nbf", "jti"])
async def test_a_signed_request_says_all_of_itself(provider: Provider, missing: str) -> None:
    """CIBA-03."""
    await refused(provider, {missing: None})


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://somebody-else.example"},
        {"aud": f"{ISSUER}/token"},
        {"iss": "somebody-else"},
        {"exp": -1},
        {"exp": 70 * MINUTE},
        {"nbf": 10 * MINUTE},
        {"nbf": -70 * MINUTE},
        {"jti": 5},
        {"jti": "x" * 256},
        {"scope": 5},
        {"requested_expiry": "soon"},
        {"requested_expiry": 0},
        {"requested_expiry": True},
        {"requested_expiry": -30},
        {"user_code": "1234"},
        {"authorization_details": [LINK]},
        {"id_token_hint": "a.b.c"},
        {"login_hint": None},
        {"login_hint_token": "a.b.c"},
    ],
    ids=str,
)
async def test_a_signed_request_that_is_not_right_is_none(
    provider: Provider, changes: dict[str, Any]
) -> None:
    """CIBA-04, CIBA-06."""
    await refused(provider, changes)


async def refused(
    provider: Provider, changes: dict[str, Any], error: str = "invalid_request", status: int = 400
) -> None:
    ciba = await ciba_platform(provider)
    person = await provider.add_person()
    present = int(provider.clock.now.timestamp())
    moved = {
        name: present + value if name in {"exp", "nbf"} and isinstance(value, int) else value
        for name, value in changes.items()
    }
    async with provider.http() as http:
        request = ciba.signed(**({"login_hint": person.personal_number} | moved))
        answer = await ciba.send(http, request=request)
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert set(answer.json()) == {"error", "error_description"}, "CIBA-21"


async def test_a_signature_that_is_none_weak_broken_or_another_clients_is_refused(provider: Provider) -> None:
    """CIBA-05, CIBA-09."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    hint = {"login_hint": ciba.subject_of(person)}
    good = ciba.signed(**hint)
    none = jwt.encode(ciba.claims(**hint), None, "none")
    head, body, signature = good.split(".")
    tampered = f"{head}.{body}.{signature[:-4]}AAAA"
    wrong_key = ciba.signed(**hint, headers={"kid": "rsa"})
    async with provider.http() as http:
        for request in (none, ciba.signed(**hint, algorithm="RS256"), tampered, wrong_key, "x", "a.b.c.d.e"):
            answer = await ciba.send(http, request=request)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), request
        another = f"{sign(ciba.claims(**hint, iss='somebody-else'))[:-4]}AAAA"
        answer = await ciba.send(http, request=another)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert (await ciba.send(http, request=ciba.signed(**hint, algorithm="PS256"))).status_code == 200


async def test_a_signed_request_is_good_once(provider: Provider) -> None:
    """FAPI: CIBA §5.2.2; the same jti of an assertion is another (abuse class 6)."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    request = ciba.signed(login_hint=ciba.subject_of(person), jti="once")
    async with provider.http() as http:
        first = await http.post(ENDPOINT, data=ciba.assertion(jti="once") | {"request": request})
        again = await ciba.send(http, request=request)
        proof = ciba.assertion()
        fresh = [ciba.signed(login_hint=ciba.subject_of(person)) for _ in range(2)]
        spent = [await http.post(ENDPOINT, data=proof | {"request": each}) for each in fresh]
    assert first.status_code == 200
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")
    assert [each.status_code for each in spent] == [200, 401], "one assertion, one request"


async def test_what_is_not_signed_does_not_count(provider: Provider) -> None:
    """CIBA-06: no bare parameters, and none beside the signed ones (CIBA Core §7.1.1)."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    hint = {"login_hint": ciba.subject_of(person)}
    async with provider.http() as http:
        bare = await ciba.send(http, scope="openid", **hint)
        beside = await ciba.send(http, request=ciba.signed(**hint), binding_message="5678")
        named = await ciba.send(http, request=ciba.signed(**hint), client_id=ciba.client_id)
    for answer in (bare, beside):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert named.status_code == 200


@pytest.mark.parametrize("audience", [ISSUER, f"{ISSUER}{ENDPOINT}", f"{ISSUER}/token"])
async def test_an_assertion_may_name_the_issuer_or_an_endpoint(provider: Provider, audience: str) -> None:
    """CIBA-08."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    form = ciba.assertion(aud=audience) | {"request": ciba.signed(login_hint=ciba.subject_of(person))}
    async with provider.http() as http:
        assert (await http.post(ENDPOINT, data=form)).status_code == 200


async def test_a_client_proves_itself(provider: Provider) -> None:
    """CIBA-07."""
    ciba = await ciba_platform(provider)
    request = {"request": ciba.signed(login_hint="x")}
    async with provider.http() as http:
        for proof in ({}, {"client_id": ciba.client_id}, ciba.assertion(algorithm="RS256")):
            answer = await http.post(ENDPOINT, data=proof | request)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        await suspend_client(provider, ciba.client_id)
        assert (await ciba.send(http, **request)).status_code == 401
        basic = await new_platform(provider)
        refused = await http.post(ENDPOINT, data={"scope": "openid"}, auth=basic.auth)
        assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")


@pytest.mark.parametrize(("wish", "given"), [(60, 60), ("60", 60), (1, 10), (86_400, 600)])
async def test_a_request_lives_as_long_as_its_client_wishes_within_bounds(
    provider: Provider, wish: Any, given: int
) -> None:
    """CIBA-10."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http:
        answer = await ciba.ask(http, person, requested_expiry=wish)
    assert answer.json()["expires_in"] == given


@pytest.mark.parametrize(
    ("message", "is_shown"),
    [
        ("1234", True),
        ("Đơn hàng 5, 120.000 ₫", True),
        ("x" * 100, True),
        ("x" * 101, False),
        ("1234 \U0001f44d\U0001f3ff", False),
        ("see https://attacker.example", False),
        ("abc\u202edef", False),
        ("two\nlines", False),
        ("   ", False),
    ],
    ids=repr,
)
async def test_a_binding_message_is_plain_and_short(
    provider: Provider, message: str, *, is_shown: bool
) -> None:
    """CIBA-11; abuse case P11."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        answer = await ciba.ask(http, person, binding_message=message)
        if is_shown:
            (address,) = await waiting_for(provider, phone, person)
            assert message in (await phone.get(address)).text
        else:
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_binding_message")


async def test_a_person_is_named_by_what_their_client_has_of_them(provider: Provider) -> None:
    """CIBA-12: a subject, a linked account, an ID token that has expired, a token of the client's own."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    subject = ciba.subject_of(person)
    basic = await new_platform(provider, sector=ciba.platform.client.sector)
    now = int(provider.clock.now.timestamp())
    about = {"iss": ciba.client_id, "aud": ISSUER, "exp": now + 60}
    async with provider.http() as http, provider.http() as browser, provider.http() as phone:
        auth_req_id = await ciba.asked(http, person, login_hint=subject)
        await answer_newest(provider, phone, person)
        id_token = (await ciba.token(http, auth_req_id)).json()["id_token"]
        for hint in (
            {"login_hint_token": sign(about | {"sub": subject})},
            {"login_hint_token": sign(about | {"sub_id": {"format": "opaque", "id": subject}})},
            {
                "login_hint_token": sign(
                    about | {"sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": subject}}
                )
            },
            {"id_token_hint": id_token},
        ):
            assert (await ciba.ask(http, person, **hint)).status_code == 200, hint
        provider.clock.advance(hours=1)
        assert (await ciba.ask(http, person, id_token_hint=id_token)).status_code == 200
        await basic.tokens_for(browser, person, "acc_of_hers")
        unlinked = await ciba.ask(http, person, login_hint="account:acc_of_hers")
        assert unlinked.json()["error"] == "unknown_user_id", "the account of another client"
        late = await ciba.ask(http, person, login_hint_token=sign(about | {"sub": subject}))
        assert (late.status_code, late.json()["error"]) == (400, "expired_login_hint_token")
        later = about | {"exp": int(provider.clock.now.timestamp()) + 60}
        for claims, error in (
            (later | {"sub": "nobody"}, "unknown_user_id"),
            (later | {"sub": "no\0body"}, "unknown_user_id"),
            (later | {"sub": ciba.client_id}, "invalid_request"),
            (later | {"sub": subject, "iss": "somebody-else"}, "invalid_request"),
            (later | {"sub": subject, "aud": "https://other.example"}, "invalid_request"),
            (
                later | {"sub_id": {"format": "phone_number", "phone_number": "+84000111222"}},
                "unknown_user_id",
            ),
        ):
            answer = await ciba.ask(http, person, login_hint_token=sign(claims))
            assert answer.json()["error"] == error, claims


async def test_a_linked_account_names_its_holder(provider: Provider) -> None:
    """An account of the client's own, while it is linked; another client's is nobody's here (P6)."""
    described: dict[str, object] = {
        "grant_types": ["authorization_code", "refresh_token", CIBA_GRANT],
        "backchannel_token_delivery_mode": "poll",
    }
    platform, other = await new_platform(provider, described), await new_platform(provider)
    person = await provider.add_person()
    async with provider.http() as http, provider.http() as browser:
        await platform.tokens_for(browser, person, "acc_1")
        await other.tokens_for(browser, person, "acc_2")

        async def ask(hint: str) -> str:
            form = {"scope": "openid", "login_hint": hint}
            answer = await http.post(ENDPOINT, data=form, auth=platform.auth)
            return str(answer.json().get("error", "asked"))

        assert await ask("account:acc_1") == "asked"
        for hint in ("account:acc_2", "account:", "account:" + "x" * 300):
            assert await ask(hint) == "unknown_user_id"
        (link,) = [
            each
            for each in await provider.unit_of_work().account_links.of_citizen(person.citizen_id)
            if each.client_id == platform.client.client_id
        ]
        await move_link(provider, link.link_id, Status.ENDED)
        assert await ask("account:acc_1") == "unknown_user_id"


async def test_who_is_suspended_unknown_or_another_sectors_reads_the_same(provider: Provider) -> None:
    """CIBA-21, abuse cases P6, P7, P8."""
    ciba, other = await ciba_platform(provider), await ciba_platform(provider)
    person, stranger = await known_person(ciba), await known_person(other)
    await set_citizen_status(provider, person, CitizenStatus.LOCKED)
    async with provider.http() as http:
        answers = [
            await ciba.ask(http, person),
            await ciba.ask(http, person, login_hint="nobody"),
            await ciba.ask(http, stranger, login_hint=other.subject_of(stranger)),
        ]
    assert {(each.status_code, each.text) for each in answers} == {(400, answers[0].text)}
    assert answers[0].json()["error"] == "unknown_user_id"


async def test_a_request_lets_go_of_nobody_who_changed_meanwhile(provider: Provider) -> None:
    """Abuse class 17: between the answer and the tokens the person is suspended, or signs out."""
    ciba = await ciba_platform(provider)
    locked, gone = await known_person(ciba), await known_person(ciba)
    async with provider.http() as http, provider.http() as phone, provider.http() as other:
        first = await ciba.asked(http, locked)
        await answer_newest(provider, phone, locked)
        await set_citizen_status(provider, locked, CitizenStatus.LOCKED)
        second = await ciba.asked(http, gone)
        await answer_newest(provider, other, gone)
        form = Html((await other.get("/my/accounts")).text).forms["sign-out"]
        await other.post(form.action, data=form.fields)
        for auth_req_id in (first, second):
            answer = await ciba.token(http, auth_req_id)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_claims_are_told_as_they_were_agreed_to(provider: Provider) -> None:
    """Rules R4, R7: what was not ticked is not told."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    claims = {"id_token": {"age_over_18": None, "name": None, "birthdate": None}}
    async with provider.http() as http, provider.http() as phone:
        auth_req_id = await ciba.asked(http, person, claims=claims)
        await answer_newest(provider, phone, person, ticked=("name",))
        id_token = (await ciba.token(http, auth_req_id)).json()["id_token"]
        told = jwt.decode(id_token, options={"verify_signature": False})
        assert (told["age_over_18"], told["name"]) == (True, "Nguyễn Thị Lan")
        assert "birthdate" not in told
        as_text = await ciba.ask(http, person, claims=json.dumps(claims))
        assert as_text.status_code == 200


async def test_a_client_without_the_profile_may_leave_its_requests_unsigned(provider: Provider) -> None:
    """CIBA Core §7.1: unless it registered an algorithm (§4)."""
    described: dict[str, object] = {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": JWKS,
        "grant_types": ["authorization_code", "refresh_token", CIBA_GRANT],
        "backchannel_token_delivery_mode": "poll",
    }
    plain = CIBAPlatform(await new_platform(provider, described))
    algorithm = {"backchannel_authentication_request_signing_alg": "ES256"}
    signing = CIBAPlatform(await new_platform(provider, described | algorithm))
    for ciba in (plain, signing):
        person = await known_person(ciba)
        async with provider.http() as http, provider.http() as phone:
            answer = await ciba.send(http, scope="openid", login_hint=ciba.subject_of(person))
            if ciba is signing:
                assert answer.json()["error"] == "invalid_request"
                continue
            auth_req_id = answer.json()["auth_req_id"]
            await answer_newest(provider, phone, person)
            form = {"grant_type": CIBA_GRANT, "auth_req_id": auth_req_id}
            tokens = await http.post("/token", data=ciba.assertion() | form)
            assert tokens.json()["token_type"] == "Bearer"


async def test_a_request_outlives_no_bound(provider: Provider) -> None:
    """Housekeeping removes what is over a day later, and nothing before."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http:
        auth_req_id = await ciba.asked(http, person)

        async def removed_after(later: timedelta) -> bool:
            uow = provider.unit_of_work()
            uow.remains.remove(provider.clock.now + later)
            await uow.commit()
            return await provider.unit_of_work().backchannel_requests.find(auth_req_id) is None

        assert not await removed_after(timedelta(hours=24))
        assert await removed_after(timedelta(hours=24, minutes=6))


async def test_where_real_people_are_served_no_number_is_looked_up(provider: Provider) -> None:
    """Rule R4, abuse case P6: outside production it names a fictitious person, in production nobody."""
    ciba = await ciba_platform(provider)
    person = await provider.add_person()
    hint = Hint(HintKind.SUBJECT, person.personal_number)
    found = []
    for mode in ("demo", "production"):
        context = replace(provider.context, mode=mode)
        uow = provider.unit_of_work()
        found.append(await find_hinted_person(context, uow, ciba.platform.client, hint, provider.clock.now))
    assert found == [person.citizen_id, None]
