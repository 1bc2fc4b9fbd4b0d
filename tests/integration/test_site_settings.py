"""A site's own settings: stored, signed and put in use by the operator, named by every answer, and taken back."""

import asyncio
import json

import pytest
from pydantic import SecretStr

from gateway.assessing.site_settings_versions import activate, back, settings_of, store_settings
from gateway.platform.clock import now
from gateway.settings import GatewaySettings
from shared.contracts.base import ModelReference
from shared.contracts.site_settings import GradeCalibration, Measured, OperatingPoint, SiteSettings
from shared.problems import Conflict, InvalidInput, NotFound
from shared.radiograph.phantom import as_jpeg, knee
from tests.e2e.conftest import trabecula
from tests.integration.people import browser_of, invited
from tests.integration.test_reviews import made
from tests.pdf import text_of

RECORD = '{"age": 71, "gender": "female"}'
FIGURE = Measured(value=0.9, low=0.8, high=0.95)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("site-settings"),
        database_url=url,
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def clinician(admin, api):
    async with await invited(admin, api, "doctor@clinic.example", "clinician") as person:
        yield person


def package(answer, version, shift=3.0, threshold=None):
    """Settings for the models that gave an answer: grades much higher, and the film called the other way."""
    imaging, staging = (ModelReference(**answer[part]["model"]) for part in ("imaging", "staging"))
    score = answer["imaging"]["bone"]["osteoporosis"]
    other_way = threshold or (score / 2 if answer["imaging"]["label"] == "normal" else (1 + score) / 2)
    return SiteSettings(
        version=version,
        made_at=now(),
        table_sha256="0" * 64,
        grades=GradeCalibration(
            model=staging, temperature=1.0, shift=shift, patients=100, knees=200, log_loss_before=1.0,
            log_loss_after=0.9, log_loss_difference=FIGURE,
        ),
        operating_points=[
            OperatingPoint(
                model=imaging, anatomy="knee", wanted_sensitivity=0.9, threshold=other_way, patients_with=50,
                patients_without=50, sensitivity=FIGURE, specificity=FIGURE,
            )
        ],
    )  # fmt: skip


async def test_every_answer_names_what_it_was_made_with_and_there_is_a_way_back(clinician, admin, settings, knee_jpeg):
    first = await made(clinician, RECORD, None, knee_jpeg)
    assert first["site_settings"] is None
    await store_settings(settings, package(first, "2026.11"), None)
    assert (await made(clinician, RECORD, None, knee_jpeg))["staging"] == first["staging"], "stored is not in use"
    await activate(settings, "2026.11", "A. Rao", "radiologist", None)
    second = await made(clinician, RECORD, None, knee_jpeg)
    assert second["site_settings"] == {"name": "site-settings", "version": "2026.11"}
    assert second["staging"]["kl_grade"] > first["staging"]["kl_grade"]
    if not first["imaging"]["indeterminate"]:
        assert second["imaging"]["label"] != first["imaging"]["label"]
    assert (second["imaging"]["bone"], second["staging"]["model"]) == (
        first["imaging"]["bone"],
        first["staging"]["model"],
    )
    sheet = await clinician.get(f"/v1/assessments/{second['id']}/report.pdf?audience=clinician")
    assert "site-settings 2026.11" in text_of(sheet.content)
    # A record alone has nothing that the settings change.
    assert (await made(clinician, RECORD))["site_settings"] is None
    await back(settings, None)
    third = await made(clinician, RECORD, None, knee_jpeg)
    assert (third["site_settings"], third["staging"], third["imaging"]) == (None, first["staging"], first["imaging"])
    lines = (await admin.get("/v1/audit", params={"subject": "2026.11"})).json()["items"]
    assert {line["action"] for line in lines} == {"site settings made", "site settings activated"}


