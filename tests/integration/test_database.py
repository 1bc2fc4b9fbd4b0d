"""The schema and the repositories on both databases."""

import copy
import datetime as dt

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import JSON, Uuid, column, create_engine, make_url, table, text

from gateway.api.examples.assessments import ASSESSMENT
from gateway.assessing.administration import create_api_key, prepare
from gateway.platform.clock import now
from gateway.platform.database.engine import (
    MIGRATIONS,
    DatabaseUnavailable,
    SchemaBehind,
    database_of,
    migrate,
    require_schema,
)
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import OrganisationRow, SignInRow, Table, UtcDateTime
from gateway.platform.encryption import KeyEncryptionKey, installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.refresh_tokens import RefreshTokens, SessionLength
from gateway.settings import GatewaySettings
from shared.problems import NotAuthenticated
from shared.service import CannotStart
from tests.conftest import open_gateway, shared_services

KEK = KeyEncryptionKey("s" * 32)
RECORD = {"clinical": (None, '{"age": 67, "gender": "female"}')}


@pytest.fixture
def settings(tmp_path, database_url):
    return GatewaySettings(state_dir=tmp_path, database_url=SecretStr(database_url), _env_file=None)


def test_the_migrations_make_what_the_tables_say(database_url):
    migrate(database_url, KEK)
    migrate(database_url, KEK)
    url = make_url(database_url)
    engine = create_engine(url.set(drivername=url.drivername.replace("+aiosqlite", "")))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []
    engine.dispose()


def test_the_newer_migrations_are_taken_back_and_made_again(database_url):
    """An upgrade that is taken back leaves open sessions open and ended ones ended, both ways."""
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    config.attributes.update(url=database_url, kek=KEK)
    command.upgrade(config, "0008")
    url = make_url(database_url)
    engine = create_engine(url.set(drivername=url.drivername.replace("+aiosqlite", "")))
    clinic, person, moment = uuid7(), uuid7(), now()
    accounts = table(
        "accounts", column("id", Uuid()), column("organisation_id", Uuid()), column("email"), column("password_hash"),
        column("role"), column("created_at", UtcDateTime()), column("failed_sign_ins"),
    )  # fmt: skip
    tokens = table(
        "refresh_tokens", column("token_hash"), column("account_id", Uuid()), column("family", Uuid()),
        column("expires_at", UtcDateTime()), column("used_at", UtcDateTime()), column("revoked_at", UtcDateTime()),
    )  # fmt: skip
    families = {"open": uuid7(), "revoked": uuid7()}
    with engine.begin() as connection:
        connection.execute(OrganisationRow.__table__.insert().values(id=clinic, name="Clinic", created_at=moment))
        account = {"id": person, "organisation_id": clinic, "email": "a@b", "password_hash": "x", "role": "clinician"}
        connection.execute(accounts.insert().values(**account, created_at=moment, failed_sign_ins=0))
        for number, (state, family) in enumerate(families.items()):
            values = {"token_hash": bytes([number]) * 32, "account_id": person, "family": family}
            revoked = moment if state == "revoked" else None
            later = moment + dt.timedelta(days=1)
            connection.execute(tokens.insert().values(**values, expires_at=later, used_at=None, revoked_at=revoked))
    for _ in range(2):
        command.upgrade(config, "head")
        with engine.connect() as connection:
            assert [row.id for row in connection.execute(SignInRow.__table__.select())] == [families["open"]]
        command.downgrade(config, "0008")
        with engine.connect() as connection:
            left = connection.execute(tokens.select()).all()
        assert [row.family for row in left] == [families["open"]]
    engine.dispose()


def test_the_schema_is_known_to_be_behind_and_then_this_versions(database_url):
    with pytest.raises(SchemaBehind, match="trabecula migrate"):
        require_schema(database_url)
    migrate(database_url, KEK)
    require_schema(database_url)


