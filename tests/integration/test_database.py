"""The schema and the repositories on both databases."""

import datetime as dt

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url

from gateway.accounts.repository import Accounts
from gateway.administration import key, prepare
from gateway.database.engine import Database, DatabaseUnavailable, migrate, now
from gateway.database.tables import OrganisationRow, Table
from gateway.embedded import in_process
from gateway.settings import GatewaySettings
from shared.problems import NotAuthenticated
from shared.service import CannotStart
from tests.conftest import open_house

RECORD = {"clinical": (None, '{"age": 67, "gender": "female"}')}


@pytest.fixture
def settings(tmp_path, database_url):
    return GatewaySettings(state_dir=tmp_path, database_url=SecretStr(database_url), _env_file=None)


def test_the_migrations_make_what_the_tables_say(database_url):
    migrate(database_url)
    migrate(database_url)
    url = make_url(database_url)
    engine = create_engine(url.set(drivername=url.drivername.replace("+aiosqlite", "")))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []
    engine.dispose()


async def test_an_assessment_is_stored_and_found(settings):
    async with open_house(settings, in_process(settings.internal_key())) as client:
        made = (await client.post("/v1/assessments", files=RECORD, headers={"Idempotency-Key": "k"})).json()
        again = (await client.post("/v1/assessments", files=RECORD, headers={"Idempotency-Key": "k"})).json()
        found = (await client.get(f"/v1/assessments/{made['id']}")).json()
        ready = (await client.get("/health/ready")).json()
    assert made == again == found
    assert ready["dependencies"]["database"] == "ready"


async def test_times_keep_their_zone(settings):
    prepare(settings)
    database = Database(settings.sqlalchemy_url())
    moment = now()
    async with database.sessions.begin() as session:
        session.add(OrganisationRow(name="c", created_at=moment.astimezone(dt.timezone(dt.timedelta(hours=5.5)))))
    async with database.sessions() as session:
        row = (await session.execute(OrganisationRow.__table__.select())).one()
    await database.close()
    assert row.created_at == moment
    assert row.created_at.tzinfo == dt.UTC


async def test_a_refresh_token_is_good_once(settings):
    prepare(settings)
    await key(settings, "k", "models:read", None)
    database = Database(settings.sqlalchemy_url())
    accounts = Accounts(database.sessions)
    account = await accounts.add_account("a@b", "hash", "clinician", await accounts.first_organisation("x"))
    token = await accounts.add_refresh_token(account, dt.timedelta(days=1))
    assert (await accounts.use_refresh_token(token))[0] == account
    with pytest.raises(NotAuthenticated):
        await accounts.use_refresh_token(token)
    expired = await accounts.add_refresh_token(account, dt.timedelta(days=-1))
    with pytest.raises(NotAuthenticated):
        await accounts.use_refresh_token(expired)
    await database.close()


def test_a_database_that_does_not_answer_is_said_so(tmp_path):
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:9/nowhere"
    with pytest.raises(DatabaseUnavailable):
        migrate(nowhere)
    settings = GatewaySettings(state_dir=tmp_path, database_url=SecretStr(nowhere), _env_file=None)
    with pytest.raises(CannotStart, match="TRABECULA_DATABASE_URL"):
        prepare(settings)
