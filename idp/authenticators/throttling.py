"""How fast somebody may guess. NIST SP 800-63B §3.2.2 (rate limiting); OWASP ASVS 2.2.1.

Every attempt is counted *before* it is verified, so that many guesses sent at once cannot all
slip through between a check and a count. Every way to try a secret is a `CredentialPath` with
counters of its own, so that no way can be blocked by guesses at another. Where strangers can try
(passwords, activation and recovery codes), three counters stand beside each other:

* **pair** (identifier and source): the brake on guessing. Five attempts are free, then each next
  one waits, from 30 seconds doubling to 15 minutes.
* **source** alone: the brake on trying one password on many people. Wide, because thousands of
  honest people stand behind one address of a mobile carrier.
* **identifier** alone: never refuses anybody. Personal numbers are known to strangers, and a lock
  that a stranger can turn is a weapon. It only tells that somebody is under attack from many
  sources; then a source that never signed this person in gets one free attempt instead of five.
  Sources that did are unaffected, and so is a session that lives.

What this cannot stop: whoever owns a hundred thousand addresses has a hundred thousand guesses at
one password. That is what the second factor is for, which counts per **holder** and not per source:
who gets that far holds the password and is no stranger any more.

A **browser** in which the same person did the same before is braked by a counter of its own and by
nothing else (OWASP, "device cookies"): neither a thief of the password who uses up the one-time
codes, nor a neighbour behind the same address, locks the holder out there. Strangers do not have
its cookie, and a made-up one is known for nobody.

What cannot be guessed at all (a passkey's signature, a state of our own making) is counted by source
alone: not against guessing, but because looking at it costs us something.

Identifiers that nobody holds are counted like all others, so that being throttled tells nothing.

The store keeps `Attempts` per key and can do `register` as one statement, which is what makes it
hold in a race (`:window_start` is `now - limits.window`, `pause(n)` a CASE made of `pauses`):

    INSERT INTO … (key, failures, counted_since, last_attempt_at) VALUES (:key, 1, :now, :now)
    ON CONFLICT (key) DO UPDATE SET
      failures = CASE WHEN counted_since <= :window_start THEN 1 ELSE failures + 1 END,
      counted_since = CASE WHEN counted_since <= :window_start THEN :now ELSE counted_since END,
      last_attempt_at = the later of last_attempt_at and :now
    WHERE counted_since <= :window_start OR failures < :free OR last_attempt_at + pause(failures) <= :now
    RETURNING failures                                     -- no row: refused, and not counted

After a success the pair is forgotten and the other two are lowered by one: never emptied, or an
attacker would sign in to an account of their own to begin anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, IPv6Network, ip_address


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How many attempts are free within a window, and how long the pauses are after those."""

    free: int
    window: timedelta
    """Counting begins anew this long after the first attempt counted."""
    first_pause: timedelta = timedelta(seconds=30)
    longest_pause: timedelta = timedelta(minutes=15)


PAIR_LIMITS = AttemptLimits(free=5, window=timedelta(days=1))
STRICT_PAIR_LIMITS = AttemptLimits(free=1, window=timedelta(days=1))
"""For new sources while an identifier is under attack."""
SOURCE_LIMITS = AttemptLimits(free=100, window=timedelta(minutes=10), longest_pause=timedelta(minutes=10))
SECOND_FACTOR_LIMITS = AttemptLimits(free=5, window=timedelta(days=1))
"""Per person. About 105 guesses a day, three codes right at a time: a chance of 1 in 3,000."""

USER_CODE_LIMITS = AttemptLimits(free=5, window=timedelta(days=1))
"""Per person who types user codes of devices (RFC 8628 §5.1); a right one is not counted."""
ASKING_LIMITS = AttemptLimits(free=20, window=timedelta(hours=1), first_pause=timedelta(minutes=1))
"""Per client and person: backchannel requests that are not agreed to. Beyond these, one in a quarter of an
hour: nobody is worn down by being asked again and again. What a person agrees to is not counted."""