def test_a_database_of_a_newer_version_is_left_as_it_is(database_url):
    """After an upgrade that is taken back, the version before starts on the schema that it finds."""
    migrate(database_url, KEK)
    url = make_url(database_url)
    engine = create_engine(url.set(drivername=url.drivername.replace("+aiosqlite", "")))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'of_the_future'"))
    migrate(database_url, KEK)
    require_schema(database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "of_the_future"
    engine.dispose()


async def test_an_assessment_is_stored_and_found(settings):
    async with open_gateway(settings, shared_services()) as client:
        made = (await client.post("/v1/assessments", files=RECORD, headers={"Idempotency-Key": "k"})).json()
        again = (await client.post("/v1/assessments", files=RECORD, headers={"Idempotency-Key": "k"})).json()
        found = (await client.get(f"/v1/assessments/{made['id']}")).json()
        ready = (await client.get("/health/ready")).json()
    assert made == again == found
    assert ready["dependencies"]["database"] == "ready"


async def test_times_keep_their_zone(settings):
    prepare(settings)
    database = database_of(settings)
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
    await create_api_key(settings, "k", "models:read", None)
    database = database_of(settings)
    accounts = Accounts(database.sessions)
    account = await accounts.add_account("a@b", "hash", "clinician", await accounts.first_organisation("x"))
    tokens, day = RefreshTokens(database.sessions), dt.timedelta(days=1)
    first = await tokens.begin(account, SessionLength(day, day))
    second = await tokens.exchange(first.token)
    assert (second.account_id, second.family) == (account, first.family)
    assert not await tokens.is_over(first.family)
    with pytest.raises(NotAuthenticated):
        await tokens.exchange(first.token)
    assert await tokens.is_over(first.family)
    with pytest.raises(NotAuthenticated):
        await tokens.exchange(second.token)
    expired = await tokens.begin(account, SessionLength(-day, day))
    with pytest.raises(NotAuthenticated):
        await tokens.exchange(expired.token)
    await database.close()


def test_a_database_that_does_not_answer_is_said_so(tmp_path):
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:9/nowhere"
    with pytest.raises(DatabaseUnavailable):
        migrate(nowhere, KEK)
    settings = GatewaySettings(state_dir=tmp_path, database_url=SecretStr(nowhere), _env_file=None)
    with pytest.raises(CannotStart, match="TRABECULA_DATABASE_URL"):
        prepare(settings)


def as_of_the_first_version(answered, patient):
    """An answer in the names that it had then."""
    document = copy.deepcopy(answered)
    del document["released_at"], document["patient_number"]
    clinical = document["clinical"]
    for part in (document["imaging"], *clinical["contributions"], *clinical["most_informative_missing"]):
        part["words"] = part.pop("summary")
    return document | {"patient_id": patient}


async def test_assessments_of_the_first_version_are_sealed_and_still_found(settings):
    """Rows that lay in the open before belong to their patients afterwards, and nothing of them is lost."""
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    config.attributes.update(url=settings.sqlalchemy_url(), kek=KEK)
    command.upgrade(config, "0002")
    url = make_url(settings.sqlalchemy_url())
    engine = create_engine(url.set(drivername=url.drivername.replace("+aiosqlite", "")))
    organisation, ids = uuid7(), [uuid7() for _ in range(3)]
    assessments = table(
        "assessments", column("id", Uuid()), column("organisation_id", Uuid()), column("created_at", UtcDateTime()),
        column("caller"), column("patient_id"), column("document", JSON()), column("record", JSON()),
    )  # fmt: skip
    with engine.begin() as connection:
        made = {"id": organisation, "name": "Clinic", "created_at": now()}
        connection.execute(OrganisationRow.__table__.insert().values(made))
        for identity, patient in zip(ids, ["MRN-1", "MRN-1", None], strict=True):
            document = as_of_the_first_version({**ASSESSMENT, "id": str(identity)}, patient)
            row = {"organisation_id": organisation, "created_at": now(), "caller": "key:1", "patient_id": patient}
            connection.execute(assessments.insert().values(id=identity, document=document, record=None, **row))
    engine.dispose()
    async with open_gateway(settings, shared_services()) as client:
        of_patient = (await client.get("/v1/assessments", params={"patient_number": "MRN-1"})).json()["items"]
        without = (await client.get(f"/v1/assessments/{ids[2]}")).json()
    assert {item["id"] for item in of_patient} == {str(ids[0]), str(ids[1])}
    assert without == {**ASSESSMENT, "id": str(ids[2]), "patient_number": None}


async def test_what_senders_called_their_cases_is_encrypted_and_read_as_before(settings):
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    config.attributes.update(url=settings.sqlalchemy_url(), kek=installation_key(settings))
    command.upgrade(config, "0011")
    url = make_url(settings.sqlalchemy_url())
    engine = create_engine(url.set(drivername=url.drivername.replace("+aiosqlite", "")))
    organisation, batch, problem = uuid7(), uuid7(), {"type": "urn:x", "detail": "age: 130 of MRN-SENT-1"}
    batches = table(
        "batches", column("id", Uuid()), column("organisation_id", Uuid()), column("created_at", UtcDateTime()),
        column("created_by"),
    )  # fmt: skip
    cases = table(
        "batch_cases", column("id", Uuid()), column("batch_id", Uuid()), column("position"), column("reference"),
        column("state"), column("attempts"), column("not_before", UtcDateTime()), column("problem", JSON()),
    )  # fmt: skip
    with engine.begin() as connection:
        made = {"id": organisation, "name": "First organisation", "created_at": now()}
        connection.execute(OrganisationRow.__table__.insert().values(made))
        connection.execute(
            batches.insert().values(id=batch, organisation_id=organisation, created_at=now(), created_by="key:1")
        )
        for position, (reference, wrong) in enumerate((("MRN-SENT-1", problem), ("\u0915", None))):
            row = {"batch_id": batch, "position": position, "state": "failed", "attempts": 1, "not_before": now()}
            connection.execute(cases.insert().values(id=uuid7(), reference=reference, problem=wrong, **row))
    command.upgrade(config, "0014")
    command.downgrade(config, "0011")
    with engine.connect() as connection:
        back = connection.execute(cases.select().order_by(cases.c.position)).all()
    assert [(row.reference, row.problem) for row in back] == [("MRN-SENT-1", problem), ("\u0915", None)]
    async with open_gateway(settings, shared_services()) as client:
        listed = (await client.get(f"/v1/batches/{batch}/cases")).json()["items"]
    assert [(case["reference"], case["problem"]) for case in listed] == [("MRN-SENT-1", problem), ("\u0915", None)]
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT * FROM batch_cases")).all()
    assert "MRN-SENT-1" not in str(stored)
    engine.dispose()


async def test_what_the_work_list_is_ordered_by_is_filled_in_for_what_was_stored_before(settings):
    emergency = {"clinical": (None, '{"age": 70, "gender": "female", "neurological_signs": true, "back_pain": true}')}
    async with open_gateway(settings, shared_services()) as client:
        for files in (RECORD, {**emergency, "patient_number": (None, "MRN-URGENT")}):
            assert (await client.post("/v1/assessments", files=files)).status_code == 201
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    config.attributes.update(url=settings.sqlalchemy_url(), kek=installation_key(settings))
    url = make_url(settings.sqlalchemy_url())
    engine = create_engine(url.set(drivername=url.drivername.replace("+aiosqlite", "")))
    columns = text("SELECT urgency, category, is_unclear, has_medicines FROM assessments ORDER BY id")
    with engine.connect() as connection:
        before = connection.execute(columns).all()
    assert before[1].urgency == 4
    command.downgrade(config, "0025")
    command.upgrade(config, "head")
    with engine.connect() as connection:
        assert connection.execute(columns).all() == before
    engine.dispose()
