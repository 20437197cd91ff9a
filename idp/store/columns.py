"""How columns are declared, the same on both engines, each classified as to personal data.

Times are BIGINT microseconds since 1970 (UTC), JSON is text, ids are random text, hashes and sealed values
are bytes. `info["pii"]` says what a column tells about a person: `none`, `indirect` (an id or a fact that
needs other data), `direct` (sealed), `secret`.
"""

from typing import Any, Literal

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Text

PII = Literal["none", "indirect", "direct", "secret"]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def text_column(
    name: str, *args: Any, pii: PII = "none", null: bool = False, key: bool = False
) -> Column[str]:
    """Return a column of text."""
    return Column(name, Text, *args, nullable=null, primary_key=key, info={"pii": pii})


def bytes_column(name: str, *, pii: PII = "none", null: bool = False, key: bool = False) -> Column[bytes]:
    """Return a column of hashes or sealed values."""
    return Column(name, LargeBinary, nullable=null, primary_key=key, info={"pii": pii})


def time_column(name: str, *, null: bool = False) -> Column[int]:
    """Return a column of microseconds."""
    return Column(name, BigInteger, nullable=null, info={"pii": "none"})


def number_column(
    name: str, *, null: bool = False, key: bool = False, default: str | None = None, pii: PII = "none"
) -> Column[int]:
    """Return a column of counts and revisions; `default` is what older rows get."""
    return Column(
        name,
        BigInteger,
        nullable=null,
        primary_key=key,
        autoincrement=False,
        server_default=default,
        info={"pii": pii},
    )