CHANGE_LIMITS = AttemptLimits(free=30, window=timedelta(days=1))
"""Per person: changes of how they sign in, and recoveries that they open. Each is told by every way: hundreds
would bury the message that matters. What is added bounds what can be removed or stopped, which is not
counted: whoever cleans up after a thief is never kept waiting."""

MARK_LIMITS = AttemptLimits(free=300, window=timedelta(minutes=10), longest_pause=timedelta(minutes=10))
"""Per source that looks up public marks by name: wide, as SOURCE_LIMITS; it is no guess at a secret."""

UNGUESSABLE_LIMITS = AttemptLimits(
    free=1000, window=timedelta(minutes=10), longest_pause=timedelta(minutes=1)
)
"""Per source, for what nobody guesses: it bounds work, not luck."""
PHONE_CODE_LIMITS = AttemptLimits(free=20, window=timedelta(hours=1))
"""Per phone that types or scans codes of other screens: they change quickly, and many come too late."""


class CredentialPath(StrEnum):
    """A way to try a secret; every one is counted, and none with another."""

    PASSWORD = "password"
    ONE_TIME_PASSWORD = "otp"
    """The holder is the person: the first factor is known already."""
    PASSKEY = "passkey"
    """Without identifier: signatures are not guessed."""
    PHONE_CODE = "phone_code"
    """A code of another screen; the holder is the phone that takes it. Without identifier: its signatures."""
    PHONE_PIN = "phone_pin"
    """The holder is the enrolled device."""
    RECOVERY_CODE = "recovery_code"
    ACTIVATION = "activation"
    """The identifier is the personal number that is typed beside the code."""
    USER_CODE = "user_code"
    """RFC 8628 §5.1; the holder is the person who types codes of devices."""
    UPSTREAM = "upstream"
    """The answer of another provider; without identifier."""


@dataclass(frozen=True, slots=True)
class PathLimits:
    """What brakes attempts on one path."""

    source: AttemptLimits
    pair: AttemptLimits | None = None
    """Where strangers can try: per identifier and source, the identifier alone never refuses."""
    holder: AttemptLimits | None = None
    """Where only somebody gets who proved something before: per identifier, all sources together."""
    browser: AttemptLimits | None = None
    """Instead of all these, in a browser where the same was right before; None knows no browsers.

    Where no identifier stands before the secret, a browser is known by any success on the path.
    """
    forgets: bool = True
    """Whether a success forgets the failures before it; False where one can be had at will."""


_STRANGERS = PathLimits(source=SOURCE_LIMITS, pair=PAIR_LIMITS, browser=PAIR_LIMITS)
_UNGUESSABLE = PathLimits(source=UNGUESSABLE_LIMITS, browser=UNGUESSABLE_LIMITS)
PATH_LIMITS: Mapping[CredentialPath, PathLimits] = {
    CredentialPath.PASSWORD: _STRANGERS,
    CredentialPath.RECOVERY_CODE: _STRANGERS,
    CredentialPath.ACTIVATION: _STRANGERS,
    CredentialPath.ONE_TIME_PASSWORD: PathLimits(
        source=SOURCE_LIMITS, holder=SECOND_FACTOR_LIMITS, browser=SECOND_FACTOR_LIMITS
    ),
    # Whoever has stolen the phone has its browser, too.
    CredentialPath.PHONE_PIN: PathLimits(source=SOURCE_LIMITS, holder=SECOND_FACTOR_LIMITS),
    # Anybody has a device of their own, and with it a right code whenever they like.
    CredentialPath.USER_CODE: PathLimits(source=SOURCE_LIMITS, holder=USER_CODE_LIMITS, forgets=False),
    CredentialPath.PASSKEY: _UNGUESSABLE,
    CredentialPath.PHONE_CODE: PathLimits(source=UNGUESSABLE_LIMITS, holder=PHONE_CODE_LIMITS, forgets=False),
    CredentialPath.UPSTREAM: _UNGUESSABLE,
}


def path_limits(path: CredentialPath, *, password: AttemptLimits, source: AttemptLimits) -> PathLimits:
    """Return the limits of a path, with those that an operator may set: of passwords, and of sources."""
    limits = PATH_LIMITS[path]
    if limits.source is SOURCE_LIMITS:
        limits = replace(limits, source=source)
    if path is CredentialPath.PASSWORD:
        limits = replace(limits, pair=password, browser=password)
    return limits


