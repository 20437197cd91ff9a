from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.account_links import Status
from idp.identity.citizens import CitizenStatus
from idp.protocol.errors import InvalidGrantError, InvalidScopeError, InvalidTokenError, OAuthError
from idp.protocol.grants import ReplayedError, check_redemption, check_refresh, check_subject, narrow_scope
from idp.protocol.model import AuthorizationCode, Client, ClientStatus, Grant, RefreshToken
from tests.support.protocol_builders import (
    CODE_VERIFIER,
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


def refresh(
    token: RefreshToken | None, grant: Grant | None = GRANT, client: Client = CLIENT, scope: str | None = None
) -> frozenset[str]:
    return check_refresh(token, grant, client, NOW, scope)


class TestRefresh:
    def test_keeps_the_granted_scope(self) -> None:
        assert refresh(make_refresh_token()) == GRANT.scope

    @pytest.mark.parametrize("scope", ["openid", "profile openid", " openid  profile "])
    def test_may_narrow_the_scope(self, scope: str) -> None:
        """RFC 6749 §6."""
        assert refresh(make_refresh_token(), scope=scope) == frozenset(scope.split())

    @pytest.mark.parametrize("scope", ["openid email", "email", " ", "openid\tprofile", "OPENID"])
    def test_never_widens_it(self, scope: str) -> None:
        """RFC 6749 §6; abuse 10."""
        with pytest.raises(InvalidScopeError):
            refresh(make_refresh_token(), scope=scope)

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
        ],
    )
    def test_refused(self, token: RefreshToken | None, grant: Grant | None, client: Client) -> None:
        with pytest.raises(InvalidGrantError) as caught:
            refresh(token, grant, client)
        assert not isinstance(caught.value, ReplayedError)

    def test_a_replay_names_the_family_to_revoke(self) -> None:
        """RFC 9700 §4.14.2; no grace in which the old token still works (abuse 5)."""
        with pytest.raises(ReplayedError) as caught:
            refresh(make_refresh_token(consumed_at=NOW))
        assert caught.value.grant_id == "grant-1"

    @given(st.none() | st.text())
    def test_no_scope_raises_anything_else(self, scope: str | None) -> None:
        try:
            assert narrow_scope(GRANT.scope, scope) <= GRANT.scope
        except InvalidScopeError:
            return


class TestSubject:
    def check(self, **changes: Any) -> None:
        sent: dict[str, Any] = {
            "grant": make_grant(),
            "client": CLIENT,
            "citizen_status": CitizenStatus.ACTIVE,
            "link": make_link(),
            "now": NOW,
        }
        check_subject(**{**sent, **changes})

    def test_all_in_force(self) -> None:
        self.check()
        self.check(grant=make_grant(link_id=None), link=None)

    @pytest.mark.parametrize("error", [InvalidGrantError, InvalidTokenError])
    @pytest.mark.parametrize(
        "changes",
        [
            *(
                pytest.param({"citizen_status": status}, id=f"abuse 17 citizen {status}")
                for status in CitizenStatus
                if status is not CitizenStatus.ACTIVE
            ),
            *(
                pytest.param({"link": make_link(status=status)}, id=f"abuse P8 account link {status}")
                for status in Status
                if status is not Status.ACTIVE
            ),
            pytest.param({"citizen_status": None}, id="citizen gone"),
            pytest.param(
                {"client": make_client(status=ClientStatus.SUSPENDED)}, id="abuse 17 client suspended"
            ),
            pytest.param({"client": OTHER_CLIENT}, id="abuse 7 another client"),
            pytest.param({"client": None}, id="client gone"),
            pytest.param({"grant": make_grant(revoked_at=NOW)}, id="abuse 27 grant revoked"),
            pytest.param({"grant": make_grant(expires_at=NOW)}, id="grant expired"),
            pytest.param({"link": None}, id="account link gone"),
            pytest.param({"link": make_link(expires_at=NOW)}, id="account link expired, not yet lapsed"),
            pytest.param({"link": make_link(link_id="x")}, id="abuse P2 another account link"),
            pytest.param({"link": make_link(citizen_id="x")}, id="abuse P2 account link of another person"),
            pytest.param({"link": make_link(client_id="x")}, id="abuse P2 account link of another platform"),
            pytest.param({"session_is_over": True}, id="signed out before the code was redeemed"),
        ],
    )
    def test_refused_everywhere_with_the_same_words(
        self, changes: dict[str, Any], error: type[OAuthError]
    ) -> None:
        """Domain rule R12: the platform is not told the reason."""
        with pytest.raises(error) as caught:
            self.check(error=error, **changes)
        assert isinstance(caught.value, OAuthError)
        assert caught.value.description == "the authorization is no longer in force"
        assert caught.value.detail
