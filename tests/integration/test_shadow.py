"""A second version in the shadow: it reads a share of the cases, nobody sees it, and it is promoted and taken back."""

import asyncio
import json
import os
import shutil
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from gateway.assessing.administration import open_database
from gateway.assessing.case import Case
from gateway.assessing.model_use import FRESH_S, UseInForce
from gateway.assessing.model_versions import put_into_shadow
from gateway.assessing.services import Services
from gateway.assessing.shadow import CASES, MOST_HELD, MOST_WAITING, Shadows, is_of_share
from gateway.assessing.workflow import Findings
from gateway.cli.main import app as commands
from gateway.embedded import in_process
from gateway.platform.clock import today
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import ShadowAnswerRow
from gateway.records.model_use import ModelUse, ModelUses, Signer
from gateway.records.retention import Retention
from gateway.settings import GatewaySettings
from shared.problems import ServiceUnavailable, TrabeculaError
from tests.conftest import open_gateway
from tests.integration.people import browser_of, invited
from tests.integration.test_reviews import made
from tests.packages import signed_version
from tests.pdf import text_of

RECORD = '{"age": 71, "gender": "female"}'
NEXT = "9.1-on-trial"
BY = ("--name", "A. Rao", "--role", "physicist")


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Signed packages of both networks; the environment in which they are added and trusted."""
    folder = tmp_path_factory.mktemp("packages")
    key = folder / "key.pem"
    made = {name: signed_version(name, NEXT, folder, key) for name in ("staging", "imaging")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRABECULA_MODELS", str(folder / "models"))
        patch.setenv("TRABECULA_MODEL_SIGNERS", made["staging"][1])
        yield {name: package for name, (package, _) in made.items()}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("shadow"),
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def services(packages):
    async with in_process("0" * 48)() as started:
        yield started


@pytest.fixture(scope="module")
def source(services):
    @asynccontextmanager
    async def these():
        yield services

    return these


@pytest.fixture(scope="module")
async def api(settings, source):
    async with open_gateway(settings, source) as client:
        yield client


@pytest.fixture
def shadow(settings, source):
    """`trabecula model shadow`, asking the services that are started here; until every gateway knows of it."""

    async def put(service, version, share=1.0):
        made = await put_into_shadow(settings, source, service, version, share, Signer("A. Rao", "physicist"))
        await asyncio.sleep(FRESH_S)
        return made

    return put


@pytest.fixture(scope="module")
async def clinician(admin, api):
    async with await invited(admin, api, "doctor@clinic.example", "clinician") as person:
        yield person


@pytest.fixture
def run(settings, packages, monkeypatch):
    """A command of the operator's, in a thread: what it printed, as JSON, or the error that it ended with."""
    monkeypatch.setattr("shared.logs.configure_logging", lambda level: None)  # the log is the gateway's here
    environment = {"TRABECULA_STATE_DIR": str(settings.state_dir)}

    async def command(*arguments):
        runner = CliRunner(env=environment)
        done = await asyncio.to_thread(runner.invoke, commands, ["model", *map(str, arguments), "--json"])
        if isinstance(done.exception, TrabeculaError):
            raise done.exception
        assert done.exit_code == 0, done.output + repr(done.exception)
        # The gateway beside it may have logged a line meanwhile.
        return json.JSONDecoder().raw_decode(done.stdout, done.stdout.index("{\n"))[0]

    return command


async def shadow_answers(settings, assessment=None):
    async with open_database(settings) as database, database.sessions() as session:
        count = select(func.count()).select_from(ShadowAnswerRow)
        mine = ShadowAnswerRow.assessment_id == UUID(assessment) if assessment else ShadowAnswerRow.id.is_not(None)
        return await session.scalar(count.where(mine))


async def settled(api):
    await api._transport.app.state.context.assessments.shadows.rest()


