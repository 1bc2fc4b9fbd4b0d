"""What is kept of a radiograph, for how long, and what a patient's own account sees."""

import base64
import datetime as dt
import sqlite3
from contextlib import asynccontextmanager
from dataclasses import fields

import cv2
import httpx
import numpy as np
import pytest
from sqlalchemy import update

from gateway.assessing.services import Services
from gateway.embedded import in_process
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import RenderingRow
from gateway.records.retention import Retention
from shared.contracts.findings import Rendering
from tests.conftest import open_gateway, shared_services
from tests.integration.people import administrator_of, invited, system_of

# T-score and fracture make the rules name drug classes.
RECORD = '{"age": 71, "gender": "female", "t_scores": [{"site": "femoral_neck", "value": -2.9}]}'
PNG = b"\x89PNG\r\n\x1a\n"


class OneMap(Services):
    """Staging gives a heat map, imaging gives none, whatever the models do."""

    async def classify(self, image, pictures):
        answer, handed_on = await super().classify(image, pictures)
        return answer.model_copy(update={"heatmap": None}), handed_on

    async def stage(self, handed_on, pictures):
        return (await super().stage(handed_on, pictures)).model_copy(update={"heatmap": Rendering.of(PNG + b"staging")})


def one_map(secret):
    @asynccontextmanager
    async def start():
        async with shared_services()() as services:
            yield OneMap(**{field.name: getattr(services, field.name) for field in fields(Services)})

    return start


@pytest.fixture
async def keeping(settings):
    kept = settings.model_copy(update={"store_renderings": True})
    async with open_gateway(kept, one_map(kept.internal_key())) as client:
        yield client


async def made(client, image=None, **fields):
    files = {"clinical": (None, RECORD), **{name: (None, value) for name, value in fields.items()}}
    if image:
        files["image"] = ("knee.jpg", image)
    answer = await client.post("/v1/assessments", files=files)
    assert answer.status_code == 201, answer.text
    return answer.json()


def png(picture):
    return base64.b64decode(picture["png_base64"])


async def reason(client, address):
    answer = await client.get(address)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    return answer.json()["reason"]


async def test_pictures_are_kept_where_the_site_says_so(keeping, knee_jpeg):
    address = f"/v1/assessments/{(await made(keeping, knee_jpeg))['id']}"
    preview, heat = await keeping.get(f"{address}/preview.png"), await keeping.get(f"{address}/heatmap.png")
    assert preview.content.startswith(PNG)
    assert (heat.content, heat.headers["content-type"]) == (PNG + b"staging", "image/png")
    assert heat.headers["cache-control"] == "no-store"
    assert (await keeping.get(f"{address}/heatmap.png", params={"of": "staging"})).content == heat.content
    assert await reason(keeping, f"{address}/heatmap.png?of=imaging") == "no_heat_map"


async def test_without_a_radiograph_there_is_no_picture(keeping):
    assert await reason(keeping, f"/v1/assessments/{(await made(keeping))['id']}/heatmap.png") == "no_radiograph"


async def test_pictures_come_with_the_answer_where_they_are_asked_for_and_are_not_stored(shared_api, knee_jpeg):
    asked = {"files": {"image": ("knee.jpg", knee_jpeg)}, "headers": {"Idempotency-Key": "with-pictures"}}
    answer = await shared_api.post("/v1/assessments?pictures=true", **asked)
    pictures = answer.json()["pictures"]
    assert set(pictures) == {"preview", "imaging", "staging"}
    sizes = {
        cv2.imdecode(np.frombuffer(png(picture), np.uint8), cv2.IMREAD_COLOR).shape for picture in pictures.values()
    }
    assert len(sizes) == 1
    assert len({picture["png_base64"] for picture in pictures.values()}) == 3
    address = f"/v1/assessments/{answer.json()['id']}"
    assert (await shared_api.get(f"{address}/preview.png")).status_code == 404
    stored = (await shared_api.get(address)).json()
    assert {**stored, "pictures": pictures} == answer.json()
    assert (await shared_api.post("/v1/assessments?pictures=true", **asked)).json() == stored


async def test_by_default_nothing_is_kept(shared_api, knee_jpeg):
    address = f"/v1/assessments/{(await made(shared_api, knee_jpeg))['id']}"
    answer = await shared_api.get(f"{address}/heatmap.png")
    assert answer.json()["reason"] == "not_kept"
    assert "TRABECULA_STORE_RENDERINGS" in answer.json()["detail"]


