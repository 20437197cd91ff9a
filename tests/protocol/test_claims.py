import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from authlib.oidc.core import UserInfo
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.assurance import Proofing
from idp.identity.citizens import Citizen, CitizenStatus, PersonalData
from idp.protocol.claim_values import claim_value
from idp.protocol.claims import (
    CLAIMS_OF_SCOPE,
    ITEM_OF_CLAIM,
    agreed_items,
    granted_claims,
    granted_scope,
    id_token_released_claims,
    item_value,
    requested_items,
    userinfo_claims,
)
from idp.protocol.claims_parameter import read_claims
from idp.protocol.model import AuthorizationRequest, ClaimsRequest
from idp.protocol.verified_claims import VERIFIABLE_CLAIMS
from tests.support.protocol_builders import NOW, make_grant

LAN = PersonalData(
    name="Trần Thị Lan (giả lập)",
    birthdate="2008-03-01",
    gender="female",
    nationality="VN",
    phone_number="+84000123456",
    email="lan@mail.example",
    address="1 Phố Giả Lập",
)
BARE = PersonalData(name="Y Moan (giả lập)", birthdate="1990")
EVERYTHING = frozenset(ITEM_OF_CLAIM.values()) | {"assurance_level"}


def request(claims: object = None, scope: str = "openid") -> AuthorizationRequest:
    return AuthorizationRequest(
        client_id="network",
        redirect_uri="https://network.example/callback",
        scope=frozenset(scope.split()),
        code_challenge="x" * 43,
        claims=ClaimsRequest() if claims is None else read_claims(json.dumps(claims)),
    )


def verified(claims: dict[str, Any], **verification: Any) -> dict[str, Any]:
    return {"verified_claims": {"verification": {"trust_framework": None, **verification}, "claims": claims}}


