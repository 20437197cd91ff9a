"""Views of every page of activation and recovery, for `sample_views`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from idp.identity.activation_grounds import Ground, Purpose
from idp.pages.activation_views import (
    ActivatedPage,
    ActivatePage,
    CodeNotice,
    MyRecoveryPage,
    OpenRecovery,
    OwnThing,
    PasswordProblem,
    RecoveryCodePage,
    RecoveryOpenedPage,
    RecoveryPage,
    SetUpPage,
    StopPage,
)
from idp.pages.sign_in_views import PasskeyAsk
from idp.pages.views import ClientHeader, Page
from idp.web.passkeys import PasskeyProblem

THINGS = (
    OwnThing(value="passkey.1", kind="passkey", name="Khoá xanh của Lan"),
    OwnThing(value="phone.1", kind="phone", name="Máy cũ"),
    OwnThing(
        value="upstream.lotus", kind="upstream", names={"vi": "Định danh Sen <b>", "en": "Lotus ID <b>"}
    ),
    OwnThing(value="totp", kind="totp"),
    OwnThing(value="recovery_codes", kind="recovery_codes"),
)
CODE_NOTICES = frozenset({CodeNotice.WRONG, CodeNotice.MISTYPED, CodeNotice.THROTTLED})
"""What the page of a recovery code can say."""


def activation_views(network: ClientHeader, now: datetime) -> Mapping[str, Page]:
    """Return them, with ordinary people and networks in them."""
    later = now + timedelta(days=3)
    activate = ActivatePage(action="/activate/my", identifier="000 1")
    set_up = SetUpPage(action="/activate/my/1", purpose=Purpose.ENROLMENT, name="Phạm Đức Hoà (giả lập)")
    ask = PasskeyAsk(action="/activate/my/1/passkey", options="{}")
    set_up = replace(set_up, passkey=ask)
    set_up_refused = replace(set_up, passkey=replace(ask, problem=PasskeyProblem.NOT_VERIFIED))
    recovering = replace(
        set_up, passkey=None, purpose=Purpose.RECOVERY, things=THINGS, kept=frozenset({"totp"})
    )
    beside = replace(set_up, purpose=Purpose.ADDITION, passkey=None)
    done = ActivatedPage(purpose=Purpose.ENROLMENT, onward_uri="/my")
    code = RecoveryCodePage(action="/recovery/code", waiting_hours=72)
    stop = StopPage(action="/recovery/stop/token", purpose=Purpose.RECOVERY, issued_at=now, usable_from=later)
    recovery = RecoveryPage(activate_uri="/activate/my", sign_in_uri="/sign-in/my", waiting_hours=72)
    opened = tuple(
        OpenRecovery(
            activation_id=str(place),
            purpose=Purpose.ADDITION if ground is Ground.POST else Purpose.RECOVERY,
            ground=ground,
            issued_at=now,
            usable_from=later,
            stop_action=f"/my/recovery/{place}/stop",
        )
        for place, ground in enumerate(Ground)
    )
    mine = MyRecoveryPage(open=opened, action="/my/recovery", waiting_hours=72, csrf="token")
    return {
        "activate": activate,
        "activate_from_a_network": replace(activate, client=network),
        **{
            f"activate_{notice}": replace(activate, notice=notice, retry_at=now, usable_from=later)
            for notice in CodeNotice
        },
        "set_up": set_up,
        "set_up_from_a_network": replace(set_up, client=network),
        "set_up_passkey_refused": set_up_refused,
        "set_up_recovery": recovering,
        "set_up_beside_a_password": beside,
        **{f"set_up_{problem}": replace(recovering, problem=problem) for problem in PasswordProblem},
        "set_up_beside_throttled": replace(beside, problem=PasswordProblem.THROTTLED, retry_at=now),
        **{f"activated_{purpose}": replace(done, purpose=purpose) for purpose in Purpose},
        "activated_from_a_network": replace(done, client=network),
        "recovery": recovery,
        "recovery_from_a_network": replace(recovery, client=network, waiting_hours=1),
        "recovery_without_waiting": replace(recovery, waiting_hours=0),
        "recovery_code": code,
        **{
            f"recovery_code_{notice}": replace(code, notice=notice, retry_at=now)
            for notice in sorted(CODE_NOTICES)
        },
        "recovery_opened": RecoveryOpenedPage(
            code="ABCD-EFGH-JKMN-PQRS-TUV2", usable_from=later, expires_at=later
        ),
        "stop_recovery": stop,
        "stop_activation": replace(stop, purpose=Purpose.ENROLMENT),
        "stop_recovery_pressed": replace(stop, is_stopped=True),
        "stop_recovery_over": replace(stop, is_over=True),
        "my_recovery": mine,
        "my_recovery_none": replace(mine, open=()),
    }
