"""What the application opens at its start and every handler uses: typed, and never at import."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from starlette.requests import Request

from idp.authenticators.hashing_pool import HashingPool
from idp.authenticators.passkey_models import PasskeyPolicy
from idp.authenticators.throttling import AttemptLimits
from idp.identity.sessions import SessionLimits
from idp.protocol.model import Policy
from idp.store.database import Database
from idp.store.unit_of_work import UnitOfWork
from idp.upstreams.directory import Upstreams
from idp.web.client_certificate import CertificateSource
from idp.web.clients import ClientDirectory
from idp.web.feature_policies import FeaturePolicyInForce
from idp.web.log import Log
from idp.web.published import Published
from idp.web.registration import RegistrationTerms
from idp.web.simulations import Sandbox
from idp.web.status_indexes import StatusIndexes
from idp.web.status_lists import StatusListDirectory
from keys import Custody

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Context:
    """The opened parts of one process."""

    policy: Policy
    database: Database
    custody: Custody
    clients: ClientDirectory
    feature_policy: FeaturePolicyInForce
    published: Published
    status_indexes: StatusIndexes
    """Where new links get their index in a status list."""
    status_lists: StatusListDirectory
    hashing: HashingPool
    log: Log
    clock: Clock
    session_limits: SessionLimits
    pair_limits: AttemptLimits
    source_limits: AttemptLimits
    asking_limits: AttemptLimits
    """How often one client may ask one person without being agreed to (CIBA)."""
    render_form_post: Callable[[Request, str, Mapping[str, str]], bytes]
    """Renders an authorization response as a form; handed in, for pages are not known down here."""
    mode: str
    days_off: frozenset[date]
    """On which nobody works, beside weekends (rule R8)."""
    registration: RegistrationTerms
    """Who may register, and whose words are believed (RFC 7591)."""
    certificate_source: CertificateSource
    """Where certificates of clients come from (RFC 8705)."""
    is_dpop_nonce_required: bool
    """False takes DPoP proofs without a nonce, too (RFC 9449 §8)."""
    recovery_waiting: timedelta = field(default=timedelta(hours=72), kw_only=True)
    """How long a recovery can be stopped before it can be used."""
    waiting_polls: Counter[str] = field(default_factory=Counter, kw_only=True)
    """How many polls for events wait in this process, by client."""

    upstreams: Upstreams = field(default_factory=lambda: Upstreams({}), kw_only=True)
    """External identity providers at which people may sign in."""

    passkey_policy: PasskeyPolicy = field(default_factory=PasskeyPolicy, kw_only=True)
    """Whose attestations of passkeys count."""

    sandbox: Sandbox | None = field(default=None, kw_only=True)
    """What clients in their sandbox may do; None in production, where there is no such thing."""

    def unit_of_work(self) -> UnitOfWork:
        """Return a fresh unit of work."""
        return UnitOfWork(self.database, self.custody.data)

    @property
    def issuer(self) -> str:
        """The issuer identifier; never taken from a request (abuse class 21)."""
        return self.policy.issuer

    @property
    def is_secure(self) -> bool:
        """Tell whether browsers reach us by https."""
        return self.policy.issuer.startswith("https://")


def context_of(request: Request) -> Context:
    """Return the process's opened parts."""
    context: Context = request.state.context
    return context
