from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.account_links import LinkPolicy, Status
from idp.identity.assurance import Acr, Proofing
from idp.identity.citizens import Citizen, CitizenStatus, PersonalData
from idp.protocol.errors import (
    InsufficientUserAuthenticationError,
    InvalidGrantError,
    InvalidScopeError,
    InvalidTokenError,
    OAuthError,
    UnauthorizedClientError,
)
from idp.protocol.grants import (
    MAX_RETRIES,
    Backing,
    Refresh,
    ReplayedError,
    check_client,
    check_redemption,
    check_refresh,
    check_subject,
    check_token_subject,
    narrow_scope,
)
from idp.protocol.model import AuthorizationCode, Client, ClientStatus, Grant, RefreshToken
from tests.support.protocol_builders import (
    CODE_VERIFIER,
    ISSUER,
    NOW,
    make_client,
    make_code,
    make_grant,
    make_link,
    make_refresh_token,
)

REDIRECT_URI = "https://network.example/callback"
CLIENT = make_client()
OTHER_CLIENT = make_client(client_id="other")
SECOND = timedelta(seconds=1)


def redeem(code: AuthorizationCode | None = None, **changes: Any) -> Grant:
    sent = {"client": CLIENT, "redirect_uri": REDIRECT_URI, "code_verifier": CODE_VERIFIER, "now": NOW}
    return check_redemption(code or make_code(), **{**sent, **changes})


class TestRedemption:
    def test_gives_the_grant_behind_the_code(self) -> None:
        assert redeem() == make_grant()
        assert redeem(now=make_code().expires_at - SECOND) == make_grant()

    @pytest.mark.parametrize(
        ("code", "changes"),
        [
            pytest.param(make_code(), {"client": OTHER_CLIENT}, id="TOK-06 code of another client"),
            pytest.param(make_code(expires_at=NOW), {}, id="TOK-07 expired this second"),
            pytest.param(make_code(), {"now": NOW + timedelta(seconds=62)}, id="TOK-07 after 62 s"),
            pytest.param(
                make_code(), {"redirect_uri": None}, id="TOK-09 RFC 6749 §4.1.3 redirect_uri missing"
            ),
            pytest.param(make_code(), {"redirect_uri": ""}, id="TOK-09 redirect_uri empty"),
            pytest.param(make_code(), {"redirect_uri": f"{REDIRECT_URI}/"}, id="TOK-09 redirect_uri differs"),
            pytest.param(
                make_code(), {"redirect_uri": "https://evil.example/"}, id="TOK-09 redirect_uri foreign"
            ),
            pytest.param(make_code(), {"code_verifier": None}, id="CVE-2023-48228 verifier omitted"),
            pytest.param(make_code(), {"code_verifier": ""}, id="RFC 7636 §4.6 verifier empty"),
            pytest.param(make_code(), {"code_verifier": "x" * 43}, id="TOK-08 RFC 7636 §4.6 verifier wrong"),
            pytest.param(
                make_code(), {"code_verifier": make_code().code_challenge}, id="RFC 7636 plain downgrade"
            ),
        ],
    )
    def test_refused(self, code: AuthorizationCode, changes: dict[str, Any]) -> None:
        with pytest.raises(InvalidGrantError) as caught:
            redeem(code, **changes)
        assert not isinstance(caught.value, ReplayedError)
        assert (caught.value.error, caught.value.status) == ("invalid_grant", 400)

    def test_an_unknown_code_is_refused(self) -> None:
        with pytest.raises(InvalidGrantError):
            check_redemption(None, CLIENT, REDIRECT_URI, CODE_VERIFIER, NOW)

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({}, id="TOK-04 code replay"),
            pytest.param({"now": NOW + timedelta(days=1)}, id="code replay after it expired"),
            pytest.param({"code_verifier": None}, id="code replay without the verifier"),
            pytest.param({"redirect_uri": None}, id="code replay without the redirect_uri"),
        ],
    )
    def test_a_replay_names_the_grant_to_revoke(self, changes: dict[str, Any]) -> None:
        """RFC 6749 §4.1.2; TOK-05."""
        with pytest.raises(ReplayedError) as caught:
            redeem(make_code(consumed_at=NOW - SECOND), **changes)
        assert caught.value.grant_id == "grant-1"

    def test_a_client_cannot_revoke_the_grant_of_another_by_replaying(self) -> None:
        with pytest.raises(InvalidGrantError) as caught:
            redeem(make_code(consumed_at=NOW - SECOND), client=OTHER_CLIENT)
        assert not isinstance(caught.value, ReplayedError)

    def test_the_answer_does_not_tell_unknown_from_foreign_from_spent(self) -> None:
        said = set()
        for code, client in (
            (None, CLIENT),
            (make_code(), OTHER_CLIENT),
            (make_code(consumed_at=NOW), CLIENT),
            (make_code(expires_at=NOW), CLIENT),
        ):
            with pytest.raises(InvalidGrantError) as caught:
                check_redemption(code, client, REDIRECT_URI, CODE_VERIFIER, NOW)
            said.add(caught.value.description)
        assert len(said) == 1

    @given(st.none() | st.text(), st.none() | st.text())
    def test_no_parameter_raises_anything_else(self, redirect_uri: str | None, verifier: str | None) -> None:
        with pytest.raises(InvalidGrantError):
            redeem(redirect_uri=redirect_uri, code_verifier=verifier)


