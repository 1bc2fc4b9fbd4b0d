"""What is kept for validation ends: what cases looked like goes in whole blocks, and the reference's counts stay."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from gateway.assessing.administration import open_database, organisation_of, prepare
from gateway.platform.clock import today
from gateway.platform.database.tables import ObservationRow
from gateway.platform.identity.accounts import Accounts
from gateway.records.observations import Observations, observation_row, reference_of
from gateway.settings import GatewaySettings

OLD = dt.timedelta(days=800)
LIMIT = dt.timedelta(days=730)


@pytest.fixture
async def database(database_url, tmp_path):
    settings = GatewaySettings(state_dir=tmp_path / "state", database_url=database_url, _env_file=None)
    prepare(settings)
    async with open_database(settings) as opened:
        opened.organisation = await organisation_of(Accounts(opened.sessions), settings, None)
        yield opened


async def observe(database, count, day):
    rows = [observation_row(database.organisation, {"sent": "film"}) for _ in range(count)]
    for row in rows:
        row.day = day
    async with database.sessions.begin() as session:
        session.add_all(rows)


async def test_old_cases_go_in_whole_blocks_and_windows_stay_where_they_were(database):
    observations, oldest = Observations(database.sessions), today() - LIMIT
    await observe(database, 30, today() - OLD)
    assert await observations.delete_before(oldest, 25) == 0, "without a reference they are what it will be made of"
    first = await observations.window(database.organisation, 0, 0, 30)
    await observations.set_reference(database.organisation, reference_of(first, {"sent": {"film": 30}}))
    await observe(database, 60, today() - OLD)
    await observe(database, 15, today())
    until = first[-1].id
    last = await observations.window(database.organisation, until, 50, 25)
    assert await observations.delete_before(oldest, 25) == 30 + 50
    assert [row.id for row in await observations.window(database.organisation, until, 0, 25)] == [
        row.id for row in last
    ]
    assert (await observations.reference(database.organisation)).counts == {"sent": {"film": 30}}
    assert await observations.delete_before(oldest, 25) == 0
    async with database.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(ObservationRow)) == 25
