"""Which version serves and which is in the shadow: a row a change, a line in every organisation's trail, a way back."""

import pytest
from sqlalchemy import select

from gateway.assessing.administration import open_database, organisation_of, prepare
from gateway.platform.database.tables import AuditRow
from gateway.platform.identity.accounts import Accounts
from gateway.records.model_use import ModelUses, Signer
from gateway.settings import GatewaySettings
from shared.problems import Conflict

RAO = Signer("A. Rao", "physicist")


@pytest.fixture
async def uses(database_url, tmp_path):
    settings = GatewaySettings(state_dir=tmp_path / "state", database_url=database_url, _env_file=None)
    prepare(settings)
    async with open_database(settings) as database:
        await organisation_of(Accounts(database.sessions), settings, "Clinic B")
        yield ModelUses(database.sessions)


async def promoted(uses, version, shipped=False):
    await uses.set_shadow("staging", version, 0.2, RAO)
    return await uses.promote("staging", version, shipped, Signer("A. Rao", "physicist", "better on our films"))


async def test_back_goes_down_the_versions_one_by_one(uses):
    assert [(await promoted(uses, version)).previous for version in ("a", "b")] == [None, "a"]
    steps = [await uses.back("staging", RAO) for _ in range(2)]
    assert [(step.serving, step.previous) for step in steps] == [("a", None), (None, None)]
    with pytest.raises(Conflict, match="No version of staging was promoted"):
        await uses.back("staging", RAO)
    newest = (await uses.changes("staging"))[2]
    assert (newest.serving, newest.reason, newest.role) == ("b", "better on our films", "physicist")
    assert (await uses.all())["imaging"].serving is None


async def test_back_passes_each_version_once(uses):
    for version in ("a", "b", "a"):
        await promoted(uses, version)
    assert [(await uses.back("staging", RAO)).serving for _ in range(2)] == ["b", None]
    with pytest.raises(Conflict):
        await uses.before("staging")


async def test_the_version_of_the_settings_serves_by_no_name_so_that_an_upgrade_brings_the_next(uses):
    await promoted(uses, "a")
    assert (await promoted(uses, "0.4.0", shipped=True)).serving is None
    assert await uses.before("staging") == "a"
    assert (await uses.back("staging", RAO)).serving == "a"
    assert (await uses.back("staging", RAO)).serving is None


async def test_only_what_is_in_the_shadow_is_promoted_and_only_that_is_ended(uses):
    with pytest.raises(Conflict, match="not in the shadow"):
        await uses.promote("staging", "a", False, RAO)
    with pytest.raises(Conflict, match="No version of staging is in the shadow"):
        await uses.set_shadow("staging", None, None, RAO)
    await uses.set_shadow("staging", "a", 0.2, RAO)
    with pytest.raises(Conflict, match="not in the shadow"):
        await uses.promote("staging", "b", False, RAO)
    assert (await uses.set_shadow("staging", None, None, RAO)).shadow is None


async def test_every_organisation_has_one_line_of_each_change(uses):
    await promoted(uses, "a")
    await uses.back("staging", RAO)
    async with uses._sessions() as session:
        lines = (await session.scalars(select(AuditRow).where(AuditRow.subject == "staging:a"))).all()
    actions = ["model in the shadow", "model promoted", "model taken back"]
    by_organisation = {line.organisation_id: [] for line in lines}
    for line in sorted(lines, key=lambda line: line.sequence):
        by_organisation[line.organisation_id].append(line.action)
    assert len(by_organisation) >= 2
    assert all(found == actions for found in by_organisation.values())
