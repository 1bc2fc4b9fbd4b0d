"""Cases are observed without whose they were; the first make the reference, and a change raises an alarm."""

import json
from functools import partial

import numpy as np
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from gateway.assessing import drift, drift_test
from gateway.assessing.administration import open_database
from gateway.platform.database.tables import ObservationRow
from gateway.settings import GatewaySettings
from shared.radiograph.phantom import as_jpeg, knee
from tests.e2e.conftest import trabecula
from tests.integration.people import invited, system_of
from tests.integration.test_reviews import made

RECORD = '{"age": 71, "gender": "female", "weight_kg": 58}'
YOUNGER = '{"age": 34, "gender": "male", "weight_kg": 90, "height_cm": 180}'
FEW = 20


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("drift"),
        database_url=url,
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        assessments_per_minute=10_000,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def clinician(admin, api):
    async with await invited(admin, api, "doctor@clinic.example", "clinician") as person:
        yield person


@pytest.fixture(autouse=True)
def few_are_enough(monkeypatch):
    """The same with a reference of twenty and windows of ten: what is counted is the unit tests' affair."""
    monkeypatch.setattr(drift, "REFERENCE", FEW)
    monkeypatch.setattr(drift, "WINDOWS", (10,))


async def observations(settings):
    async with open_database(settings) as database, database.sessions() as session:
        return [row.content for row in await session.scalars(select(ObservationRow).order_by(ObservationRow.id))]


async def test_what_is_observed_names_nobody(clinician, settings, knee_jpeg):
    await made(clinician, RECORD, "D-SECRET", knee_jpeg)
    refused = await clinician.post(
        "/v1/assessments", files={"image": ("blank.jpg", as_jpeg(np.full((800, 600), 90, np.uint8)))}
    )
    assert refused.status_code == 422
    first, second = await observations(settings)
    assert {name: first[name] for name in ("sent", "format", "sex", "age", "missing_fields", "outcome", "anatomy")} == {
        "sent": "film and record", "format": "jpeg", "sex": "female", "age": "70s", "missing_fields": "6",
        "outcome": "read", "anatomy": "knee",
    }  # fmt: skip
    for feature in ("device", "size", "brightness", "contrast", "inverted", "grade", "distance", "risk_category"):
        assert first[feature]
    assert second == {"sent": "film", "outcome": f"refused: {refused.json()['reason']}"}
    everything = json.dumps([first, second])
    assert "D-SECRET" not in everything
    assert "71" not in everything


async def test_a_test_key_is_not_observed(api, clinician, settings, admin):
    before = len(await observations(settings))
    key = await admin.post(
        "/v1/keys", json={"name": "trial", "scopes": ["assessments:write", "assessments:read"], "test": True}
    )
    assert key.status_code == 201, key.text
    tester = await system_of(settings, api, "assessments:write assessments:read")
    tester.headers["X-API-Key"] = key.json()["key"]
    await made(tester, RECORD)
    await tester.aclose()
    assert len(await observations(settings)) == before


async def test_the_first_cases_are_the_reference_and_a_change_is_noticed(clinician, admin, settings, api):
    while len(await observations(settings)) < FEW:
        await made(clinician, RECORD)
    view = (await clinician.get("/v1/drift")).json()
    assert (view["reference_cases"], view["cases_since"], view["features"]) == (FEW, 0, [])
    for _ in range(10):
        await made(clinician, RECORD)
    view = (await clinician.get("/v1/drift")).json()
    assert view["cases_since"] == 10
    assert not any(feature["alarm"] for feature in view["features"]), view["features"]
    for _ in range(10):
        await made(clinician, YOUNGER)
    view = (await clinician.get("/v1/drift")).json()
    changed = {feature["feature"]: feature for feature in view["features"] if feature["alarm"]}
    assert {"age", "sex"} <= set(changed)
    assert changed["age"]["now"] == {"30s": 1.0}
    metrics = drift.DriftMetrics()
    async with open_database(settings) as database:
        await metrics.look(drift.DriftUseCases(drift.Observations(database.sessions)))
    shown = {sample.labels["feature"]: sample.value for sample in metrics.alarm.collect()[0].samples}
    assert (shown["age"], shown["sent"]) == (1, 0)
    assert metrics.cases.collect()[0].samples[0].value == 20


def test_the_command_shows_it_and_begins_anew(settings):
    url = settings.database_url
    more = {"TRABECULA_DATABASE_URL": url.get_secret_value()} if url else {}
    run = partial(trabecula, "drift", state=settings.state_dir, **more)
    assert f"reference: {FEW} of {drift_test.REFERENCE} cases" in run().stdout
    done = run("--begin-anew", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reference_cases"] == 0


@pytest.mark.slow
async def test_figures_of_a_film_come_with_every_reading(clinician, settings):
    """A bright film and a dark one of the same knee are told apart by their tones."""
    before = len(await observations(settings))
    picture = knee(0.7, 5, (1400, 1000))
    await made(clinician, RECORD, None, as_jpeg(picture))
    await made(clinician, RECORD, None, as_jpeg((picture // 2).astype(picture.dtype)))
    bright, dark = (await observations(settings))[before:]
    assert bright["size"] == dark["size"] == "from 1200"
    assert bright["brightness"] != dark["brightness"]
