"""The whole schema: importing this module declares every table."""

from idp.store import client_tables, credential_tables, link_tables, oversight_tables, tables
from idp.store.columns import metadata

__all__ = ["client_tables", "credential_tables", "link_tables", "metadata", "oversight_tables", "tables"]
