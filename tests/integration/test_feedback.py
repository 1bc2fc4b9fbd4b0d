"""What clinicians know better of an answer: given, read, counted by month, exported, and gone with the patient."""

import asyncio
import csv
import datetime as dt
import json
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from typer.testing import CliRunner

from gateway.assessing.administration import open_database
from gateway.cli.main import app
from gateway.evaluation.evaluate import checked_table
from gateway.evaluation.stored import stored_readings
from gateway.platform.database.tables import AssessmentFeedbackRow
from gateway.settings import GatewaySettings
from shared.clinic.density import DIAGNOSTIC_BONE_SITES
from shared.contracts.feedback import Dxa
from tests.integration.people import invited
from tests.integration.test_reviews import act, made

RECORD = '{"age": 71, "gender": "female"}'
DXA = {"kind": "dxa", "t_score": -2.7, "region": "total_hip", "date": "2026-11-01", "note": "read by Dr. Okonkwo"}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("feedback"),
        database_url=url,
        store_renderings=True,
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def clinician(admin, api):
    async with await invited(admin, api, "doctor@clinic.example", "clinician") as person:
        yield person


@pytest.fixture(scope="module")
async def second(admin, api):
    async with await invited(admin, api, "second@clinic.example", "clinician") as person:
        yield person


