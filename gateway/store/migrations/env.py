"""Run by alembic; the connection comes from `upgrade`, which also says BEGIN and COMMIT."""

from alembic import context

from gateway.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
