"""Views of every page about passkeys, in every state, for `sample_views`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from idp.authenticators.passkey_models import PasskeyPolicy
from idp.authenticators.passkey_options import creation_options, request_options
from idp.authenticators.passkeys import relying_party
from idp.identity.assurance import Method
from idp.pages.passkey_views import (
    NewPasskeyPage,
    PasskeyCard,
    PasskeyKind,
    PasskeyPage,
    PasskeysNotice,
    PasskeysPage,
)
from idp.pages.sign_in_views import PasskeyAsk, SecondFactorPage, SignInPage
from idp.pages.views import ClientHeader, Page
from idp.web.passkeys import LONGEST_NAME, PasskeyProblem

RP = relying_party("https://id.example")
ASK = PasskeyAsk(action="/sign-in/7c1e/passkey", options=request_options(RP, b"challenge"))
NEW = PasskeyAsk(
    action="/my/passkeys/new",
    options=creation_options(RP, b"challenge", b"handle", "Nguyễn Thị Lan", PasskeyPolicy()),
)
_AT_SIGN_IN = (
    PasskeyProblem.FAILED,
    PasskeyProblem.OUTDATED,
    PasskeyProblem.UNKNOWN,
    PasskeyProblem.NOT_VERIFIED,
    PasskeyProblem.COPIED,
    PasskeyProblem.NOT_USABLE,
    PasskeyProblem.THROTTLED,
)
_WHEN_ADDED = (
    PasskeyProblem.FAILED,
    PasskeyProblem.OUTDATED,
    PasskeyProblem.NOT_VERIFIED,
    PasskeyProblem.NOT_TRUSTED,
    PasskeyProblem.KNOWN,
    PasskeyProblem.TOO_MANY,
)


def passkey_views(network: ClientHeader, now: datetime) -> Mapping[str, Page]:
    """Return them, on the way to a network and at home."""
    return {**_at_sign_in(network, now), **_at_home(now)}


def _at_sign_in(network: ClientHeader, now: datetime) -> dict[str, Page]:
    sign_in = SignInPage(client=network, action="/sign-in/7c1e", passkey=ASK)
    second = SecondFactorPage(
        client=network,
        action="/second-factor/7c1e",
        methods=(Method.PASSKEY, Method.ONE_TIME_PASSWORD),
        sign_in_uri="/sign-in/7c1e",
        passkey=replace(ASK, action="/second-factor/7c1e/passkey"),
    )
    problems = {
        f"sign_in_passkey_{problem}": replace(sign_in, passkey=replace(ASK, problem=problem))
        for problem in _AT_SIGN_IN
    }
    alone = replace(second, methods=(Method.PASSKEY,))
    return {
        "sign_in_with_passkey": sign_in,
        **problems,
        "second_passkey": second,
        "second_passkey_alone": alone,
        "second_passkey_outdated": replace(alone, passkey=replace(ASK, problem=PasskeyProblem.OUTDATED)),
        "sign_in_passkey_throttled_until": replace(
            sign_in, passkey=replace(ASK, problem=PasskeyProblem.THROTTLED, retry_at=now)
        ),
    }


def _at_home(now: datetime) -> dict[str, Page]:
    cards = tuple(
        PasskeyCard(
            name=name,
            kind=kind,
            created_at=now - timedelta(days=40),
            last_used_at=used_at,
            uri=f"/my/passkeys/{kind.value}",
        )
        for name, kind, used_at in (
            ("Điện thoại của mẹ", PasskeyKind.SYNCED, now),
            ("Chìa khoá dự phòng <b>", PasskeyKind.HARDWARE, now - timedelta(days=3)),
            ("", PasskeyKind.DEVICE, None),
        )
    )
    listed = PasskeysPage(passkeys=cards, add_uri="/my/passkeys/new", accepted="{}", csrf="token")
    new = NewPasskeyPage(passkey=NEW, longest_name=LONGEST_NAME, csrf="token")
    one = PasskeyPage(
        passkey=cards[0],
        name_action="/my/passkeys/1/name",
        longest_name=LONGEST_NAME,
        remove_action="/my/passkeys/1/remove",
        csrf="token",
    )
    return {
        "passkeys": listed,
        **{f"passkeys_{notice}": replace(listed, notice=notice) for notice in PasskeysNotice},
        "passkeys_none": replace(listed, passkeys=()),
        "passkeys_full": replace(listed, add_uri=None),
        "new_passkey": new,
        **{
            f"new_passkey_{problem}": replace(new, passkey=replace(NEW, problem=problem), name="Máy bảng")
            for problem in _WHEN_ADDED
        },
        "passkey": one,
        "passkey_without_a_name": replace(one, passkey=cards[2]),
        "passkey_last": replace(one, remove_action=None),
    }
