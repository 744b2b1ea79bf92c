"""Alembic environment, run by `photoindex.store.schema.migrate` on its connection and inside its transaction."""

from alembic import context

from photoindex.store.schema.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