IDENTIFIER_WINDOW = timedelta(days=1)
UNDER_ATTACK_FROM = 1000
"""So many attempts at one identifier within IDENTIFIER_WINDOW are no longer its holder's."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """What is remembered of one key. `failures` are attempts let through and not followed by success."""

    failures: int
    counted_since: datetime
    last_attempt_at: datetime

    def blocked_until(self, limits: AttemptLimits) -> datetime:
        """Return the moment from which the next attempt is let through."""
        window_ends_at = self.counted_since + limits.window
        return min(self.last_attempt_at + blocked_for(self.failures, limits), window_ends_at)


class ThrottledError(Exception):
    """Too many attempts; nothing was verified. The answer is 429 with Retry-After."""

    def __init__(self, retry_at: datetime) -> None:
        super().__init__(f"too many attempts, the next one from {retry_at.isoformat()}")
        self.retry_at = retry_at


def blocked_for(failures: int, limits: AttemptLimits) -> timedelta:
    """Return how long the attempt after `failures` others has to wait since the last of them."""
    if failures < limits.free:
        return timedelta(0)
    # The exponent is bounded, for a counter may run high and the pause with it.
    doublings = min(failures - limits.free, 32)
    return min(limits.first_pause * (1 << doublings), limits.longest_pause)


def pauses(limits: AttemptLimits) -> tuple[tuple[int, timedelta], ...]:
    """List (from how many failures, pause), longest first: `blocked_for` as rows for a CASE."""
    rows = [(limits.free, blocked_for(limits.free, limits))]
    while rows[-1][1] < limits.longest_pause:
        failures = rows[-1][0] + 1
        rows.append((failures, blocked_for(failures, limits)))
    return tuple(reversed(rows))


def register(attempts: Attempts | None, limits: AttemptLimits, now: datetime) -> Attempts:
    """Count one more attempt and return what is to be remembered.

    An attempt that is refused is not counted: pressing the button again does not lengthen the pause.
    Raises ThrottledError.
    """
    if attempts is None or now >= attempts.counted_since + limits.window:
        return Attempts(failures=1, counted_since=now, last_attempt_at=now)
    check_attempt(attempts.failures + 1, attempts.last_attempt_at, limits, now)
    return Attempts(attempts.failures + 1, attempts.counted_since, max(attempts.last_attempt_at, now))


def check_attempt(
    count: int, previous_attempt_at: datetime | None, limits: AttemptLimits, now: datetime
) -> None:
    """Check an attempt that the store has counted already: the `count`-th of its window.

    Raises ThrottledError when it came too early after the previous one.
    """
    pause = blocked_for(count - 1, limits)
    # A free attempt is never too early, even where another one with a later clock was counted before it.
    if previous_attempt_at is None or not pause:
        return
    retry_at = previous_attempt_at + pause
    if now < retry_at:
        raise ThrottledError(retry_at)


def pair_limits(identifier_failures: int, *, is_known_source: bool) -> AttemptLimits:
    """Return the limits of one source at one identifier.

    `identifier_failures` is the count of the identifier alone within IDENTIFIER_WINDOW. A source is
    known when it signed this person in before.
    """
    if identifier_failures >= UNDER_ATTACK_FROM and not is_known_source:
        return STRICT_PAIR_LIMITS
    return PAIR_LIMITS


_IPV6_CUSTOMER_BITS = 64
"""A household gets at least a /64 (RFC 6177): every address in it is the same source."""

UNKNOWN_SOURCE = "unknown"
"""Where no address is known all share one counter, rather than having none."""


def source_of(address: str) -> str:
    """Return the source that an address counts for: IPv4 as it is, IPv6 by its /64."""
    try:
        ip = ip_address(address)
    except ValueError:
        return UNKNOWN_SOURCE
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    # A zone id ("%eth0") is chosen by our own host and says nothing about the other side.
    return str(IPv6Network((int(ip), _IPV6_CUSTOMER_BITS), strict=False))