async def test_back_goes_down_the_versions_one_by_one(clinician, settings, knee_jpeg):
    answer = await made(clinician, RECORD, None, knee_jpeg)
    for version in ("a", "b", "c"):
        await store_settings(settings, package(answer, version), None)
        await activate(settings, version, "A. Rao", "radiologist", None)
    steps = [await back(settings, None) for _ in range(3)]
    assert [(step.version, step.name) for step in steps] == [("b", "A. Rao"), ("a", "A. Rao"), (None, None)]
    with pytest.raises(Conflict):
        await back(settings, None)


async def test_a_version_is_never_written_over_and_must_be_there(clinician, settings, knee_jpeg):
    answer = await made(clinician, RECORD, None, knee_jpeg)
    await store_settings(settings, package(answer, "once"), None)
    with pytest.raises(Conflict):
        await store_settings(settings, package(answer, "once", shift=1.0), None)
    assert (await settings_of(settings, "once", None)).grades.shift == 3.0
    with pytest.raises(NotFound):
        await activate(settings, "never", "A. Rao", "radiologist", None)
    with pytest.raises(InvalidInput, match="--name"):
        await activate(settings, "once", " ", "radiologist", None)


async def test_settings_of_another_model_version_change_nothing(clinician, settings, knee_jpeg):
    answer = await made(clinician, RECORD, None, knee_jpeg)
    other = {
        part: {**answer[part], "model": {**answer[part]["model"], "version": "0.0.1"}}
        for part in ("imaging", "staging")
    }
    await store_settings(settings, package(other, "of-old-models"), None)
    await activate(settings, "of-old-models", "A. Rao", "radiologist", None)
    second = await made(clinician, RECORD, None, knee_jpeg)
    assert (second["site_settings"], second["staging"]) == (None, answer["staging"])
    await back(settings, None)


@pytest.mark.slow
async def test_the_commands_fit_show_activate_and_go_back(clinician, settings, tmp_path):
    (tmp_path / "a.jpg").write_bytes(as_jpeg(knee(0.7, 1, (700, 550))))
    table = tmp_path / "truth.csv"
    table.write_text("file,patient,kl_grade,osteoporosis\na.jpg,P1,2,yes\n")
    url = settings.database_url
    more = {"TRABECULA_DATABASE_URL": url.get_secret_value()} if url else {}

    async def run(*command):
        return await asyncio.to_thread(trabecula, "site-settings", *command, state=settings.state_dir, **more)

    fit = ["fit", str(table), "--version", "trial"]
    assert "Nothing is asked for" in (await run(*fit)).stderr
    # The other reasons for refusing one are the unit tests' affair: each run reads the films anew.
    assert "it takes 200" in (await run(*fit, "--prevalence", "table")).stderr
    shown = await run("show")
    assert "trial" not in shown.stdout, "what was refused is not stored"
    done = await run(*fit, "--prevalence", "0.2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["prevalence"] == {"value": 0.2, "basis": "named by the site"}
    done = await run("activate", "trial", "--name", "A. Rao", "--role", "radiologist")
    assert "A. Rao (radiologist) stands by them" in done.stdout, done.stderr
    answer = await made(clinician, RECORD, None, as_jpeg(knee(0.5, 4)))
    assert answer["imaging"]["indeterminate"] or answer["imaging"]["stand_alone"]["prevalence"] == 0.2
    assert "in use: trial" in (await run("show")).stdout
    assert "The networks answer as they are" in (await run("back")).stdout


async def test_the_page_says_what_is_in_use(clinician, admin, settings, knee_jpeg, api):
    answer = await made(clinician, RECORD, None, knee_jpeg)
    await store_settings(settings, package(answer, "for-the-page"), None)
    await activate(settings, "for-the-page", "A. Rao", "radiologist", None)
    browser = await browser_of(api, "root@clinic.example")
    text = (await browser.get("/administration/validation")).text
    await browser.aclose()
    assert "Version for-the-page is in use; A. Rao, radiologist, stands by it." in text
    await back(settings, None)
