"""Alembic's entry: runs the migrations over a synchronous connection of the same URL."""

from alembic import context
from sqlalchemy import create_engine, make_url, pool

from gateway.database.tables import Table


def run() -> None:
    """Migrate the database that `gateway.database.engine.migrate` names."""
    url = make_url(context.config.attributes["url"])
    driver = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}[url.get_backend_name()]
    engine = create_engine(url.set(drivername=driver), poolclass=pool.NullPool)
    with engine.connect() as connection:
        # Batch mode rebuilds a table where SQLite cannot alter it.
        context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()


run()
