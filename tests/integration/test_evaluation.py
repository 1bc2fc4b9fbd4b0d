"""A site's evaluation on phantoms, by the real services: films and stored assessments, and nothing is left behind."""

import sqlite3

import httpx
import pytest

from gateway.evaluation.estimates import Bootstrap
from gateway.evaluation.evaluate import checked_table, evaluate_table
from gateway.evaluation.stored import check_versions, stored_readings
from gateway.settings import GatewaySettings
from shared.contracts.models import ModelCard
from shared.contracts.policy import ClinicPolicy
from shared.problems import InvalidInput
from shared.radiograph.phantom import as_jpeg, knee, lumbar_spine
from tests.conftest import open_gateway, shared_services
from tests.integration.people import administrator_of, invited

KNEES = 10
SIZE = (700, 550)


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """A dozen films: knees, a spine, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("site")
    lines = ["file,patient,kl_grade,reader2_kl_grade,osteoporosis,sex"]
    for number in range(KNEES):
        (folder / f"{number}.jpg").write_bytes(as_jpeg(knee(bone_density=0.6 + 0.04 * number, size=SIZE, seed=number)))
        lines.append(f"{number}.jpg,P{number},{number % 3},{(number + 1) % 3},{'yes' if number < 4 else 'no'},female")
    (folder / "spine.jpg").write_bytes(as_jpeg(lumbar_spine(size=SIZE)))
    (folder / "broken.jpg").write_bytes(b"no picture")
    lines += ["spine.jpg,P20,,,no,male", "broken.jpg,P21,1,,,male"]
    path = folder / "truth.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


async def evaluated(path, seed=0):
    async with shared_services()() as services:
        return await evaluate_table(checked_table(path), services, ClinicPolicy(), True, Bootstrap(100, seed))


@pytest.mark.slow
async def test_every_line_is_accounted_for_and_the_seed_decides_the_rest(truth):
    first, again = await evaluated(truth), await evaluated(truth)
    found = first.evaluation
    knees = found.knees.outcomes
    assert (found.lines, found.films, found.patients) == (KNEES + 2, KNEES + 2, KNEES + 2)
    assert knees.lines == KNEES + 1
    assert knees.answered + knees.refused + sum(knees.not_answered.values()) == KNEES + 1
    assert knees.answered == KNEES, knees
    assert sum(map(sum, found.knees.confusion_rows_truth)) == KNEES
    bones = {bone.anatomy: bone.outcomes for bone in found.bones}
    assert bones["knee"].lines == KNEES
    assert bones["knee"].answered + sum(bones["knee"].not_answered.values()) == KNEES
    assert found.knees.readers[0].knees == KNEES
    worst = [*found.knees.worst, *(case for bone in found.bones for case in bone.worst)]
    assert set(first.thumbnails) == {case.line for case in worst} != set()
    assert all(picture.startswith(b"\xff\xd8") for picture in first.thumbnails.values())
    same = again.evaluation.model_copy(update={"made_at": found.made_at})
    assert same == found, "the same table, services and seed give the same figures"


async def test_a_stored_assessment_counts_as_it_was_answered(settings: GatewaySettings, tmp_path, knee_jpeg):
    path = tmp_path / "truth.csv"
    async with open_gateway(settings, shared_services()) as client:
        made = await assess(client, knee_jpeg, "MRN-1")
        path.write_text(f"assessment,patient,kl_grade\n{made['id']},P1,2\n")
        before = rows_of(settings)
        table = checked_table(path)
        stored = await stored_readings(settings, path, table.rows, None)
        async with shared_services()() as services:
            report = await evaluate_table(table, services, ClinicPolicy(), True, Bootstrap(100, 0), stored)
            cards = [*await services.cards(services.staging), *await services.cards(services.imaging)]
    grade = made["staging"]["knees"][0]["stage"]
    assert report.evaluation.knees.confusion_rows_truth[2][grade] == 1
    assert rows_of(settings) == before, "no assessment is made of it"
    assert "MRN-1" not in report.evaluation.model_dump_json()
    assert ("operator", "assessment read", made["id"]) in audit_of(settings)
    older = [ModelCard.model_validate({**card.model_dump(), "version": "0.0.1"}) for card in cards]
    with pytest.raises(InvalidInput, match="which is not installed any more"):
        check_versions(stored, older)


async def test_what_cannot_be_used_is_named_line_by_line(settings: GatewaySettings, tmp_path, knee_jpeg):
    path = tmp_path / "truth.csv"
    async with open_gateway(settings, shared_services()) as client:
        closed = await assess(client, knee_jpeg, "MRN-VIP")
        record = await client.post("/v1/assessments", files={"clinical": (None, '{"age": 67, "gender": "female"}')})
        admin = await administrator_of(settings, client, "chief@example.org")
        clinician = await invited(admin, client, "doctor@example.org", "clinician")
        assert (await clinician.put("/v1/patients/MRN-VIP/restriction")).status_code == 204
        missing = "0195f1c2-0000-7000-8000-000000000001"
        lines = [closed["id"], record.json()["id"], missing]
        path.write_text("\n".join(["assessment,patient,kl_grade", *(f"{line},P{line},1" for line in lines)]))
        with pytest.raises(InvalidInput) as caught:
            await stored_readings(settings, path, checked_table(path).rows, None)
    said = caught.value.detail
    assert "line 2: This patient's record is restricted" in said
    assert "has no reading of a film" in said
    assert f"line 4: There is no assessment {missing}." in said
    assert "MRN-VIP" not in said


async def assess(client: httpx.AsyncClient, image: bytes, number: str):
    answer = await client.post("/v1/assessments", files={"image": ("knee.jpg", image)}, data={"patient_number": number})
    assert answer.status_code == 201, answer.text
    return answer.json()


def rows_of(settings: GatewaySettings) -> tuple[int, int]:
    with sqlite3.connect(settings.state_dir / "trabecula.db") as database:
        counted = "SELECT (SELECT count(*) FROM assessments), (SELECT count(*) FROM patients)"
        return database.execute(counted).fetchone()


def audit_of(settings: GatewaySettings) -> list[tuple[str, str, str]]:
    with sqlite3.connect(settings.state_dir / "trabecula.db") as database:
        return database.execute("SELECT actor, action, subject FROM audit").fetchall()