async def test_pictures_expire_and_are_deleted(keeping, settings, knee_jpeg):
    address = f"/v1/assessments/{(await made(keeping, knee_jpeg))['id']}"
    database = database_of(settings)
    retention = Retention(database.sessions, 90, 730)
    assert await retention.delete_expired() == 0
    async with database.sessions.begin() as session:
        await session.execute(update(RenderingRow).values(expires_at=now() - dt.timedelta(seconds=1)))
    assert (await keeping.get(f"{address}/preview.png")).status_code == 404
    assert await retention.delete_expired() == 2
    await database.close()
    assert (await keeping.get(address)).status_code == 200


async def test_nothing_of_a_patient_is_readable_in_the_file(keeping, settings, knee_jpeg):
    await made(keeping, knee_jpeg, patient_number="MRN-7")
    with sqlite3.connect(settings.state_dir / "trabecula.db") as connection:
        stored = b"".join(
            value if isinstance(value, bytes) else str(value).encode()
            for table in ("assessments", "renderings") for row in connection.execute(f"SELECT * FROM {table}")  # noqa: S608
            for value in row
        )  # fmt: skip
    for word in (b"femoral_neck", b"female", PNG, b"MRN-7"):
        assert word not in stored


@pytest.fixture
async def patient(keeping, settings):
    """A client signed in as the patient MRN-1, who was invited by the hospital."""
    async with await administrator_of(settings, keeping, "root@clinic.example") as admin:
        body = {"email": "p@home.example", "role": "patient", "patient_number": "MRN-1"}
        client = await invited(admin, keeping, **body)
    async with client:
        yield client


def kinds(assessment):
    return {item["kind"] for item in assessment["recommendation"]["items"]}


async def test_a_patient_sees_the_own_records_and_medication_once_released(keeping, settings, patient, knee_jpeg):
    own = await made(keeping, knee_jpeg, patient_number="MRN-1")
    other = await made(keeping, patient_number="MRN-2")
    assert "medication" in kinds(own)
    address = f"/v1/assessments/{own['id']}"
    seen = (await patient.get(address)).json()
    assert "medication" not in kinds(seen)
    assert kinds(seen) == kinds(own) - {"medication"}
    assert seen["recommendation"]["letter"] is None
    assert [assessment["id"] for assessment in (await patient.get("/v1/assessments")).json()["items"]] == [own["id"]]
    assert "medication" not in kinds((await patient.get("/v1/assessments")).json()["items"][0])
    for hidden in ("", "/preview.png", "/heatmap.png"):
        assert (await patient.get(f"/v1/assessments/{other['id']}{hidden}")).status_code == 404
    assert (await patient.get(f"{address}/preview.png")).status_code == 200

    assert (await patient.post(f"{address}/release")).status_code == 403
    assert (await keeping.post(f"{address}/release")).status_code == 403  # whoever may only send and read cases
    for scopes in ("patients:write", "assessments:read assessments:write"):
        async with await system_of(settings, keeping, scopes) as system:
            assert (await system.post(f"{address}/release")).status_code == 403
    async with await system_of(settings, keeping, "patients:write assessments:read") as clinic:
        released = (await clinic.post(f"{address}/release")).json()
        assert released["released_at"]
        assert (await clinic.post(f"{address}/release")).json() == released
    seen = (await patient.get(address)).json()
    assert kinds(seen) == kinds(own)
    assert seen["recommendation"]["letter"] is None
    assert [item["text"] for item in seen["recommendation"]["items"]] == [
        item["patient_text"] for item in released["recommendation"]["items"]
    ]


async def test_a_patient_sends_cases_of_their_own_only(patient):
    own = await made(patient)
    assert "medication" not in kinds(own)
    assert (await made(patient, patient_number="MRN-1"))["patient_number"] == "MRN-1"
    foreign = {"clinical": (None, RECORD), "patient_number": (None, "MRN-2")}
    assert (await patient.post("/v1/assessments", files=foreign)).status_code == 403
    assert len((await patient.get("/v1/assessments")).json()["items"]) == 2


async def test_a_site_may_release_at_once(settings, keeping, patient, knee_jpeg):
    from gateway.app import create_app

    open_site = settings.model_copy(update={"release_medication": "at_once"})
    own = await made(keeping, patient_number="MRN-1")
    app = create_app(open_site, in_process(open_site.internal_key()))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://g", headers=patient.headers) as client:
            assert "medication" in kinds((await client.get(f"/v1/assessments/{own['id']}")).json())
