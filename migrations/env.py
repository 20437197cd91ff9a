"""Alembic's entry: runs the revisions over the connection that `idp.store.migrate` hands in."""

from alembic import context

from idp.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=False, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
