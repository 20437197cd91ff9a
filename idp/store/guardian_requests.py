"""What children ask their guardians: one question at a time for an account, decided once, used once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, func, literal_column, null, select

from idp.identity.account_links import AccountLinkRequest
from idp.identity.citizens import Citizen, CitizenStatus
from idp.identity.guardian_requests import GuardianRequest, RequestStatus, Verdict, decided_until
from idp.store.citizens import PERSON, citizen_from_row
from idp.store.database import Row
from idp.store.encoding import dump_mapping, load_mapping, micros, moment, moment_or_none
from idp.store.guardianships import IN_FORCE
from idp.store.link_tables import guardian_requests as t
from idp.store.link_tables import guardianships
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.tables import citizens
from idp.store.writes import Change, Insert

PENDING_INDEX = "uq_guardian_requests_child_id_client_id_account_id"
"""One question about an account waits at a time."""
DECIDED_GATE = "guardian_request_decided"
USED_GATE = "guardian_approval_used"

_DECISIONS = {Verdict.APPROVE: RequestStatus.APPROVED, Verdict.REFUSE: RequestStatus.REFUSED}

_PENDING = t.c.status == literal_column(f"'{RequestStatus.PENDING.value}'")
_APPROVED = t.c.status == literal_column(f"'{RequestStatus.APPROVED.value}'")
_RELATION_STANDS = exists().where(
    (guardianships.c.guardianship_id == t.c.guardianship_id) & (guardianships.c.ended_at == null())
)

_INSERT = Insert(
    "guardian_request",
    t,
    tuple(
        column.name for column in t.columns if column.name not in {"guardianship_id", "decided_at", "used_at"}
    ),
)
_CLOSE = Change(
    "guardian_request_closed",
    t,
    where=lambda bind: (t.c.request_id == bind("id")) & _PENDING,
    values=lambda bind: {"status": bind("status")},
)
_DECIDE = Change(
    DECIDED_GATE,
    t,
    where=lambda bind: (t.c.request_id == bind("id")) & _PENDING & (t.c.expires_at > bind("now")),
    values=lambda bind: {
        "status": bind("status"),
        "guardianship_id": bind("guardianship_id"),
        "decided_at": bind("now"),
        "expires_at": bind("until"),
    },
    gate=True,
)
_USE = Change(
    USED_GATE,
    t,
    where=lambda bind: (
        (t.c.request_id == bind("id"))
        & _APPROVED
        & (t.c.used_at == null())
        & (t.c.expires_at > bind("now"))
        & _RELATION_STANDS
    ),
    values=lambda bind: {"used_at": bind("now")},
    gate=True,
)
_WITH_BACKING = select(
    t,
    guardianships.c.guardianship_id.label("backed_by"),
    citizens.c.status.label("guardian_status"),
).select_from(
    t.outerjoin(
        guardianships,
        (guardianships.c.guardianship_id == t.c.guardianship_id) & (guardianships.c.ended_at == null()),
    ).outerjoin(citizens, citizens.c.citizen_id == guardianships.c.guardian_id)
)
_BY_ID = _WITH_BACKING.where(t.c.request_id == bindparam("request_id"))
_OF_ACCOUNT = (
    _WITH_BACKING.where(t.c.child_id == bindparam("child_id"))
    .where((t.c.client_id == bindparam("client_id")) & (t.c.account_id == bindparam("account_id")))
    .where((t.c.expires_at > bindparam("now")) & (t.c.status != literal_column("'closed'")))
    .order_by(t.c.created_at.desc(), t.c.request_id)
    .limit(bindparam("limit"))
)
_OPEN_OF_ACCOUNT = (
    _WITH_BACKING.where(t.c.child_id == bindparam("child_id"))
    .where((t.c.client_id == bindparam("client_id")) & (t.c.account_id == bindparam("account_id")))
    .where(_PENDING)
)
_WAITING = _PENDING & (t.c.expires_at > bindparam("now"))
_COUNT_OF_CHILD = (
    select(func.count().label("waiting")).where(t.c.child_id == bindparam("child_id")).where(_WAITING)
)
_FOR_GUARDIAN = (
    select(t, guardianships.c.guardianship_id.label("relation_id"), *PERSON)
    .select_from(
        guardianships.join(t, t.c.child_id == guardianships.c.child_id).join(
            citizens, citizens.c.citizen_id == t.c.child_id
        )
    )
    .where(guardianships.c.guardian_id == bindparam("guardian_id"))
    .where(IN_FORCE)
)
_FOR_GUARDIAN_PAGE = (
    _FOR_GUARDIAN.where(_WAITING)
    .where(t.c.request_id > bindparam("after"))
    .order_by(t.c.request_id)
    .limit(bindparam("limit"))
)
_FOR_GUARDIAN_ONE = _FOR_GUARDIAN.where(t.c.request_id == bindparam("request_id"))


@dataclass(frozen=True, slots=True)
class Question:
    """A request as one guardian sees it: whose it is, and by which relation it is theirs to answer."""

    request: GuardianRequest
    guardianship_id: str
    child: Citizen


class GuardianRequests:
    """What the program remembers about questions to guardians."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    async def find(self, request_id: str) -> GuardianRequest | None:
        """Return a question, answered and expired ones included."""
        row = await self._recorder.fetch_one(_BY_ID, request_id=request_id)
        return None if row is None else _with_backing(row)

    async def of_account(
        self, child_id: str, client_id: str, account_id: str, now: datetime, *, limit: int = 20
    ) -> list[GuardianRequest]:
        """Return what was asked about one account and still stands for something, newest first."""
        rows = await self._recorder.fetch_all(
            _OF_ACCOUNT,
            child_id=child_id,
            client_id=client_id,
            account_id=account_id,
            now=micros(now),
            limit=limit,
        )
        return [_with_backing(row) for row in rows]

    async def waiting_of(self, child_id: str, now: datetime) -> int:
        """Return how many questions of a child wait for an answer."""
        row = await self._recorder.fetch_one(_COUNT_OF_CHILD, child_id=child_id, now=micros(now))
        return 0 if row is None else int(row["waiting"])

    async def waiting_for(
        self, guardian_id: str, now: datetime, *, after: str = "", limit: int
    ) -> list[Question]:
        """Return what waits for one guardian's answer, in pages by id."""
        rows = await self._recorder.fetch_all(
            _FOR_GUARDIAN_PAGE, guardian_id=guardian_id, now=micros(now), after=after, limit=limit
        )
        return [self._question(row) for row in rows]

    async def find_for(self, guardian_id: str, request_id: str, now: datetime) -> Question | None:
        """Return a question to a child's guardian, answered or not; to anybody else there is none."""
        row = await self._recorder.fetch_one(
            _FOR_GUARDIAN_ONE, guardian_id=guardian_id, request_id=request_id, now=micros(now)
        )
        return None if row is None else self._question(row)

    async def open_about(self, child_id: str, client_id: str, account_id: str) -> GuardianRequest | None:
        """Return the question about an account that is still open in the table, run out or not."""
        row = await self._recorder.fetch_one(
            _OPEN_OF_ACCOUNT, child_id=child_id, client_id=client_id, account_id=account_id
        )
        return None if row is None else _with_backing(row)

    def add(self, request: GuardianRequest) -> None:
        """Record a question; PENDING_INDEX refuses a second one about the same account."""
        account = request.account
        content = {
            "handle": account.handle,
            "profile_uri": account.profile_uri,
            "purpose": account.purpose,
            "claims": sorted(request.claims),
            "consent_id": request.consent_id,
        }
        self._recorder.record(
            _INSERT,
            request_id=request.request_id,
            child_id=request.child_citizen_id,
            client_id=request.client_id,
            account_id=account.account_id,
            content=dump_mapping(content),
            status=request.status.value,
            created_at=micros(request.created_at),
            expires_at=micros(request.expires_at),
        )

    def close(self, request_id: str) -> None:
        """Record that a question ran out or was replaced; one that was answered stays so."""
        self._recorder.record(_CLOSE, id=request_id, status=RequestStatus.CLOSED.value)

    def decide(self, request_id: str, guardianship_id: str, verdict: Verdict, now: datetime) -> None:
        """Record the one answer; DECIDED_GATE closes for whoever answers second, or too late."""
        self._recorder.record(
            _DECIDE,
            id=request_id,
            guardianship_id=guardianship_id,
            status=_DECISIONS[verdict].value,
            until=micros(decided_until(verdict, now)),
            now=micros(now),
        )

    def use(self, request_id: str, now: datetime) -> None:
        """Record that a link was made by an approval; USED_GATE closes for a second, and after its end."""
        self._recorder.record(_USE, id=request_id, now=micros(now))

    def _question(self, row: Row) -> Question:
        request = _from_row(row, is_backed=True)
        return Question(request, row["relation_id"], citizen_from_row(row, self._seal))


def _with_backing(row: Row) -> GuardianRequest:
    """Read a row with the relation by which it was decided; before that, nothing can have ended."""
    is_backed = row["backed_by"] is not None and row["guardian_status"] == CitizenStatus.ACTIVE.value
    return _from_row(row, is_backed=is_backed or row["decided_at"] is None)


def _from_row(row: Row, *, is_backed: bool) -> GuardianRequest:
    content = load_mapping(row["content"])
    account = AccountLinkRequest(
        row["account_id"], content["handle"], content["profile_uri"], content["purpose"]
    )
    return GuardianRequest(
        request_id=row["request_id"],
        child_citizen_id=row["child_id"],
        client_id=row["client_id"],
        account=account,
        claims=frozenset(content["claims"]),
        created_at=moment(row["created_at"]),
        expires_at=moment(row["expires_at"]),
        status=RequestStatus(row["status"]),
        consent_id=content["consent_id"],
        guardianship_id=row["guardianship_id"],
        decided_at=moment_or_none(row["decided_at"]),
        used_at=moment_or_none(row["used_at"]),
        is_backed=is_backed,
    )
