"""Many cases as one job: taken whole, worked on once each, resumed after a restart, on both databases."""

import asyncio
import datetime as dt
import json
from contextlib import asynccontextmanager
from dataclasses import fields, replace

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from gateway.assembly import create_context
from gateway.assessing.administration import prepare
from gateway.assessing.batch_signals import BatchSignals
from gateway.assessing.batch_worker import MOST_ATTEMPTS, BatchWorker
from gateway.assessing.services import Services
from gateway.assessing.workflow import Workflow
from gateway.embedded import in_process
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import BatchCaseRow
from gateway.platform.identity.scopes import Principal
from gateway.records.batch_queue import BatchQueue
from gateway.records.batches import Batch, BatchCase
from gateway.settings import GatewaySettings
from shared.client import ServiceClient, service_http
from shared.contracts.record import ClinicalRecord
from shared.contracts.risk import RiskRequest
from shared.problems import ServiceUnavailable
from tests.conftest import open_gateway, shared_services
from tests.integration.people import system_of
from tests.unit.shared.test_client import service_that_ends

RECORD = {"age": 67, "gender": "female"}
ENDED = {"done", "cancelled"}


def form(cases, images=()):
    parts = [("manifest", (None, json.dumps({"cases": cases})))]
    return parts + [("image", (name, data)) for name, data in images]


def records(count, **more):
    return [{"reference": f"case-{number}", "clinical": RECORD, **more} for number in range(count)]


async def followed(client, batch_id):
    """Every state that the stream tells, to the last one."""
    answer = await client.get(f"/v1/batches/{batch_id}/events", timeout=60)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: ")]


