"""Alembic's entry: runs the migrations over a synchronous connection of the same URL."""

from alembic import context

from gateway.platform.database.engine import synchronous
from gateway.platform.database.tables import Table


def run() -> None:
    """Migrate the database that `gateway.platform.database.engine.migrate` names."""
    with synchronous(context.config.attributes["url"]).connect() as connection:
        # Batch mode rebuilds a table where SQLite cannot alter it.
        context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()


run()