async def test_a_version_goes_from_the_shadow_into_use_and_back(
    run, shadow, api, admin, clinician, settings, packages, knee_jpeg
):
    first = await made(clinician, RECORD, "S-1", knee_jpeg)
    base = first["staging"]["model"]["version"]
    added = await run("add", packages["staging"])
    assert (added["service"], added["version"], added["signer"]) == ("staging", NEXT, "physics")
    with pytest.raises(TrabeculaError, match=f"staging {base} serves"):
        await shadow("staging", base)
    with pytest.raises(TrabeculaError, match="no such package"):
        await shadow("staging", "9.2")
    with pytest.raises(TrabeculaError, match="not in the shadow"):
        await run("promote", "staging:" + NEXT, *BY)
    assert (await run("shadow", "staging:" + NEXT, "--share", 1, *BY))["shadow"] == NEXT
    await asyncio.sleep(FRESH_S)

    # Answered as before, and nobody sees that there was another answer.
    second = await made(clinician, RECORD, "S-1", knee_jpeg)
    await settled(api)
    assert await shadow_answers(settings, second["id"]) == 1
    assert second["staging"] == first["staging"]
    assert (await clinician.get(f"/v1/assessments/{second['id']}")).json() == second
    resource = f"/v1/assessments/{second['id']}"
    browser = await browser_of(api, "doctor@clinic.example")
    seen = [await clinician.get(f"{resource}{path}") for path in ("", "/fhir", "/feedback")]
    told = (await browser.get("/administration/models")).text
    seen += [await browser.get(f"/assessments/{second['id']}"), await clinician.get("/v1/patients/S-1/timeline")]
    sheet = await clinician.get(f"{resource}/report.pdf", params={"audience": "clinician"})
    await browser.aclose()
    assert {answer.status_code for answer in (*seen, sheet)} == {200}
    assert not any(NEXT in text for text in (*(answer.text for answer in seen), text_of(sheet.content)))
    assert await shadow_answers(settings, first["id"]) == 0, "what was answered before it began is not read again"
    [in_use] = (await clinician.get("/v1/models")).json()["in_use"]
    assert (in_use["serving"], in_use["shadow"], in_use["share"], in_use["name"]) == (None, NEXT, 1.0, "A. Rao")
    assert f"Version {NEXT} reads 100% of the cases in the shadow" in " ".join(told.split())
    graded = {"kind": "grade", "kl_grade": second["staging"]["kl_grade"]}
    assert (await clinician.post(f"/v1/assessments/{second['id']}/feedback", json=graded)).status_code == 201

    report = await run("report", "staging")
    assert (report["serving"], report["shadow"], report["cases"], report["left_out"]) == (base, NEXT, 1, 0)
    same = {one["title"]: one["estimate"]["value"] for one in report["agreement"]}
    assert same["The same grade"] == 1.0
    assert same["Answered by the one in the shadow"] == 1.0
    [truth] = report["truths"]
    assert (truth["source"], truth["cases"], truth["patients"]) == ("feedback", 1, 1)
    with pytest.raises(TrabeculaError, match=r"1 cases of the 100.*1 patients of the 50.*--reason"):
        await run("promote", "staging:" + NEXT, *BY)

    promoted = await run("promote", "staging:" + NEXT, *BY, "--reason", "a trial with drawn knees")
    await asyncio.sleep(FRESH_S)
    assert (promoted["serving"], promoted["shadow"], promoted["name"]) == (NEXT, None, "A. Rao")
    third = await made(clinician, RECORD, "S-1", knee_jpeg)
    assert third["staging"]["model"]["version"] == NEXT
    cards = (await clinician.get("/v1/models")).json()["models"]
    assert NEXT in {card["version"] for card in cards if card["service"] == "staging"}
    await settled(api)
    assert await shadow_answers(settings, third["id"]) == 0, "the shadow ended with the promotion"

    taken_back = await run("back", "staging", *BY)
    await asyncio.sleep(FRESH_S)
    assert taken_back["serving"] is None
    fourth = await made(clinician, RECORD, "S-1", knee_jpeg)
    assert fourth["staging"] == first["staging"]
    with pytest.raises(TrabeculaError, match="No version of staging was promoted"):
        await run("back", "staging", *BY)
    lines = (await admin.get("/v1/audit", params={"subject": "staging:" + NEXT})).json()["items"]
    assert sorted(line["action"] for line in lines) == ["model in the shadow", "model promoted", "model taken back"]
    shown = await run("show")
    assert shown["staging"]["packages"] == [NEXT]
    assert [change["reason"] for change in shown["staging"]["changes"]] == [None, "a trial with drawn knees", None]


async def test_imaging_runs_in_the_shadow_by_the_same_way(run, shadow, api, clinician, settings, packages, knee_jpeg):
    await run("add", packages["imaging"])
    await shadow("imaging", NEXT)
    answer = await made(clinician, RECORD, "S-2", knee_jpeg)
    await settled(api)
    assert await shadow_answers(settings, answer["id"]) == 1
    report = await run("report", "imaging")
    same = {one["title"]: one["estimate"]["value"] for one in report["agreement"]}
    assert same["The same part of the body"] == 1.0
    assert (await shadow("imaging", NEXT, 0)).shadow is None
    later = await made(clinician, RECORD, "S-2", knee_jpeg)
    await settled(api)
    assert await shadow_answers(settings, later["id"]) == 0