def released(
    asked: AuthorizationRequest,
    agreed: frozenset[str] = EVERYTHING,
    person: PersonalData = LAN,
    proofing: Proofing = Proofing.VN2,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the ID token and UserInfo say of the person, without `sub`."""
    grant = make_grant(scope=asked.scope, claims=granted_claims(asked, agreed))
    citizen = citizen_of(person, proofing)
    userinfo = userinfo_claims(grant, citizen, NOW)
    assert userinfo.pop("sub") == grant.subject
    return id_token_released_claims(grant, citizen, NOW), userinfo


def citizen_of(person: PersonalData, proofing: Proofing) -> Citizen:
    return Citizen("citizen-1", CitizenStatus.ACTIVE, proofing, NOW - timedelta(days=100), person)


AGE = {"id_token": verified({"age_over_16": {"essential": True}}, assurance_level=None)}


class TestItems:
    def test_by_default_there_are_none(self) -> None:
        """Domain rule R4."""
        assert requested_items(request()) == ()
        assert requested_items(request(scope="openid offline_access")) == ()

    @pytest.mark.parametrize(
        ("scope", "names"),
        [
            ("profile", ["name", "birthdate"]),
            ("email", ["email"]),
            ("phone", ["phone_number"]),
            ("address", ["address"]),
            ("address email profile", ["name", "birthdate", "email", "address"]),
        ],
    )
    def test_of_a_scope_are_voluntary(self, scope: str, names: list[str]) -> None:
        """OpenID Connect Core §5.4; domain rule R7."""
        items = requested_items(request(scope=f"openid {scope}"))
        assert [item.name for item in items] == names
        assert not any(item.essential for item in items)
        assert {item.where for item in items} == {frozenset({"userinfo"})}

    def test_gender_is_in_no_scope(self) -> None:
        assert not any("gender" in claims for claims in CLAIMS_OF_SCOPE.values())

    def test_of_the_claims_parameter(self) -> None:
        """OpenID Connect Core §5.5.1."""
        asked = request(
            {
                "userinfo": {"name": {"essential": True, "purpose": "để ký hợp đồng"}, "gender": None},
                "id_token": {"name": None, "email_verified": {"essential": True}, "auth_time": None},
            },
            scope="openid profile",
        )
        items = {item.name: item for item in requested_items(asked)}
        assert list(items) == ["name", "birthdate", "gender", "email"]
        assert items["name"].essential
        assert items["name"].purpose == "để ký hợp đồng"
        assert items["name"].where == {"id_token", "userinfo"}
        assert not items["gender"].essential
        assert items["email"].essential

    def test_of_verified_claims(self) -> None:
        items = requested_items(request(AGE))
        assert [(item.name, item.essential) for item in items] == [
            ("age_over_16", True),
            ("assurance_level", True),
        ]

    def test_unknown_claims_are_none(self) -> None:
        """IDA-03; OpenID Connect Core §5.5: claims that are not understood are left out."""
        asked = request(
            {
                "userinfo": {"shoe_size": {"essential": True}},
                "id_token": verified({"email": None, "🙂": None}),
            }
        )
        assert requested_items(asked) == ()

    def test_agreeing_takes_the_essential_and_the_ticked(self) -> None:
        items = requested_items(request(AGE, scope="openid profile email"))
        assert agreed_items(items, ()) == {"age_over_16", "assurance_level"}
        assert agreed_items(items, {"name", "gender"}) == {"age_over_16", "assurance_level", "name"}


class TestRelease:
    def test_by_default_nothing(self) -> None:
        assert released(request()) == ({}, {})

    def test_the_shape_of_the_issue(self) -> None:
        """Issue 2, point 5."""
        assert released(request(AGE)) == (
            {
                "verified_claims": {
                    "verification": {"trust_framework": "vn_nd69_2024", "assurance_level": "vn2"},
                    "claims": {"age_over_16": True},
                }
            },
            {},
        )

    def test_of_scopes_at_userinfo_alone(self) -> None:
        """OpenID Connect Core §5.4; UI-03, UI-04."""
        in_id_token, userinfo = released(request(scope="openid profile email phone address"))
        assert in_id_token == {}
        assert userinfo == {
            "name": "Trần Thị Lan (giả lập)",
            "birthdate": "2008-03-01",
            "email": "lan@mail.example",
            "email_verified": False,
            "phone_number": "+84000123456",
            "phone_number_verified": True,
            "address": {"formatted": "1 Phố Giả Lập"},
        }
        UserInfo({"sub": "x", **userinfo})

    def test_what_was_not_ticked_stays(self) -> None:
        """Domain rule R7: no bundling."""
        _, userinfo = released(request(scope="openid profile email"), frozenset({"name"}))
        assert userinfo.keys() == {"name"}

    def test_what_was_not_asked_for_is_never_released_by_agreeing(self) -> None:
        assert released(request(scope="openid email"), EVERYTHING)[1].keys() == {"email", "email_verified"}

    def test_where_it_was_asked_for(self) -> None:
        """IDA-02."""
        asked = request({"id_token": {"name": None}, "userinfo": verified({"birthdate": None})})
        in_id_token, userinfo = released(asked)
        assert in_id_token == {"name": LAN.name}
        assert userinfo["verified_claims"]["claims"] == {"birthdate": "2008-03-01"}

    def test_what_the_register_lacks_is_left_out(self) -> None:
        """UI-05; OpenID Connect Core §5.3.2: never null, never an empty string."""
        names = [*ITEM_OF_CLAIM, "shoe_size"]
        asked = request({"userinfo": dict.fromkeys(names)})
        assert released(asked, person=replace(BARE, email=""))[1].keys() == {
            "name", "birthdate", "age_over_14", "age_over_16", "age_over_18",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("entry", "is_there"),
        [
            pytest.param({"value": True}, True, id="value fits"),
            pytest.param({"values": [False, True]}, True, id="one of values fits"),
            pytest.param({"value": False}, False, id="IDA-04 value cannot match"),
            pytest.param({"values": [False]}, False, id="IDA-04 values cannot match"),
            pytest.param({"value": 1}, False, id="1 is not true"),
            pytest.param({"value": "true"}, False, id="a string is not true"),
            pytest.param({"essential": True}, True, id="no condition"),
        ],
    )
    def test_value_conditions(self, entry: dict[str, Any], *, is_there: bool) -> None:
        """OpenID Connect Core §5.5.1; Identity Assurance §5.7.4."""
        plain = released(request({"id_token": {"age_over_16": entry}}))[0]
        assert ("age_over_16" in plain) is is_there
        asked = request(
            {"id_token": verified({"age_over_16": entry}), "userinfo": verified({"age_over_16": entry})}
        )
        in_id_token, userinfo = released(asked)
        assert ("verified_claims" in in_id_token) is is_there
        assert ("age_over_16" in userinfo["verified_claims"]["claims"]) is is_there
        assert userinfo["verified_claims"]["verification"] == {"trust_framework": "vn_nd69_2024"}


def test_ages_turn_at_midnight_in_viet_nam() -> None:
    """Domain rule R11: 16 on 1 March 2024, which begins at 17:00 UTC of 29 February."""
    birthday = NOW.replace(year=2024, month=2, day=29, hour=17, minute=0)
    assert claim_value("age_over_16", LAN, birthday - timedelta(seconds=1)) is False
    assert claim_value("age_over_16", LAN, birthday) is True


def test_the_consent_page_shows_what_would_be_sent() -> None:
    lan, bare = citizen_of(LAN, Proofing.VN1), citizen_of(BARE, Proofing.VN1)
    assert item_value("assurance_level", request(), lan, NOW) == "vn1"
    assert item_value("verification_time", request(), lan, NOW) == lan.proofed_at
    assert item_value("name", request(), lan, NOW) == LAN.name
    assert item_value("nationalities", request(), lan, NOW) == ["VN"]
    assert item_value("email", request(), bare, NOW) is None
    assert item_value("shoe_size", request(), lan, NOW) is None


NAMES = st.sampled_from([*ITEM_OF_CLAIM, "sub", "acr", "shoe_size"])
ENTRIES = st.none() | st.fixed_dictionaries(
    {}, optional={"essential": st.booleans(), "value": st.booleans() | st.text(max_size=3)}
)
PLACES = st.dictionaries(NAMES, ENTRIES, max_size=4)


@given(
    st.sets(st.sampled_from([*CLAIMS_OF_SCOPE, "offline_access"])),
    PLACES,
    PLACES,
    st.dictionaries(NAMES, ENTRIES, min_size=1, max_size=4),
    st.sets(st.sampled_from(sorted(EVERYTHING))),
)
def test_nothing_leaves_that_was_not_both_asked_for_and_agreed_to(
    scope: set[str],
    in_id_token: dict[str, Any],
    at_userinfo: dict[str, Any],
    in_verified: dict[str, Any],
    ticked: set[str],
) -> None:
    """Domain rules R4, R7."""
    asked = request(
        {"id_token": {**in_id_token, **verified(in_verified)}, "userinfo": at_userinfo},
        scope=" ".join({"openid", *scope}),
    )
    agreed = agreed_items(requested_items(asked), ticked)
    id_token, userinfo = released(asked, agreed)
    element = id_token.pop("verified_claims", {"claims": {}})
    of_scope = {name for value in scope for name in CLAIMS_OF_SCOPE.get(value, ())}
    for left, wanted in (
        (id_token, set(in_id_token)),
        (userinfo, set(at_userinfo) | of_scope),
        (element["claims"], set(in_verified) & set(VERIFIABLE_CLAIMS)),
    ):
        assert left.keys() <= wanted
        assert {ITEM_OF_CLAIM[name] for name in left} <= agreed


def test_reading_account_links_is_an_item_of_its_own() -> None:
    """Rule R7; RFC 6749 §3.3: agreed to, or not; the question itself where nothing else is asked."""
    asked = request(scope="openid account_links.read")
    [item] = requested_items(asked)
    assert (item.name, item.essential) == ("account_links.read", False)
    assert granted_scope(asked, {"account_links.read"}) == asked.scope
    assert granted_scope(asked, {"name"}) == {"openid"}
    [item] = requested_items(request(scope="account_links.read offline_access"))
    assert item.essential