async def give(caller, identity, status=201, **body):
    answer = await caller.post(f"/v1/assessments/{identity}/feedback", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def agreed(caller, question, part):
    """The share of all months, and that of this one, which must say the same."""
    found = (await caller.get("/v1/feedback/agreement")).json()["questions"]
    rows = [row for one in found if one["question"] == question for row in one["overall"] if row["part"] == part]
    if not rows:
        return 0, 0
    [overall] = [row["agreement"] for row in rows]
    months = [row for one in found if one["question"] == question for row in one["months"]]
    month = f"{dt.datetime.now(dt.UTC):%Y-%m}"
    assert [row["agreement"] for row in months if (row["month"], row["part"]) == (month, part)] == [overall]
    assert overall["low"] < overall["share"] < overall["high"] or overall["share"] in (0, 1)
    return overall["agreed"], overall["of"]


def test_the_regions_are_those_that_define_osteoporosis():
    assert set(Dxa.model_json_schema()["properties"]["region"]["enum"]) == DIAGNOSTIC_BONE_SITES


async def test_feedback_changes_neither_the_answer_nor_the_review(clinician, knee_jpeg):
    first = await made(clinician, RECORD, "F-1", knee_jpeg)
    grade = first["staging"]["kl_grade"]
    given = await give(clinician, first["id"], kind="grade", kl_grade=grade, blind=True)
    assert given["answered"] == {"model": first["staging"]["model"], "kl_grade": grade, "osteoporosis": None}
    await give(clinician, first["id"], kind="mark", part="imaging", right=False, note="an implant")
    assert (await clinician.get(f"/v1/assessments/{first['id']}")).json() == first
    listed = (await clinician.get(f"/v1/assessments/{first['id']}/feedback")).json()["items"]
    assert [one["feedback"]["kind"] for one in listed] == ["grade", "mark"]
    assert listed[0] == given


async def test_the_newest_of_one_person_about_one_thing_counts(clinician, second, knee_jpeg):
    first = await made(clinician, RECORD, "F-2", knee_jpeg)
    before = await agreed(clinician, "marked_right", "clinical")
    await give(clinician, first["id"], kind="mark", part="clinical", right=False)
    await give(clinician, first["id"], kind="mark", part="clinical", right=True)
    await give(second, first["id"], kind="mark", part="clinical", right=False)
    assert await agreed(clinician, "marked_right", "clinical") == (before[0] + 1, before[1] + 2)
    grade, same = first["staging"]["kl_grade"], await agreed(clinician, "same_grade", "staging")
    near = await agreed(clinician, "grade_within_one", "staging")
    await give(clinician, first["id"], kind="grade", kl_grade=(grade + 1) % 5 if grade < 4 else 3)
    assert await agreed(clinician, "same_grade", "staging") == (same[0], same[1] + 1)
    assert await agreed(clinician, "grade_within_one", "staging") == (near[0] + 1, near[1] + 1)
    # What was withdrawn counts no more.
    await act(clinician, first["id"], "withdraw", reason="another patient's film")
    assert await agreed(clinician, "marked_right", "clinical") == before


async def test_what_was_not_answered_cannot_be_marked(clinician, admin):
    first = await made(clinician, RECORD)
    refused = await give(clinician, first["id"], 422, kind="mark", part="imaging", right=True)
    assert "no finding of imaging" in refused["detail"]
    await give(clinician, first["id"], 422, kind="grade", kl_grade=2)
    await give(clinician, first["id"], 422, kind="dxa", t_score=-25, region="total_hip", date="2026-11-01")
    assert (await give(clinician, first["id"], **DXA))["answered"] is None
    await give(admin, first["id"], 403, **DXA)


async def test_the_patient_takes_it_along_without_the_words_for_colleagues_and_it_is_erased(
    admin, api, clinician, settings
):
    first = await made(clinician, RECORD, "F-3")
    await give(clinician, first["id"], **DXA)
    async with await invited(admin, api, "f3@home.example", "patient", patient_number="F-3") as patient:
        exported = (await patient.get("/v1/patients/F-3/export")).json()
        assert (await patient.get(f"/v1/assessments/{first['id']}/feedback")).status_code == 403
    [mine] = exported["feedback"]
    assert (mine["by"], mine["feedback"]["t_score"], mine["feedback"]["note"]) == ("clinician", -2.7, None)
    [theirs] = (await clinician.get("/v1/patients/F-3/export")).json()["feedback"]
    assert theirs["feedback"]["note"] == DXA["note"]
    assert (await clinician.delete("/v1/patients/F-3")).status_code == 204

    async with open_database(settings) as database, database.sessions() as session:
        mine = AssessmentFeedbackRow.assessment_id == UUID(first["id"])
        count = select(func.count()).select_from(AssessmentFeedbackRow)
        assert await session.scalar(count.where(mine)) == 0
        contents = (await session.scalars(select(AssessmentFeedbackRow.content))).all()
    assert contents
    assert not any(b"implant" in content or b"kl_grade" in content for content in contents)


async def test_feedback_moves_with_the_record(admin, clinician):
    going, staying = await made(clinician, RECORD, "F-OLD"), await made(clinician, RECORD, "F-NEW")
    await give(clinician, going["id"], **DXA)
    body = {"retired": "F-OLD", "surviving": "F-NEW", "note": "Registered twice."}
    proposed = await clinician.post("/v1/patient-merges", json=body)
    assert proposed.status_code == 201, proposed.text
    merged = await admin.post(f"/v1/patient-merges/{proposed.json()['id']}/confirm")
    assert merged.status_code == 200, merged.text
    [moved] = (await clinician.get(f"/v1/assessments/{going['id']}/feedback")).json()["items"]
    assert moved["feedback"]["t_score"] == -2.7
    assert (await clinician.get(f"/v1/assessments/{staying['id']}/feedback")).json()["items"] == []


async def test_the_trail_tells_who_gave_feedback(admin, clinician):
    first = await made(clinician, RECORD)
    await give(clinician, first["id"], **DXA)
    lines = (await admin.get("/v1/audit", params={"subject": first["id"]})).json()["items"]
    assert "feedback given" in [line["action"] for line in lines]


async def test_an_export_is_read_by_evaluate_and_by_training(clinician, second, settings, knee_jpeg, tmp_path):
    first = await made(clinician, RECORD, "F-EXPORT", knee_jpeg)
    side = first["staging"]["knees"][0]["side"]
    of_side = {"side": side} if side != "unknown" else {}
    await give(clinician, first["id"], kind="grade", kl_grade=3, **of_side)
    await give(second, first["id"], kind="grade", kl_grade=2, blind=True, **of_side)
    await give(clinician, first["id"], **DXA)
    folder = tmp_path / "out"

    def run(*options):
        command = ["feedback", "export", str(folder), "--state-dir", str(settings.state_dir), "--json", *options]
        return CliRunner(env=_environment(settings)).invoke(app, command)

    done = await asyncio.to_thread(run, "--radiographs")
    assert done.exit_code == 0, done.output
    written = json.loads(done.stdout)
    assert (written["of_other_versions"], written["radiographs"]) == (0, 1)
    lines = rows_of(folder / "truth.csv")
    [line] = [line for line in lines if line["assessment"] == first["id"]]
    assert [line[name] for name in ("kl_grade", "reader2_kl_grade", "t_score", "t_score_region", "sex", "age")] == [
        "3", "2", "-2.7", "total_hip", "female", "71.0"
    ]  # fmt: skip
    assert "F-EXPORT" not in (folder / "truth.csv").read_text()
    table = checked_table(folder / "truth.csv")
    assert not table.notices
    readings = await stored_readings(settings, table.path, table.rows, None)
    assert len(readings) == len({row.film for row in table.rows})
    [picture] = rows_of(folder / "radiographs.csv")
    assert picture["patient"] == line["patient"]
    assert [picture[name] for name in ("file", "anatomy", "label", "t_score")] == [
        f"{first['id']}.png", "knee", "osteoporosis", "-2.7"
    ]  # fmt: skip
    assert (folder / picture["file"]).read_bytes().startswith(b"\x89PNG")
    # Grades that were given beside the software's can be left out; and nothing is written over.
    assert "not empty" in str((await asyncio.to_thread(run)).exception)
    folder = tmp_path / "blind"
    assert (await asyncio.to_thread(run, "--blind-only")).exit_code == 0
    [line] = [line for line in rows_of(folder / "truth.csv") if line["assessment"] == first["id"]]
    assert line["kl_grade"] == "2"


def rows_of(table):
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))


def _environment(settings):
    url = settings.database_url
    return {"TRABECULA_DATABASE_URL": url.get_secret_value()} if url else {}
