"""Views of every page about how a person signs in, in every state, for `sample_views`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from idp.identity.assurance import Acr
from idp.identity.notices import Credential
from idp.pages.activation_views import PasswordProblem
from idp.pages.list_views import Paging
from idp.pages.security_views import (
    Advice,
    AuthenticatorAppPage,
    BrowserCard,
    BrowsersPage,
    CodeProblem,
    NewAuthenticatorAppPage,
    NewRecoveryCodesPage,
    PasswordPage,
    RecoveryCodesPage,
    SecurityPage,
)
from idp.pages.views import Page
from idp.store.security_overview import SecurityOverview

_CHOSEN = (
    PasswordProblem.TOO_SHORT,
    PasswordProblem.TOO_LONG,
    PasswordProblem.TOO_COMMON,
    PasswordProblem.ABOUT_YOU,
    PasswordProblem.CONTROL_CHARACTER,
    PasswordProblem.DIFFERENT,
    PasswordProblem.OVERLOADED,
)


def security_views(now: datetime) -> Mapping[str, Page]:
    """Return them for somebody with everything, with nothing, and in between."""
    return {**_overviews(now), **_apps(now), **_codes(now), **_passwords(), **_browsers(now)}


def _overviews(now: datetime) -> dict[str, Page]:
    everything = SecurityOverview(
        password_since=now,
        totp_since=now,
        passkeys=2,
        phones=1,
        recovery_codes=7,
        recovery_codes_since=now,
        browsers=3,
        upstreams=1,
    )
    full = SecurityPage(overview=everything, acr=Acr.VN_3, csrf="token")
    bare = SecurityPage(overview=SecurityOverview(password_since=now), acr=Acr.VN_1, csrf="token")
    return {
        "security": full,
        "security_no_other_provider": replace(
            full, offers_upstreams=True, overview=replace(everything, upstreams=0)
        ),
        "security_saved": replace(full, done=Credential.PASSWORD),
        "security_advice": replace(full, advice=tuple(Advice)),
        "security_needs_activation": replace(bare, needs_activation=True, advice=(Advice.SECOND_PROOF,)),
        "security_nothing": SecurityPage(overview=SecurityOverview(), acr=Acr.VN_2, csrf="token"),
    }


def _apps(now: datetime) -> dict[str, Page]:
    base = "/my/authenticator-app"
    none = AuthenticatorAppPage(since=None, new_action=base, remove_action=f"{base}/remove", csrf="token")
    new = NewAuthenticatorAppPage(
        uri="otpauth://totp/id.example:e-ID?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=id.example",
        secret="JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP",
        pending="c2VhbGVk",
        action=f"{base}/confirm",
        csrf="token",
    )
    return {
        "authenticator_app_none": none,
        "authenticator_app_stale": replace(none, problem=CodeProblem.STALE),
        "authenticator_app": replace(none, since=now),
        "authenticator_app_only": replace(none, since=now, is_only_second=True),
        "new_authenticator_app": new,
        "new_authenticator_app_wrong": replace(new, problem=CodeProblem.WRONG),
    }


def _codes(now: datetime) -> dict[str, Page]:
    base = "/my/recovery-codes"
    none = RecoveryCodesPage(new_action=base, remove_action=f"{base}/remove", csrf="token")
    codes = tuple(f"BCDFG-HJKMP-QRTV{sign}" for sign in "2346789BCD")
    return {
        "recovery_codes_none": none,
        "recovery_codes": replace(none, remaining=7, issued=10, since=now),
        "new_recovery_codes": NewRecoveryCodesPage(codes=codes, made_at=now),
    }


def _passwords() -> dict[str, Page]:
    page = PasswordPage(action="/my/password", has_password=True, csrf="token")
    return {
        "password": page,
        "password_first": replace(page, has_password=False),
        **{f"password_{problem}": replace(page, problem=problem, ends_others=False) for problem in _CHOSEN},
    }


def _browsers(now: datetime) -> dict[str, Page]:
    base = "/my/browsers"
    here = BrowserCard(
        browser_id="1",
        name="Chrome, Android",
        is_current=True,
        since=now,
        last_used_at=now,
        until=now + timedelta(days=90),
    )
    nameless = replace(here, browser_id="2", name="", is_current=False)
    page = BrowsersPage(
        browsers=(here, nameless),
        forget_action=f"{base}/forget",
        forget_all_action=f"{base}/forget-all",
        days=90,
        paging=Paging(first_uri=base, next_uri=f"{base}?from=20"),
        csrf="token",
    )
    none = replace(page, browsers=(), forget_all_action=None, paging=Paging(), remember_action=base)
    return {"browsers": page, "browsers_none": none}
