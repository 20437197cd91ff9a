"""Verified claims from the request to the answers, through the consent page, on both engines."""

import json
from typing import Any

import jwt
import pytest

from idp.identity.assurance import Proofing
from idp.identity.evidence import Check, CheckMethod, DocumentType, Evidence
from tests.support.html_forms import Html
from tests.support.platform import Platform, go_on, query_of
from tests.support.provider import Person, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

PURPOSE = "Lưu hồ sơ đăng ký <b>"
RECORD = {
    "verification": {
        "trust_framework": None,
        "assurance_level": None,
        "time": None,
        "evidence": [
            {
                "type": {"value": "document"},
                "document_details": {"type": None},
                "check_details": [{"check_method": None}],
            }
        ],
    },
    "claims": {"name": {"purpose": PURPOSE}, "nationalities": None, "age_over_18": None},
}
LEVEL = {"verification": {"trust_framework": None, "assurance_level": None}, "claims": None}


def asking(**places: object) -> str:
    return json.dumps({place: {"verified_claims": asked} for place, asked in places.items()})


async def consent_page(provider: Provider, http: Any, person: Person, response: Any) -> tuple[str, str]:
    """Go as far as the consent page; return its address and text."""
    while "/consent/" not in (address := response.headers["location"]):
        if "/sign-in/" in address:
            form = {"identifier": person.personal_number, "password": person.password}
            response = await http.post(address, data=form)
        else:
            response = await http.get(address)
    return address, (await http.get(address)).text


async def answers(http: Any, platform: Platform, code: str) -> tuple[Any, Any, dict[str, Any]]:
    """Return verified_claims of the ID token and of UserInfo, and the tokens."""
    tokens = (await platform.redeem(http, code)).json()
    return *(await told(http, tokens)), tokens


async def told(http: Any, tokens: dict[str, Any]) -> tuple[Any, Any]:
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    userinfo = (await http.get("/userinfo", headers=bearer)).json()
    id_token = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    return id_token.get("verified_claims"), userinfo.get("verified_claims")


async def test_the_level_alone_is_asked_for_and_told(provider: Provider) -> None:
    """Verified but pseudonymous: nothing to tick, and nothing about who it is."""
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        opened = await http.get(
            "/authorize", params=platform.request(None, claims=asking(id_token=LEVEL, userinfo=LEVEL))
        )
        address, text = await consent_page(provider, http, person, opened)
        assert Html(text).forms["consent"].checkboxes == {}
        answer = await http.post(address, data={"decision": "allow"})
        code = query_of(await go_on(provider, http, person, answer))["code"]
        in_id_token, at_userinfo, _ = await answers(http, platform, code)
    assert in_id_token == at_userinfo
    assert in_id_token == {
        "verification": {"trust_framework": "vn_nd69_2024", "assurance_level": "vn2"},
        "claims": {},
    }


@pytest.mark.parametrize("is_pushed", [False, True], ids=["at-authorize", "pushed"])
async def test_nothing_is_told_that_was_not_shown(provider: Provider, *, is_pushed: bool) -> None:
    platform = await new_platform(provider, {"scope": "openid offline_access"})
    person = await provider.add_person(has_totp=False, nationality="VN")
    changes = {"claims": asking(userinfo=RECORD, id_token=LEVEL), "scope": "openid offline_access"}
    async with provider.http() as http:
        parameters = platform.request(None, **changes)
        if is_pushed:
            pushed = await platform.push(http, account_id=None, **changes)
            parameters = {"client_id": parameters["client_id"], "request_uri": pushed.json()["request_uri"]}
        address, text = await consent_page(
            provider, http, person, await http.get("/authorize", params=parameters)
        )
        form = Html(text).forms["consent"]
        assert form.checkboxes == dict.fromkeys(
            ["name", "nationalities", "verification_time", "verification_evidence"], False
        )
        page = Html(text).text
        for words in ("Thẻ căn cước (xem trực tiếp khi bạn có mặt, ", "Cơ sở dữ liệu dân cư (", PURPOSE):
            assert words in page
        assert page.count("Họ và tên") == 1, "neither asked for twice nor promised to be withheld"
        assert page.count("Quốc tịch") == 1
        assert "<b>" not in text
        english = Html((await http.get(f"{address}?lang=en")).text).text
        assert "Identity card (looked at in your presence, " in english
        ticked = {"decision": "allow", "claim": list(form.checkboxes)}
        answer = await http.post(address, data=ticked)
        code = query_of(await go_on(provider, http, person, answer))["code"]
        proofed_at = provider.clock.now
        in_id_token, at_userinfo, tokens = await answers(http, platform, code)
        assert in_id_token["claims"] == {}
        assert at_userinfo == {
            "verification": {
                "trust_framework": "vn_nd69_2024",
                "assurance_level": "vn2",
                "time": proofed_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "evidence": [
                    {
                        "type": "document",
                        "document_details": {"type": "idcard"},
                        "check_details": [{"check_method": "vpip"}],
                    }
                ],
            },
            "claims": {"name": "Nguyễn Thị Lan", "nationalities": ["VN"], "age_over_18": True},
        }
        renewed = (await platform.refresh(http, tokens["refresh_token"])).json()
        assert await told(http, renewed) == (in_id_token, at_userinfo)


