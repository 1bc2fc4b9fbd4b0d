"""Engine, sessions and the schema's migration, for SQLite (WAL) and PostgreSQL by one URL."""

from pathlib import Path
from typing import Any

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, make_url, pool, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from gateway.platform.database.audit_chain import KEK, ChainedSession
from gateway.platform.database.roles import grant, may_rewrite
from gateway.platform.encryption import KeyEncryptionKey, installation_key
from gateway.settings import GatewaySettings
from shared.problems import TrabeculaError

MIGRATIONS = Path(__file__).parent / "migrations"
Sessions = async_sessionmaker[AsyncSession]
# What names people in the clear, or holds the keys to what does not: these tables are small.
IN_THE_CLEAR = ("patients", "accounts", "invitations", "batches", "batch_cases", "films", "orders")
# SQLite has one writer at a time, and who waits for it polls: under load some would wait until their time is over. One
# connection, which is handed on in the order in which it was asked for, keeps every wait short.
ONE_BY_ONE: dict[str, Any] = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 30}


class Database:
    """The installation's database.

    Args:
        url: SQLAlchemy URL with an asynchronous driver (`sqlite+aiosqlite`, `postgresql+psycopg`).
        kek: opens the key of the audit trail.
        durable: a commit lasts even if the power fails at once, which SQLite otherwise leaves to the next checkpoint.
    """

    def __init__(self, url: str, kek: KeyEncryptionKey, *, durable: bool = False) -> None:
        is_sqlite = url.startswith("sqlite")
        self.is_shared = not is_sqlite  # a file has one gateway, a server may have several
        self.engine: AsyncEngine = create_async_engine(url, **(ONE_BY_ONE if is_sqlite else {"pool_pre_ping": True}))
        if is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _careful_sqlite)
            if durable:
                event.listen(self.engine.sync_engine, "connect", _synchronous_sqlite)
        self.sessions: Sessions = async_sessionmaker(
            self.engine, expire_on_commit=False, autoflush=False, sync_session_class=ChainedSession, info={KEK: kek}
        )

    async def is_ready(self) -> bool:
        """Whether a query comes back."""
        try:
            async with self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError):
            return False
        return True

    async def scrub(self) -> None:
        """See that what was deleted is in the database's files no more; a failure is logged, and a later time comes.

        SQLite overwrites what it deletes, and the log is emptied into the file here. PostgreSQL keeps old versions of
        rows until their table is written anew; its own log goes round, and holds them until then.
        """
        log = structlog.get_logger("trabecula")
        try:
            async with self.engine.connect() as connection:
                if not self.is_shared:
                    await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                    return
                alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                if not await alone.run_sync(may_rewrite, IN_THE_CLEAR):
                    log.warning("what was erased is not overwritten: that takes the tables' owner, or PostgreSQL 17")
                    return
                for name in IN_THE_CLEAR:
                    await alone.exec_driver_sql(f"VACUUM (FULL) {name}")
        except SQLAlchemyError as error:
            log.warning("what was erased is not overwritten yet", why=str(error))

    async def close(self) -> None:
        """Close the pool."""
        await self.engine.dispose()


def database_of(settings: GatewaySettings, *, durable: bool = False) -> Database:
    """The database that the settings name; `durable` as for `Database`."""
    return Database(settings.sqlalchemy_url(), installation_key(settings), durable=durable)


class DatabaseUnavailable(TrabeculaError):
    """The database cannot be opened or changed; the detail is the driver's own word on it."""


class SchemaBehind(TrabeculaError):
    """The database awaits a migration that this process may not make itself."""


def migrate(url: str, kek: KeyEncryptionKey, gateway_role: str | None = None) -> None:
    """Bring the schema to the newest revision. Blocking; creates the folder of a SQLite file.

    A database that a newer version has migrated is left as it is: most migrations only add, so that the version before
    still works on it and a failed upgrade can be taken back.

    Args:
        url: SQLAlchemy URL.
        kek: seals what earlier revisions stored in the open.
        gateway_role: PostgreSQL's, which gets the rights of a gateway; null where one role does everything.

    Raises:
        DatabaseUnavailable: it cannot be reached or changed.
        OwnsTables: the gateway's role is this one, or may do as much.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    config = _alembic(url, kek)
    try:
        if _from_newer_version(revision(url)):
            structlog.get_logger("trabecula").warning("the database is of a newer version and is left as it is")
            return
        command.upgrade(config, "head")
        if gateway_role is not None and parsed.get_backend_name() == "postgresql":
            _grant(url, gateway_role)
    except (SQLAlchemyError, OSError) as error:
        raise DatabaseUnavailable(str(getattr(error, "orig", error)).splitlines()[0]) from error


def _grant(url: str, role: str) -> None:
    engine = synchronous(url)
    with engine.begin() as connection:
        rewrites = grant(connection, role, IN_THE_CLEAR)
    engine.dispose()
    if not rewrites:
        structlog.get_logger("trabecula").warning(
            "before PostgreSQL 17 only the tables' owner can overwrite what was erased: run VACUUM (FULL) with it",
            tables=IN_THE_CLEAR,
        )


def keep_to_owner(file: Path) -> None:
    """See that nobody else on the machine reads a SQLite database; its log beside it gets the same rights from it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    for part in (file, *(file.with_name(file.name + suffix) for suffix in ("-wal", "-shm", "-journal"))):
        if part.exists():
            part.chmod(0o600)


def require_schema(url: str) -> None:
    """See that the schema is this version's, or a newer one's.

    Raises:
        DatabaseUnavailable: it cannot be reached.
        SchemaBehind: it has not been migrated yet.
    """
    try:
        schema = revision(url)
    except (SQLAlchemyError, OSError) as error:
        raise DatabaseUnavailable(str(getattr(error, "orig", error)).splitlines()[0]) from error
    if schema != newest_revision() and not _from_newer_version(schema):
        raise SchemaBehind("The database awaits its migration: run `trabecula migrate`, or wait for the job that does.")


def revision(url: str) -> str | None:
    """The revision of the schema; null where there is none yet."""
    engine = synchronous(url)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def synchronous(url: str) -> Engine:
    """An engine of the same database for migrations, which Alembic runs without a loop."""
    parsed = make_url(url)
    driver = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}[parsed.get_backend_name()]
    return create_engine(parsed.set(drivername=driver), poolclass=pool.NullPool)


def _alembic(url: str, kek: KeyEncryptionKey) -> Config:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix().replace("%", "%%"))
    config.attributes.update(url=url, kek=kek)
    return config


def newest_revision() -> str | None:
    """The schema that this version works with."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def _from_newer_version(schema: str | None) -> bool:
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    return schema is not None and schema not in known


def _synchronous_sqlite(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA synchronous=FULL")


def _careful_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=5000",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
