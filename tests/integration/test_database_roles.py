"""The gateway's own PostgreSQL role: all of its work goes on, and nobody who has it can touch the audit trail."""

import os
import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DatabaseError
from structlog.testing import capture_logs

from gateway.app import purge_expired
from gateway.assessing.administration import create_first_administrator, prepare, verify_audit_trail
from gateway.assessing.data_secret import require_data_secret
from gateway.cli.backup import back_up
from gateway.platform.database.engine import database_of
from gateway.settings import GatewaySettings
from shared.service import CannotStart
from tests.conftest import open_gateway, shared_services
from tests.integration.conftest import program
from tests.integration.people import administrator_of

ROLES = Path(__file__).parents[2] / "deploy" / "database" / "roles.sql"
pytestmark = pytest.mark.postgres


def make_roles(url, secrets):
    """As the database's container does at every start."""
    for name in ("owner", "gateway"):
        (secrets / f"database_{name}_password").write_text(f"pass of the {name}")
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    environment = {**os.environ, "SECRETS": str(secrets)}
    subprocess.run(
        [program("psql"), "--no-psqlrc", "--quiet", "--file", ROLES, address], check=True, env=environment,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def as_role(url, role):
    return make_url(url).set(username=role).render_as_string(hide_password=False)


@pytest.fixture
def installation(tmp_path, new_postgres_database):
    url, state = new_postgres_database(), tmp_path / "state"
    make_roles(url, tmp_path)

    def settings(role, **given):
        return GatewaySettings(state_dir=state, database_url=SecretStr(as_role(url, role)), _env_file=None, **given)

    owner = settings("trabecula_owner", gateway_role="trabecula_gateway")
    prepare(owner)
    make_roles(url, tmp_path)  # a second start changes nothing
    prepare(owner)
    return url, owner, settings("trabecula_gateway", migrate=False)


async def test_a_gateway_does_all_of_its_work_with_the_narrow_role(installation, tmp_path):
    _, _, settings = installation
    await require_data_secret(settings)
    await create_first_administrator(settings)
    async with (
        open_gateway(settings, shared_services()) as api,
        await administrator_of(settings, api, "root@clinic.example") as admin,
    ):
        fields = {"clinical": (None, '{"age": 67, "gender": "female"}'), "patient_number": (None, "MRN-1")}
        made = await api.post("/v1/assessments", files=fields)
        assert made.status_code == 201, made.text
        [patient] = [item["id"] for item in (await admin.get("/v1/patients")).json()["items"]]
        assert (await admin.get(f"/v1/patients/{patient}")).status_code == 200
        assert (await admin.post("/v1/keys", json={"name": "k", "scopes": ["models:read"]})).status_code == 201
        assert (await admin.get("/v1/audit")).status_code == 200
        assert (await admin.delete(f"/v1/patients/{patient}")).status_code == 204
    database = database_of(settings)
    await purge_expired(database, settings)
    await database.close()
    assert back_up(settings, tmp_path / "backup.zip", with_secrets=False)["rows"]["audit"] > 4
    assert (await verify_audit_trail(settings, None))["ok"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "ALTER TABLE audit DISABLE TRIGGER USER",
        "DROP TRIGGER audit_append_only ON audit",
        "ALTER TABLE audit DROP COLUMN mac",
        "DROP TABLE audit",
        "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head SELECT 2, length, hash, mac_key, mac FROM audit_head",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE TABLE mine (x int)",
        "CREATE TEMP TABLE mine (x int)",
        "COPY audit TO PROGRAM 'cat'",
        "SET ROLE trabecula_owner",
        "SET session_replication_role = replica",
        "GRANT UPDATE ON audit TO trabecula_gateway; UPDATE audit SET actor = 'x'",  # the first is a warning only
    ],
)
def test_who_came_into_the_gateway_cannot_change_the_trail(installation, statement):
    _, _, settings = installation
    engine = create_engine(settings.sqlalchemy_url())
    refused = r"permission denied|must be owner|must be superuser|cannot set"
    with pytest.raises(DatabaseError, match=refused), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


async def test_the_gateway_says_where_it_may_not_overwrite_what_was_erased(installation):
    """Before PostgreSQL 17 the server would skip the tables with a mere warning."""
    _, owner, settings = installation
    for who, may in ((owner, True), (settings, None)):
        database = database_of(who)
        async with database.engine.connect() as connection:
            version = connection.dialect.server_version_info
        with capture_logs() as lines:
            await database.scrub()
        await database.close()
        said = any("not overwritten" in line["event"] for line in lines)
        assert said is not (may if may is not None else version >= (17,))


@pytest.mark.parametrize("role", ["trabecula_owner", "trabecula"])
def test_a_role_that_may_do_anything_is_no_role_for_a_gateway(installation, role):
    _, owner, _ = installation
    with pytest.raises(CannotStart, match=f"TRABECULA_GATEWAY_ROLE: the role {role}"):
        prepare(owner.model_copy(update={"gateway_role": role}))


def test_a_role_that_is_not_there_is_named(installation):
    _, owner, _ = installation
    with pytest.raises(CannotStart, match="nobody_made_this"):
        prepare(owner.model_copy(update={"gateway_role": "nobody_made_this"}))


def test_tables_of_the_version_before_change_hands(tmp_path, new_postgres_database):
    """Up to 0.1.0 the superuser owned them."""
    url = new_postgres_database()
    before = GatewaySettings(state_dir=tmp_path / "state", database_url=SecretStr(url), _env_file=None)
    prepare(before)
    make_roles(url, tmp_path)
    engine = create_engine(url)
    with engine.connect() as connection:
        owners = connection.execute(text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")).all()
    engine.dispose()
    assert [tuple(row) for row in owners] == [("trabecula_owner",)]
    update = {"database_url": SecretStr(as_role(url, "trabecula_owner")), "gateway_role": "trabecula_gateway"}
    prepare(before.model_copy(update=update))
