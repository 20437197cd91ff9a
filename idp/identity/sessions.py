"""The citizen's session at the provider: server-side, with an idle and an absolute limit."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.identity.assurance import AuthenticationContext


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lives unused, and at most."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `session_id` is the public `sid`; the cookie's secret is stored only hashed."""

    session_id: str
    citizen_id: str
    context: AuthenticationContext
    created_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None = None

    def is_alive(self, limits: SessionLimits, now: datetime) -> bool:
        """Tell whether the session may still be used at `now`."""
        return (
            self.ended_at is None
            and now < self.created_at + limits.absolute
            and now < self.last_seen_at + limits.idle
        )


SENSITIVE_WITHIN = timedelta(minutes=10)
"""How old a sign-in may be when somebody changes what lets them in, or how they are told."""


def is_just_shown(context: AuthenticationContext, now: datetime) -> bool:
    """Tell whether a sign-in is recent enough for a sensitive change. NIST SP 800-63B §4.1.2."""
    return now < context.auth_time + SENSITIVE_WITHIN


def is_fresh(
    context: AuthenticationContext, *, max_age: int | None, not_before: datetime | None, now: datetime
) -> bool:
    """Tell whether an authentication is recent enough. OpenID Connect Core §3.1.2.1 (`max_age`, `prompt`).

    `max_age` is in seconds; `not_before` is the moment a `prompt=login` request arrived.
    """
    if not_before is not None and context.auth_time < not_before:
        return False
    return max_age is None or now <= context.auth_time + timedelta(seconds=max_age)