async def test_what_a_shadow_answered_is_exported_moves_and_is_erased_with_the_patient(
    shadow, api, admin, clinician, settings, knee_jpeg
):
    await shadow("staging", NEXT)
    going = await made(clinician, RECORD, "S-OLD", knee_jpeg)
    await made(clinician, RECORD, "S-NEW")
    await settled(api)
    body = {"retired": "S-OLD", "surviving": "S-NEW", "note": "Registered twice."}
    proposed = (await clinician.post("/v1/patient-merges", json=body)).json()
    assert (await admin.post(f"/v1/patient-merges/{proposed['id']}/confirm")).status_code == 200
    [mine] = (await clinician.get("/v1/patients/S-NEW/export")).json()["shadow_answers"]
    assert (mine["assessment_id"], mine["service"], mine["version"]) == (going["id"], "staging", NEXT)
    assert mine["answer"]["staging"]["knees"][0]["stage"] == going["staging"]["knees"][0]["stage"]
    async with open_database(settings) as database, database.sessions() as session:
        contents = (await session.scalars(select(ShadowAnswerRow.content))).all()
    assert not any(b"stage" in content for content in contents)
    assert (await clinician.delete("/v1/patients/S-NEW")).status_code == 204
    assert await shadow_answers(settings, going["id"]) == 0
    kept = await made(clinician, RECORD, "S-KEPT", knee_jpeg)
    await settled(api)
    async with open_database(settings) as database:
        for days, left in ((730, 1), (0, 0)):
            await Retention(database.sessions, 90, days).delete_expired()
            assert await shadow_answers(settings, kept["id"]) == left
    assert (await clinician.get(f"/v1/assessments/{kept['id']}")).status_code == 200
    await shadow("staging", NEXT, 0)


async def test_a_shadow_that_fails_breaks_nothing_and_is_counted(
    shadow, api, clinician, settings, knee_jpeg, monkeypatch
):
    await shadow("staging", NEXT)
    stage = Services.stage

    async def broken(self, handed_on, pictures, version=None):
        if version == NEXT:
            raise ServiceUnavailable("out of memory")
        return await stage(self, handed_on, pictures, version)

    monkeypatch.setattr(Services, "stage", broken)
    failed = CASES.labels("staging", "failed")._value.get()
    answer = await made(clinician, RECORD, "S-3", knee_jpeg)
    await settled(api)
    assert (answer["status"], answer["staging"] is not None) == ("complete", True)
    assert await shadow_answers(settings, answer["id"]) == 0
    assert CASES.labels("staging", "failed")._value.get() == failed + 1
    await shadow("staging", NEXT, 0)


async def test_a_package_that_is_gone_makes_answers_partial_and_back_mends_it(
    run, clinician, services, packages, knee_jpeg, settings
):
    async with open_database(settings) as database:
        uses = ModelUses(database.sessions)
        await uses.set_shadow("staging", "0.0.9", 1.0, Signer("A. Rao", "physicist"))
        await uses.promote("staging", "0.0.9", False, Signer("A. Rao", "physicist"))
    await asyncio.sleep(FRESH_S)
    answer = await made(clinician, RECORD, "S-4", knee_jpeg)
    assert (answer["status"], answer["staging"]) == ("partial", None)
    assert any("no such package" in warning["detail"] for warning in answer["warnings"])
    await run("back", "staging", *BY)
    await asyncio.sleep(FRESH_S)
    assert (await made(clinician, RECORD, "S-4", knee_jpeg))["status"] == "complete"


async def test_a_package_comes_in_whole_and_signed_or_not_at_all(run, packages, tmp_path):
    models = Path(os.environ["TRABECULA_MODELS"])
    with pytest.raises(TrabeculaError, match="there already"):
        await run("add", packages["staging"])
    bad = tmp_path / "bad"
    shutil.copytree(packages["staging"], bad)
    card = json.loads((bad / "card.json").read_text())
    (bad / "card.json").write_text(json.dumps({**card, "version": "9.3"}))
    with pytest.raises(TrabeculaError, match=rf"{bad}/card\.json is damaged"):
        await run("add", bad)
    (bad / "signature.json").unlink()
    with pytest.raises(TrabeculaError, match="is not signed"):
        await run("add", bad)
    assert sorted(path.name for path in (models / "staging").iterdir()) == [NEXT]


async def test_what_waits_is_bounded_and_the_rest_is_counted():
    """Nobody takes from the queue here: a case more, or a picture too many, is left out at once."""
    use = UseInForce(None)
    use.last = {"imaging": ModelUse("imaging", shadow=NEXT, share=1.0)}
    before = CASES.labels("imaging", "left_out")._value.get()
    for size, taken in ((MOST_HELD // 4, 4), (1, MOST_WAITING)):
        shadows = Shadows(use, None, None, None)
        for _ in range(MOST_WAITING + 2):
            shadows.offer(uuid7(), Case(b"x" * size, None, None), Findings(today()))
        assert shadows._waiting.qsize() == taken
    left_out = 2 * (MOST_WAITING + 2) - 4 - MOST_WAITING
    assert CASES.labels("imaging", "left_out")._value.get() == before + left_out


def test_the_share_is_by_lot():
    drawn = [uuid7() for _ in range(4000)]
    assert 700 < sum(is_of_share(one, 0.2) for one in drawn) < 900
    assert all(is_of_share(one, 1.0) for one in drawn)
    assert not any(is_of_share(one, 0.0) for one in drawn)
