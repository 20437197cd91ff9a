"""Every way in, and every way to try a secret: what is attacked at one is attacked at all of `WAYS`.

One that is not here fails `security/test_every_path_is_counted.py`. Ways that lead through another provider
need one, and are attacked in `security/test_upstream_abuse.py`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from idp.authenticators.throttling import CredentialPath
from tests.support import before_doors as before
from tests.support.before_doors import Standing
from tests.support.provider import Provider

SESSION = "lienket-session"


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way; `door` is the registered address at which its secret is taken."""

    name: str
    door: str
    path: CredentialPath | None
    """None where the secret was tried before, and this is only the step that follows."""
    stand: Callable[[Provider, httpx.AsyncClient], Awaitable[Standing]]
    begins_session: bool = False
    lifts_session: bool = False
    names_person: bool = False
    """Whether the form says who it is: then nobody may learn who is known here."""
    refusal: int = 400
    """How a wrong secret is answered."""


WAYS = [
    Way(
        name="password",
        door="POST /sign-in/{visit_id}",
        path=CredentialPath.PASSWORD,
        stand=before.before_the_password,
        names_person=True,
        begins_session=True,
    ),
    Way(
        name="password for a network",
        door="POST /sign-in/{visit_id}",
        path=CredentialPath.PASSWORD,
        stand=before.before_the_password_for_a_network,
        names_person=True,
        begins_session=True,
    ),
    Way(
        name="one-time code",
        door="POST /second-factor/{visit_id}",
        path=CredentialPath.ONE_TIME_PASSWORD,
        stand=before.before_the_code,
        lifts_session=True,
    ),
    Way(
        name="password after something held",
        door="POST /second-factor/{visit_id}/password",
        path=CredentialPath.PASSWORD,
        stand=before.before_the_second_password,
        lifts_session=True,
    ),
    Way(
        name="passkey",
        door="POST /sign-in/{visit_id}/passkey",
        path=CredentialPath.PASSKEY,
        stand=before.before_the_passkey,
        begins_session=True,
    ),
    Way(
        name="passkey after a password",
        door="POST /second-factor/{visit_id}/passkey",
        path=CredentialPath.PASSKEY,
        stand=before.before_the_second_passkey,
        lifts_session=True,
    ),
    Way(
        name="door of the app",
        door="POST /app/enter",
        path=CredentialPath.PHONE_CODE,
        stand=before.before_the_door_of_the_app,
        refusal=403,
    ),
    Way(
        name="PIN on the phone",
        door="POST /app/here/{visit_id}",
        path=CredentialPath.PHONE_PIN,
        stand=before.before_the_pin,
        begins_session=True,
    ),
    Way(
        name="PIN for another screen",
        door="POST /app/requests/{name}",
        path=CredentialPath.PHONE_PIN,
        stand=before.before_the_pin_for_another_screen,
    ),
    Way(
        name="code of another screen",
        door="POST /app/requests",
        path=CredentialPath.PHONE_CODE,
        stand=before.before_the_code_of_another_screen,
    ),
    Way(
        name="code that sets a phone up",
        door="POST /app/enrol",
        path=CredentialPath.PHONE_CODE,
        stand=before.before_the_code_that_sets_a_phone_up,
    ),
    Way(
        name="screen that a phone approved",
        door="POST /sign-in/{visit_id}/phone/finish",
        path=None,
        stand=before.before_an_approved_request,
        begins_session=True,
    ),
    Way(
        name="step-up that a phone approved",
        door="POST /second-factor/{visit_id}/phone/finish",
        path=None,
        stand=before.before_an_approved_step_up,
        lifts_session=True,
    ),
    Way(
        name="activation code",
        door="POST /activate",
        path=CredentialPath.ACTIVATION,
        stand=before.before_the_activation_code,
        names_person=True,
    ),
    Way(
        name="first password",
        door="POST /activate/{visit_id}/{activation_id}",
        path=None,
        stand=before.before_the_first_password,
        begins_session=True,
    ),
    Way(
        name="first passkey",
        door="POST /activate/{visit_id}/{activation_id}/passkey",
        path=None,
        stand=before.before_the_first_passkey,
        begins_session=True,
    ),
    Way(
        name="password beside a code",
        door="POST /activate/{visit_id}/{activation_id}",
        path=CredentialPath.PASSWORD,
        stand=before.before_the_password_beside_a_code,
        begins_session=True,
    ),
    Way(
        name="recovery code",
        door="POST /recovery/code",
        path=CredentialPath.RECOVERY_CODE,
        stand=before.before_the_recovery_code,
        names_person=True,
    ),
    Way(
        name="code of a device",
        door="POST /device",
        path=CredentialPath.USER_CODE,
        stand=before.before_a_devices_code,
    ),
]
