"""The unit of work: reads happen at once, writes are recorded, `commit` executes them as one.

A handler reads, lets a rule decide, records what follows and commits before its answer exists.
Leaving without commit stores nothing.
"""

from idp.store.access_tokens import AccessTokens
from idp.store.account_links import AccountLinks
from idp.store.activations import Activations
from idp.store.activity import Activity
from idp.store.app_devices import AppDevices
from idp.store.attempts import AttemptCounters
from idp.store.authenticators import Authenticators
from idp.store.backchannel_requests import BackchannelRequests
from idp.store.cases import Cases
from idp.store.citizens import Citizens
from idp.store.clients import Clients
from idp.store.codes import Codes
from idp.store.consents import Consents
from idp.store.database import Database
from idp.store.event_streams import EventStreams
from idp.store.feature_policies import FeaturePolicies
from idp.store.figures import Figures
from idp.store.followed_links import FollowedLinks
from idp.store.grants import Grants
from idp.store.guardian_requests import GuardianRequests
from idp.store.guardianships import Guardianships
from idp.store.holdings import Holdings
from idp.store.idempotency_keys import IdempotencyKeys
from idp.store.interactions import Interactions
from idp.store.leases import Leases
from idp.store.ledger import Ledger
from idp.store.link_changes import LinkChanges
from idp.store.lost_credentials import LostCredentials
from idp.store.mass_actions import MassActions
from idp.store.merkle_log import MerkleLog
from idp.store.notices import Notices
from idp.store.operators import Operators
from idp.store.outbox import Outbox
from idp.store.outbox_overview import OutboxOverview
from idp.store.passkeys import Passkeys
from idp.store.phone_approvals import PhoneApprovals
from idp.store.platform_links import PlatformLinks
from idp.store.polled_sets import PolledSets
from idp.store.public_marks import PublicMarks
from idp.store.recorder import Recorder
from idp.store.recovery_codes import RecoveryCodes
from idp.store.registrations import Registrations
from idp.store.remains import Remains
from idp.store.sealing import DataSeal
from idp.store.security_overview import SecurityOverviews
from idp.store.sessions import Sessions
from idp.store.simulations import Simulations
from idp.store.status_lists import StatusLists
from idp.store.trusted_browsers import TrustedBrowsers
from idp.store.upstream_accounts import UpstreamAccounts
from idp.store.upstream_visits import UpstreamVisits


class UnitOfWork(Recorder):
    """All stores over one database, and the list of writes they recorded."""

    def __init__(self, database: Database, seal: DataSeal) -> None:
        super().__init__(database)
        self.access_tokens = AccessTokens(self, seal)
        self.link_changes = LinkChanges(self)
        self.account_links = AccountLinks(self, self.link_changes)
        self.activations = Activations(self, seal)
        self.activity = Activity(self)
        self.app_devices = AppDevices(self, seal)
        self.attempts = AttemptCounters(self)
        self.authenticators = Authenticators(self, seal)
        self.backchannel_requests = BackchannelRequests(self, seal)
        self.cases = Cases(self, seal)
        self.citizens = Citizens(self, seal, self.authenticators)
        self.clients = Clients(self)
        self.codes = Codes(self, seal)
        self.consents = Consents(self)
        self.feature_policies = FeaturePolicies(self)
        self.event_streams = EventStreams(self, seal)
        self.followed_links = FollowedLinks(self)
        self.figures = Figures(self)
        self.grants = Grants(self, seal)
        self.guardian_requests = GuardianRequests(self, seal)
        self.guardianships = Guardianships(self, seal)
        self.holdings = Holdings(self, seal)
        self.idempotency_keys = IdempotencyKeys(self)
        self.interactions = Interactions(self)
        self.leases = Leases(self)
        self.lost_credentials = LostCredentials(self)
        self.ledger = Ledger(self)
        self.merkle_log = MerkleLog(self)
        self.mass_actions = MassActions(self)
        self.operators = Operators(self, seal)
        self.outbox = Outbox(self, seal)
        self.polled_sets = PolledSets(self, seal)
        self.notices = Notices(self, self.outbox)
        self.outbox_overview = OutboxOverview(self, seal)
        self.phone_approvals = PhoneApprovals(self, seal)
        self.passkeys = Passkeys(self, seal)
        self.platform_links = PlatformLinks(self)
        self.public_marks = PublicMarks(self)
        self.recovery_codes = RecoveryCodes(self, seal)
        self.registrations = Registrations(self)
        self.remains = Remains(self)
        self.security_overviews = SecurityOverviews(self)
        self.sessions = Sessions(self, seal, self.outbox)
        self.simulations = Simulations(self)
        self.status_lists = StatusLists(self)
        self.upstream_accounts = UpstreamAccounts(self, seal)
        self.upstream_visits = UpstreamVisits(self, seal)
        self.trusted_browsers = TrustedBrowsers(self, seal)