GRANT = make_grant(scope=frozenset({"openid", "profile", "offline_access"}))
REFRESHING_CLIENT = make_client(scope=GRANT.scope | {"email"})
GRACE = timedelta(seconds=60)


def refresh(token: RefreshToken | None, grant: Grant | None = GRANT, **changes: Any) -> Refresh:
    sent = {"client": REFRESHING_CLIENT, "now": NOW, "scope": None, "grace": GRACE}
    return check_refresh(token, grant, **{**sent, **changes})


class TestRefresh:
    def test_keeps_the_granted_scope(self) -> None:
        assert refresh(make_refresh_token()) == Refresh(GRANT.scope, is_retry=False)

    @pytest.mark.parametrize("scope", ["openid", "profile openid", " openid  profile "])
    def test_may_narrow_the_scope(self, scope: str) -> None:
        """RFC 6749 §6."""
        assert refresh(make_refresh_token(), scope=scope).scope == frozenset(scope.split())

    @pytest.mark.parametrize("scope", ["openid email", "email", " ", "openid\tprofile", "OPENID"])
    def test_never_widens_it(self, scope: str) -> None:
        """RFC 6749 §6; abuse 10."""
        with pytest.raises(InvalidScopeError):
            refresh(make_refresh_token(), scope=scope)

    def test_what_the_client_may_no_longer_ask_for_is_gone(self) -> None:
        """Abuse 10, GHSA-895x: an offline family does not outlive the removal of its scope."""
        client = make_client(scope=frozenset({"openid", "profile"}))
        assert refresh(make_refresh_token(), client=client).scope == {"openid", "profile"}
        with pytest.raises(InvalidScopeError):
            refresh(make_refresh_token(), client=client, scope="openid offline_access")
        with pytest.raises(InvalidScopeError):
            refresh(make_refresh_token(), client=make_client(scope=frozenset({"email"})))

    @pytest.mark.parametrize(
        ("token", "grant", "client"),
        [
            pytest.param(None, GRANT, CLIENT, id="unknown token"),
            pytest.param(make_refresh_token(), None, CLIENT, id="token without grant"),
            pytest.param(make_refresh_token(grant_id="x"), GRANT, CLIENT, id="token of another grant"),
            pytest.param(make_refresh_token(), GRANT, OTHER_CLIENT, id="TOK-22 token of another client"),
            pytest.param(make_refresh_token(expires_at=NOW), GRANT, CLIENT, id="expired token"),
            pytest.param(make_refresh_token(), replace(GRANT, expires_at=NOW), CLIENT, id="expired grant"),
            pytest.param(make_refresh_token(), replace(GRANT, revoked_at=NOW), CLIENT, id="revoked grant"),
            pytest.param(
                make_refresh_token(consumed_at=NOW), GRANT, OTHER_CLIENT, id="replay by another client"
            ),
            pytest.param(
                make_refresh_token(consumed_at=NOW - GRACE),
                replace(GRANT, revoked_at=NOW),
                CLIENT,
                id="replay in a family that ended: nothing is left to revoke",
            ),
            pytest.param(
                make_refresh_token(consumed_at=NOW),
                replace(GRANT, revoked_at=NOW),
                CLIENT,
                id="DOT #1816 no grace in a family that ended",
            ),
            pytest.param(
                make_refresh_token(consumed_at=NOW, expires_at=NOW), GRANT, CLIENT, id="no grace after expiry"
            ),
        ],
    )
    def test_refused(self, token: RefreshToken | None, grant: Grant | None, client: Client) -> None:
        with pytest.raises(InvalidGrantError) as caught:
            refresh(token, grant, client=client)
        assert not isinstance(caught.value, ReplayedError)

    @pytest.mark.parametrize("seconds", [0, 1, 59])
    @pytest.mark.parametrize("retries", range(MAX_RETRIES))
    def test_a_rotated_token_may_come_back_for_a_moment(self, seconds: int, retries: int) -> None:
        """A lost answer, or two tabs at once: bounded in time and in number."""
        token = make_refresh_token(consumed_at=NOW - seconds * SECOND, retries=retries)
        assert refresh(token) == Refresh(GRANT.scope, is_retry=True)

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"consumed_at": NOW - GRACE}, id="after the grace"),
            pytest.param({"consumed_at": NOW - timedelta(days=1)}, id="long after"),
            pytest.param({"consumed_at": NOW, "retries": MAX_RETRIES}, id="once too often"),
        ],
    )
    def test_a_replay_names_the_family_to_revoke(self, changes: dict[str, Any]) -> None:
        """RFC 9700 §4.14.2; abuse 5."""
        with pytest.raises(ReplayedError) as caught:
            refresh(make_refresh_token(**changes))
        assert caught.value.grant_id == "grant-1"

    @given(st.none() | st.text())
    def test_no_scope_raises_anything_else(self, scope: str | None) -> None:
        try:
            assert narrow_scope(GRANT.scope, scope) <= GRANT.scope
        except InvalidScopeError:
            return