async def handed_in(client, cases, images=(), **headers):
    answer = await client.post("/v1/batches", files=form(cases, images), headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/batches/{answer.json()['id']}"
    return answer.json()


async def cases_of(client, batch_id):
    return (await client.get(f"/v1/batches/{batch_id}/cases")).json()["items"]


@pytest.fixture
def settings(tmp_path, database_url):
    return GatewaySettings(state_dir=tmp_path, database_url=SecretStr(database_url), _env_file=None)


@pytest.fixture
async def clinic(settings):
    async with open_gateway(settings, shared_services()) as client:
        yield client


async def test_a_batch_with_images_and_records(clinic, knee_jpeg):
    cases = [
        {"reference": "a", "patient_number": "MRN-1", "clinical": RECORD, "image": "a.jpg"},
        {"reference": "b", "patient_number": "MRN-1", "clinical": RECORD},
        {"reference": "c", "image": "c.jpg"},
    ]
    batch = await handed_in(clinic, cases, [("a.jpg", knee_jpeg), ("c.jpg", b"\xff\xd8\xffno picture")])
    assert (batch["status"], batch["total"]) == ("working", 3)
    states = await followed(clinic, batch["id"])
    assert (states[-1]["status"], states[-1]["done"], states[-1]["failed"]) == ("done", 2, 1)
    assert (await clinic.get(f"/v1/batches/{batch['id']}")).json() == states[-1]
    a, b, c = await cases_of(clinic, batch["id"])
    assert [item["reference"] for item in (a, b, c)] == ["a", "b", "c"]
    assert c["problem"]["type"] == "urn:trabecula:problem:unreadable-image"
    first = (await clinic.get(f"/v1/assessments/{a['assessment_id']}")).json()
    assert first["status"] == "complete"
    assert first["staging"]
    listed = (await clinic.get("/v1/assessments", params={"patient_number": "MRN-1"})).json()["items"]
    assert {item["id"] for item in listed} == {a["assessment_id"], b["assessment_id"]}
    assert (await clinic.get("/v1/batches")).json()["items"] == [states[-1]]


async def test_what_was_handed_in_is_sealed_and_deleted_when_done(settings, clinic, knee_jpeg):
    batch = await handed_in(clinic, [{"reference": "a", "image": "a.jpg"}, *records(1)], [("a.jpg", knee_jpeg)])
    await followed(clinic, batch["id"])
    database = database_of(settings)
    async with database.sessions() as session:
        rows = (await session.scalars(select(BatchCaseRow))).all()
    await database.close()
    assert [(row.image, row.record) for row in rows] == [(None, None)] * 2


async def test_the_same_key_gives_the_same_batch(clinic):
    headers = {"Idempotency-Key": "monday"}
    made = await asyncio.gather(*(handed_in(clinic, records(2), **headers) for _ in range(3)))
    assert len({item["id"] for item in made}) == 1
    other = await clinic.post("/v1/batches", files=form(records(3)), headers=headers)
    assert other.status_code == 409
    await followed(clinic, made[0]["id"])
    assert len((await clinic.get("/v1/assessments")).json()["items"]) == 2


async def test_pages_of_cases_and_batches(clinic):
    batch = await handed_in(clinic, records(5))
    seen, after = [], None
    while True:
        query = {"limit": 2, **({} if after is None else {"after": after})}
        page = (await clinic.get(f"/v1/batches/{batch['id']}/cases", params=query)).json()
        seen += [item["reference"] for item in page["items"]]
        if (after := page["next"]) is None:
            break
    assert seen == [f"case-{number}" for number in range(5)]


BAD = {
    "no manifest": ([("image", ("a.jpg", b"x"))], "manifest"),
    "not JSON": ([("manifest", (None, "{"))], "manifest"),
    "no cases": (form([]), "manifest.cases"),
    "an unknown field": (form(records(1, shoe_size=3)), "shoe_size"),
    "a reference twice": (form(records(1) * 2), "case-0"),
    "a bad record": (form([*records(1), {"reference": "b", "clinical": {"age": -1, "gender": "female"}}]), "cases.1."),
    "neither": (form([{"reference": "a"}]), "cases.0"),
    "an unknown model": (form(records(1, clinical_model="crystal_ball")), "crystal_ball"),
    "an image that was not sent": (form([{"reference": "a", "image": "a.jpg"}]), "a.jpg"),
    "an image that is not named": (form(records(1), [("b.jpg", b"x")]), "b.jpg"),
    "an image twice": (form([{"reference": "a", "image": "a.jpg"}], [("a.jpg", b"x")] * 2), "a.jpg"),
    "a patient id that does not print": (form(records(1, patient_number="a\u0007")), "patient_number"),
    "another part": ([*form(records(1)), ("clinical", (None, "{}"))], "clinical"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_batch_is_taken_whole_or_not_at_all(shared_api, name):
    parts, word = BAD[name]
    before = (await shared_api.get("/v1/batches")).json()
    answer = await shared_api.post("/v1/batches", files=parts)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in answer.text
    assert (await shared_api.get("/v1/batches")).json() == before


async def test_another_organisation_sees_none_of_it(settings, clinic):
    batch = await handed_in(clinic, records(1))
    scopes = "assessments:read assessments:write"
    async with await system_of(settings, clinic, scopes, "Another clinic") as stranger:
        for path in ("", "/cases", "/events"):
            assert (await stranger.get(f"/v1/batches/{batch['id']}{path}")).status_code == 404
        assert (await stranger.post(f"/v1/batches/{batch['id']}/cancel")).status_code == 404
        assert (await stranger.get("/v1/batches")).json()["items"] == []


class Door(httpx.AsyncBaseTransport):
    """Calls wait here until it opens, and then go on to the real service."""

    def __init__(self, service):
        self.service, self.arrived, self.opened = service, asyncio.Event(), asyncio.Event()

    async def handle_async_request(self, request):
        self.arrived.set()
        await self.opened.wait()
        return await self.service.send(request)


def behind(door_of, secret):
    """The services, the clinical one behind a door that `door_of` is given."""

    @asynccontextmanager
    async def start():
        async with in_process(secret)() as services:
            door = Door(services.clinical._http)
            door_of.append(door)
            async with service_http("http://clinical", door) as http:
                yield services.with_client(ServiceClient("clinical", http, secret))

    return start


async def test_a_cancelled_batch_finishes_what_is_begun_and_begins_no_more(settings):
    doors = []
    async with open_gateway(settings, behind(doors, settings.internal_key())) as client:
        batch = await handed_in(client, records(4))
        await doors[0].arrived.wait()
        cancelled = (await client.post(f"/v1/batches/{batch['id']}/cancel")).json()
        assert (cancelled["working"], cancelled["cancelled"], cancelled["status"]) == (1, 3, "working")
        doors[0].opened.set()
        last = (await followed(client, batch["id"]))[-1]
        assert (last["status"], last["done"], last["cancelled"]) == ("cancelled", 1, 3)
        assert (await client.post(f"/v1/batches/{batch['id']}/cancel")).json() == last


async def test_a_restart_goes_on_where_it_was(settings):
    """The first gateway stops with a case in its hands; the second one finishes the batch, each case once."""
    doors, secret = [], settings.internal_key()
    async with open_gateway(settings, behind(doors, secret)) as client:
        batch = await handed_in(client, records(3))
        await doors[0].arrived.wait()
    async with open_gateway(settings, in_process(secret)) as client:
        last = (await followed(client, batch["id"]))[-1]
        assert (last["status"], last["done"]) == ("done", 3)
        assert len((await client.get("/v1/assessments")).json()["items"]) == 3


@pytest.fixture
async def ctx(settings):
    """What the gateway works with, without its background work."""
    prepare(settings)
    database = database_of(settings)
    async with shared_services()() as services:
        yield create_context(settings, database, database, services, BatchSignals())
    await database.close()


async def no_image():
    return None


async def queued(ctx, count):
    who = Principal("key:1", await ctx.accounts.accounts.first_organisation("x"), frozenset(), "system")
    risk = RiskRequest(record=ClinicalRecord(**RECORD))
    cases = [BatchCase(f"c{number}", None, risk, no_image) for number in range(count)]
    return (await ctx.batches.submit(Batch(cases), who, None))[0].id, who


async def test_a_case_is_claimed_once_and_again_when_its_lease_ran_out(ctx):
    await queued(ctx, 3)
    queue = BatchQueue(ctx.database.sessions, ctx.assessments.patients)
    claims = await asyncio.gather(*(queue.claim() for _ in range(6)))
    taken = [claim for claim in claims if claim]
    assert len({claim.id for claim in taken}) == len(taken) == 3
    assert await queue.claim() is None
    async with ctx.database.sessions.begin() as session:
        gone = update(BatchCaseRow).where(BatchCaseRow.id == taken[0].id)
        await session.execute(gone.values(leased_until=now() - dt.timedelta(seconds=1)))
    again = await queue.claim()
    assert (again.id, again.attempts) == (taken[0].id, 2)
    # The first holder comes back late: its word counts no more.
    await queue.end(taken[0], problem={"type": "late"})
    async with ctx.database.sessions() as session:
        row = (await session.scalars(select(BatchCaseRow).where(BatchCaseRow.id == again.id))).one()
    assert (row.state, row.problem_encrypted) == ("working", None)


class NobodyThere(Services):
    async def risk(self, request):
        raise ServiceUnavailable("The clinical service does not answer.")


async def test_a_case_that_lacks_a_service_is_tried_again_before_its_partial_assessment_stands(ctx):
    services = NobodyThere(**{field.name: getattr(ctx.services, field.name) for field in fields(Services)})
    broken = replace(ctx.assessments, workflow=Workflow(services, 1))
    queue = BatchQueue(ctx.database.sessions, ctx.assessments.patients)
    worker = BatchWorker(queue, BatchSignals(), broken)
    batch_id, who = await queued(ctx, 1)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        async with ctx.database.sessions.begin() as session:
            await session.execute(update(BatchCaseRow).values(not_before=now() - dt.timedelta(seconds=1)))
        claim = await queue.claim()
        assert claim.attempts == attempt
        await worker.work_on(claim)
    case = (await ctx.batches.cases(batch_id, who, 1, None)).items[0]
    assert case.state == "done"
    assert (await ctx.assessments.get(case.assessment_id, who)).assessment.status == "partial"


async def worked_through(ctx, worker, queue, most=10):
    """Work on the one case until it has ended; the number of attempts."""
    for attempt in range(1, most):
        async with ctx.database.sessions.begin() as session:
            await session.execute(update(BatchCaseRow).values(not_before=now() - dt.timedelta(seconds=1)))
        claim = await queue.claim()
        if claim is None:
            return attempt - 1
        await worker.work_on(claim)
    pytest.fail("the case does not end")


async def test_a_case_whose_image_ends_a_service_twice_is_failed(ctx, knee_jpeg):
    queue = BatchQueue(ctx.database.sessions, ctx.assessments.patients)

    async def image():
        return knee_jpeg

    who = Principal("key:1", await ctx.accounts.accounts.first_organisation("x"), frozenset(), "system")
    risk = RiskRequest(record=ClinicalRecord(**RECORD))
    batch_id = (await ctx.batches.submit(Batch([BatchCase("poison", None, risk, image)]), who, None))[0].id
    # First nobody is there, which is no fault of the image's; then a service that ends whenever it has read it.
    with service_that_ends(len(knee_jpeg)) as (url, read):
        for address, attempts in (("http://127.0.0.1:9", 1), (url, None)):
            async with service_http(address) as http:
                services = ctx.services.with_client(ServiceClient("imaging", http, "0" * 48))
                worker = BatchWorker(queue, BatchSignals(), replace(ctx.assessments, workflow=Workflow(services, 1)))
                if attempts:
                    await worker.work_on(await queue.claim())
                else:
                    assert await worked_through(ctx, worker, queue) == 2
    assert len(read) == 2
    case = (await ctx.batches.cases(batch_id, who, 1, None)).items[0]
    assert (case.state, case.problem["type"]) == ("failed", "urn:trabecula:problem:service-unavailable")
    assert "each time it had this image" in case.problem["detail"]


async def test_a_case_at_which_the_gateway_itself_ends_is_given_up_in_the_end(ctx):
    queue = BatchQueue(ctx.database.sessions, ctx.assessments.patients)
    worker = BatchWorker(queue, BatchSignals(), ctx.assessments)
    batch_id, who = await queued(ctx, 1)
    for _ in range(MOST_ATTEMPTS):  # claimed, and the process is gone
        assert await queue.claim()
        async with ctx.database.sessions.begin() as session:
            await session.execute(update(BatchCaseRow).values(leased_until=now() - dt.timedelta(seconds=1)))
    await worker.work_on(await queue.claim())
    case = (await ctx.batches.cases(batch_id, who, 1, None)).items[0]
    assert (case.state, case.problem["detail"]) == ("failed", "The gateway ended at each attempt.")
