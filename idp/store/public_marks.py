"""Links whose mark may be found: by the mark's id, or by the name that the account has at its network."""

from sqlalchemy import bindparam, literal_column, or_, select

from idp.identity.account_links import AccountLink
from idp.identity.public_marks import AccountName
from idp.store.account_links import link_from_row
from idp.store.recorder import Recorder
from idp.store.tables import account_links as t

_BY_ID = select(t).where(t.c.mark_id == bindparam("mark_id"))
_BY_NAME = (
    select(t)
    .where(t.c.mark_id.is_not(None), t.c.status == literal_column("'active'"))
    .where(t.c.client_id == bindparam("client_id"))
    .where(
        or_(
            t.c.handle == bindparam("bare"),
            t.c.handle == bindparam("with_sign"),
            t.c.profile_uri == bindparam("profile_uri"),
        )
    )
    .limit(bindparam("limit"))
)


class PublicMarks:
    """What anybody may look up. Whoever is not to be found is in none of these answers."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def find(self, mark_id: str) -> AccountLink | None:
        """Return the link with this mark, whatever its state."""
        row = await self._recorder.fetch_one(_BY_ID, mark_id=mark_id)
        return None if row is None else link_from_row(row)

    async def named(self, client_id: str, name: AccountName, limit: int) -> list[AccountLink]:
        """Return the active links at a network whose mark may be found and whose account has this name."""
        bare, with_sign = name.handles
        rows = await self._recorder.fetch_all(
            _BY_NAME,
            client_id=client_id,
            bare=bare,
            with_sign=with_sign,
            profile_uri=name.profile_uri,
            limit=limit,
        )
        return [link_from_row(row) for row in rows]