def backing(**changes: Any) -> Backing:
    citizen = Citizen(
        citizen_id="citizen-1",
        status=changes.pop("status", CitizenStatus.ACTIVE),
        proofing=changes.pop("proofing", Proofing.VN2),
        proofed_at=NOW,
        personal_data=PersonalData(name="Nguyễn Thị Lan", birthdate="1990-01-02"),
    )
    return Backing(**({"citizen": citizen, "link": make_link(), "session_is_over": False} | changes))


def client_with(**policy: Any) -> Client:
    return make_client(policy=LinkPolicy(**policy))


class TestSubject:
    def check(self, **changes: Any) -> None:
        sent: dict[str, Any] = {"grant": make_grant(), "client": CLIENT, "backing": backing(), "now": NOW}
        check_subject(**{**sent, **changes})

    def check_token(self, **changes: Any) -> None:
        sent: dict[str, Any] = {"grant": make_grant(), "client": CLIENT, "backing": backing(), "now": NOW}
        check_token_subject(**{**sent, **changes}, issuer=ISSUER)

    def test_all_in_force(self) -> None:
        self.check()
        self.check(grant=make_grant(link_id=None), backing=backing(link=None))
        self.check(client=client_with(min_proofing=Proofing.VN2, min_acr=Acr.VN_2))
        self.check(backing=backing(session_is_over=True))
        self.check_token()

    @pytest.mark.parametrize(
        "changes",
        [
            *(
                pytest.param({"backing": backing(status=status)}, id=f"abuse 17 citizen {status}")
                for status in CitizenStatus
                if status is not CitizenStatus.ACTIVE
            ),
            *(
                pytest.param(
                    {"backing": backing(link=make_link(status=status))}, id=f"abuse P8 account link {status}"
                )
                for status in Status
                if status is not Status.ACTIVE
            ),
            pytest.param(
                {"client": make_client(status=ClientStatus.SUSPENDED)}, id="abuse 17 client suspended"
            ),
            pytest.param({"client": OTHER_CLIENT}, id="abuse 7 another client"),
            pytest.param({"grant": make_grant(revoked_at=NOW)}, id="abuse 27 grant revoked"),
            pytest.param({"grant": make_grant(expires_at=NOW)}, id="grant expired"),
            pytest.param({"backing": backing(link=None)}, id="account link gone"),
            pytest.param(
                {"backing": backing(link=make_link(expires_at=NOW))},
                id="account link expired, not yet lapsed",
            ),
            *(
                pytest.param({"backing": backing(link=make_link(**{name: "x"}))}, id=f"abuse P2 {words}")
                for name, words in (
                    ("link_id", "another account link"),
                    ("citizen_id", "account link of another person"),
                    ("client_id", "account link of another platform"),
                )
            ),
            pytest.param(
                {"backing": backing(is_consent_withdrawn=True)}, id="R8 consent withdrawn: at once here"
            ),
            pytest.param(
                {"client": client_with(min_proofing=Proofing.VN2), "backing": backing(proofing=Proofing.VN1)},
                id="P8 proofing downgraded, or min_proofing raised since",
            ),
        ],
    )
    def test_refused_everywhere_with_the_same_words(self, changes: dict[str, Any]) -> None:
        """Domain rule R12: the platform is not told the reason."""
        for check, error in ((self.check, InvalidGrantError), (self.check_token, InvalidTokenError)):
            with pytest.raises(error) as caught:
                check(**changes)
            assert isinstance(caught.value, OAuthError)
            assert caught.value.description == "the authorization is no longer in force"
            assert caught.value.detail

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"client": client_with(min_acr=Acr.VN_3)}, id="P8 min_acr raised since"),
            pytest.param({"client": None}, id="client gone"),
            pytest.param(
                {"backing": backing(session_is_over=True), "needs_session": True},
                id="signed out before the code was redeemed",
            ),
        ],
    )
    def test_gets_no_new_tokens(self, changes: dict[str, Any]) -> None:
        with pytest.raises(InvalidGrantError, match="no longer in force"):
            self.check(**changes)

    def test_where_only_the_level_is_amiss_a_resource_says_what_helps(self) -> None:
        """RFC 9470 §3; whatever else is amiss comes first, for then it would not help."""
        demanding = client_with(min_acr=Acr.VN_3)
        with pytest.raises(InsufficientUserAuthenticationError) as caught:
            self.check_token(client=demanding)
        assert caught.value.acr_values == f"{ISSUER}/acr/vn-3"
        with pytest.raises(InvalidTokenError):
            self.check_token(client=demanding, grant=make_grant(revoked_at=NOW))


def test_a_suspended_client_does_not_act_for_itself_either() -> None:
    """Abuse 17."""
    check_client(CLIENT)
    with pytest.raises(UnauthorizedClientError):
        check_client(make_client(status=ClientStatus.SUSPENDED))