async def test_each_item_is_a_choice_and_a_requirement_refused_is_not_told(provider: Provider) -> None:
    """Rule R7: whoever keeps the evidence to themselves is not vouched for by it either."""
    platform = await new_platform(provider)
    asked = [RECORD, {"verification": {"trust_framework": None, "time": None}, "claims": {"name": None}}]
    person = await provider.add_person(has_totp=False, nationality="VN")
    async with provider.http() as http:
        opened = await http.get("/authorize", params=platform.request(None, claims=asking(userinfo=asked)))
        address, _ = await consent_page(provider, http, person, opened)
        answer = await http.post(address, data={"decision": "allow", "claim": ["name"]})
        code = query_of(await go_on(provider, http, person, answer))["code"]
        in_id_token, at_userinfo, _ = await answers(http, platform, code)
    assert in_id_token is None
    assert at_userinfo == {
        "verification": {"trust_framework": "vn_nd69_2024"},
        "claims": {"name": "Nguyễn Thị Lan"},
    }
    consent = (await provider.unit_of_work().consents.of_citizen(person.citizen_id, 1))[0]
    assert consent.claims == {"name", "age_over_18", "assurance_level"}
    assert consent.offered >= {"nationalities", "verification_time", "verification_evidence"}


async def test_the_registers_own_evidence_is_told(provider: Provider) -> None:
    checked_at = provider.clock.now
    permit = Evidence(DocumentType.RESIDENCE_PERMIT, (Check(CheckMethod.VCRYPT, checked_at),))
    person = await provider.add_person(has_totp=False, proofing=Proofing.VNF, evidence=(permit,))
    platform = await new_platform(provider)
    asked = {
        "verification": {
            "trust_framework": None,
            "evidence": [
                {
                    "type": {"value": "document"},
                    "document_details": {"type": {"values": ["passport", "residence_permit"]}},
                    "check_details": [{"check_method": None, "time": {"max_age": 3600}}],
                }
            ],
        },
        "claims": {"age_over_18": None},
    }
    async with provider.http() as http:
        opened = await http.get("/authorize", params=platform.request(None, claims=asking(id_token=asked)))
        address, text = await consent_page(provider, http, person, opened)
        assert "Thẻ cư trú (đọc chip trên giấy tờ, " in Html(text).text
        answer = await http.post(address, data={"decision": "allow", "claim": ["verification_evidence"]})
        code = query_of(await go_on(provider, http, person, answer))["code"]
        in_id_token, _, _ = await answers(http, platform, code)
    assert in_id_token["verification"]["evidence"] == [
        {
            "type": "document",
            "document_details": {"type": "residence_permit"},
            "check_details": [
                {"check_method": "vcrypt", "time": checked_at.strftime("%Y-%m-%dT%H:%M:%SZ")},
            ],
        }
    ]


async def test_a_malformed_request_is_invalid_request_wherever_it_is_made(provider: Provider) -> None:
    platform = await new_platform(provider)
    claims = asking(userinfo={"verification": {}, "claims": {"name": None}})
    async with provider.http() as http:
        pushed = await platform.push(http, claims=claims)
        assert (pushed.status_code, pushed.json()["error"]) == (400, "invalid_request")
        told_back = await http.get("/authorize", params=platform.request(claims=claims))
        assert query_of(told_back.headers["location"])["error"] == "invalid_request"
