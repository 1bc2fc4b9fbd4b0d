"""Webhooks over real TLS: signed, thin, tried again, never turned inward; and the feed that is their twin."""

import asyncio
import datetime as dt
import json

import anyio
import pytest
from sqlalchemy import select, update

from gateway.assessing.routing import add_destination
from gateway.assessing.routing_state import routing_dead, routing_status
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import DeliveryRow, EventRow, OrganisationRow
from gateway.records import events as records
from gateway.records.escalations import Escalations
from gateway.records.events import record_event
from gateway.records.model_versions import ModelVersions
from gateway.settings import GatewaySettings
from shared import outside
from tests.integration.people import invited, system_of
from tests.integration.receiver import receiving

RECORD = {"clinical": (None, '{"age": 67, "gender": "female", "weight_kg": 58}')}
# Of which a follow-up comes: the measured intervals hold for whoever is not treated.
FOLLOWED = {
    "age": 70, "gender": "female", "menopausal_status": "postmenopausal", "medications": [], "prior_fractures": False,
    "t_scores": [{"site": "total_hip", "value": -2.2, "date": "2026-05-01"}],
}  # fmt: skip
ALL = ["assessment.completed", "assessment.partial", "batch.done", "alert.opened", "alert.closed", "delivery.dead"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    state = tmp_path_factory.mktemp("webhooks")
    return GatewaySettings(state_dir=state, allowed_private_networks=("127.0.0.0/8", "::1/128"), _env_file=None)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory):
    folder = tmp_path_factory.mktemp("receiver")
    receiver, stop = receiving(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(folder / "cert.pem"))
        outside.certificates.cache_clear()
        yield receiver
    stop()
    outside.certificates.cache_clear()


@pytest.fixture
async def webhook(admin, receiver):
    receiver.messages.clear()
    body = {"url": receiver.url, "events": ["assessment.completed"], "description": "Order system"}
    made = await admin.post("/v1/webhooks", json=body)
    assert made.status_code == 201, made.text
    yield made.json()
    await admin.delete(f"/v1/webhooks/{made.json()['id']}")


@pytest.fixture
async def database(settings):
    database = database_of(settings)
    yield database
    await database.close()


async def came(receiver, count):
    return await anyio.to_thread.run_sync(receiver.wait_for, count)


async def deliveries(admin, webhook, **wanted):
    return (await admin.get(f"/v1/webhooks/{webhook['id']}/deliveries", params=wanted)).json()["items"]


async def ended(admin, webhook, status):
    for _ in range(100):
        found = await deliveries(admin, webhook)
        if found and all(item["status"] == status for item in found):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_an_assessment_is_told_of_signed_and_without_a_word_about_the_patient(api, admin, webhook, receiver):
    files = {**RECORD, "patient_number": (None, "MRN-WEBHOOK")}
    made = (await api.post("/v1/assessments", files=files)).json()
    [message] = await came(receiver, 1)
    assert message.json["subject"] == made["id"]
    assert set(message.json) == {"id", "type", "created_at", "subject", "api_version"}
    assert (message.json["type"], message.json["api_version"]) == ("assessment.completed", "v1")
    assert "MRN-WEBHOOK" not in message.body.decode() + str(message.headers)
    assert message.signed_with(webhook["secret"])
    assert not message.signed_with("whsec_another")
    [delivery] = await ended(admin, webhook, "sent")
    assert (delivery["event_id"], delivery["attempts"]) == (message.json["id"], 1)


async def test_the_secret_is_shown_once_and_two_sign_while_it_is_renewed(admin, webhook, receiver):
    path = f"/v1/webhooks/{webhook['id']}"
    assert webhook["secret"].startswith("whsec_")
    for answer in (await admin.get(path), await admin.get("/v1/webhooks"), await admin.patch(path, json={})):
        assert answer.status_code == 200
        assert "whsec_" not in answer.text
    renewed = (await admin.post(f"{path}/rotate")).json()
    assert (await admin.post(f"{path}/test")).status_code == 202
    [message] = await came(receiver, 1)
    assert message.json["type"] == "webhook.test"
    assert message.signed_with(webhook["secret"])
    assert message.signed_with(renewed["secret"])
    last = (await admin.post(f"{path}/rotate", json={"overlap_hours": 0})).json()
    await ended(admin, webhook, "sent")
    assert (await admin.post(f"{path}/test")).status_code == 202
    message = (await came(receiver, 2))[-1]
    assert message.signed_with(last["secret"])
    assert not message.signed_with(renewed["secret"])


async def test_what_is_not_taken_waits_and_may_be_sent_again(admin, webhook, receiver, database, settings):
    receiver.answers = [(503, {"Retry-After": "7200"})]
    path = f"/v1/webhooks/{webhook['id']}"
    await admin.post(f"{path}/test")
    for _ in range(100):
        [delivery] = await deliveries(admin, webhook)
        if delivery["last_error"]:
            break
        await asyncio.sleep(0.05)
    assert (delivery["status"], delivery["last_error"]) == ("waiting", "it answered 503")
    assert dt.datetime.fromisoformat(delivery["next_attempt_at"]) > now() + dt.timedelta(seconds=7000)
    receiver.answers = [(410, {})]
    async with database.sessions.begin() as session:  # hours later
        await session.execute(update(DeliveryRow).where(DeliveryRow.state == "waiting").values(next_at=now()))
    [dead] = await ended(admin, webhook, "dead")
    assert await deliveries(admin, webhook, status="dead") == [dead]
    assert (await routing_status(settings))["results"]["dead"] == 1
    shown = (await routing_dead(settings))["results"]
    assert [(one["id"], one["kind"], one["why"]) for one in shown] == [(dead["id"], "webhook", "it answered 410")]
    again = await admin.post(f"{path}/deliveries/{dead['id']}/redeliver")
    assert (again.status_code, again.json()["status"]) == (202, "waiting")
    await ended(admin, webhook, "sent")
    first, *_, last = receiver.messages
    assert first.body == last.body


async def test_a_redirect_is_not_followed(admin, webhook, receiver):
    receiver.answers = [(307, {"Location": "http://127.0.0.1:9/elsewhere"})]
    await admin.post(f"/v1/webhooks/{webhook['id']}/test")
    for _ in range(100):
        [delivery] = await deliveries(admin, webhook)
        if delivery["last_error"]:
            break
        await asyncio.sleep(0.05)
    assert delivery["last_error"] == "it answered 307"


async def test_a_changed_webhook_is_told_of_other_events(admin, webhook, receiver, api):
    path = f"/v1/webhooks/{webhook['id']}"
    changed = await admin.patch(path, json={"events": ["alert.closed"], "description": "Alerts"})
    assert (changed.json()["events"], changed.json()["description"]) == (["alert.closed"], "Alerts")
    await api.post("/v1/assessments", files=RECORD)
    await asyncio.sleep(1.5)
    assert receiver.messages == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://receiver.example/hook", "https://"),
        ("ftp://receiver.example/hook", "https://"),
        ("https://user:word@receiver.example/", "whole address"),
        ("https:///hook", "whole address"),
        ("https://[::1", "whole address"),
        ("https://receiver.example:0/", "whole address"),
        ("receiver", "whole address"),
        ("https://no-such-name.invalid/", "no address"),
        ("https://10.1.2.3/hook", "TRABECULA_ALLOWED_PRIVATE_NETWORKS"),
    ],
)
async def test_an_address_that_cannot_be_called_is_named(url, words, admin):
    answer = await admin.post("/v1/webhooks", json={"url": url, "events": ALL, "description": "x"})
    assert answer.status_code == 422, answer.text
    assert (answer.json()["field"], words in answer.json()["detail"]) == ("url", True), answer.text


@pytest.mark.parametrize(
    "body", [{"events": []}, {"events": ["patient.born"]}, {"description": ""}, {"secret": "mine"}]
)
async def test_what_else_is_wrong_is_named(body, admin, receiver):
    right = {"url": receiver.url, "events": ALL, "description": "x"}
    answer = await admin.post("/v1/webhooks", json={**right, **body})
    assert (answer.status_code, next(iter(body)) in answer.json()["detail"]) == (422, True)


async def test_two_of_one_name_are_told_apart(admin, webhook, receiver):
    body = {"url": receiver.url, "events": ALL, "description": "Order system"}
    assert (await admin.post("/v1/webhooks", json=body)).status_code == 409


async def test_no_webhook_reaches_another_kind_of_destination(admin, settings):
    told_by = {"url": "https://archive.example", "objects": ["sr"]}
    made = await add_destination(settings, "dicomweb", "archive", [], told_by)
    for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/rotate"), ("GET", "/deliveries")):
        assert (await admin.request(method, f"/v1/webhooks/{made['id']}{rest}")).status_code == 404


async def test_what_is_of_a_restricted_patient_is_withheld(settings, api, admin, webhook, receiver, monkeypatch):
    monkeypatch.setattr(records, "SETTLING", dt.timedelta(0))
    files = {**RECORD, "patient_number": (None, "MRN-VIP")}
    await api.post("/v1/assessments", files=files)
    await came(receiver, 1)
    assert (await admin.put("/v1/patients/MRN-VIP/restriction")).status_code == 204
    made = (await api.post("/v1/assessments", files=files)).json()["id"]
    for _ in range(100):
        newest = (await deliveries(admin, webhook))[0]
        if newest["status"] == "withheld":
            break
        await asyncio.sleep(0.05)
    assert (newest["status"], newest["subject"]) == ("withheld", made)
    assert len(receiver.messages) == 1
    trusted = await system_of(settings, api, "assessments:read patients:restricted")
    for reader, sees in ((api, False), (admin, False), (trusted, True)):
        assert (made in {event["subject"] for event in await feed(reader)}) is sees


async def test_that_nobody_looks_at_an_emergency_is_told_of_a_restricted_patient_too(api, admin, receiver, database):
    receiver.messages.clear()
    body = {"url": receiver.url, "events": ["alert.urgent", "alert.unacknowledged"], "description": "Pager"}
    hook = (await admin.post("/v1/webhooks", json=body)).json()
    emergency = {"clinical": (None, '{"age": 67, "gender": "female", "serum_calcium_mmol_per_l": 3.6}')}
    files = {**emergency, "patient_number": (None, "MRN-VIP-2")}
    await api.post("/v1/assessments", files={**RECORD, "patient_number": (None, "MRN-VIP-2")})
    assert (await admin.put("/v1/patients/MRN-VIP-2/restriction")).status_code == 204
    await api.post("/v1/assessments", files=files)
    await ended(admin, hook, "withheld")
    assert receiver.messages == []
    [alert] = await Escalations(database.sessions).escalate(dt.timedelta(0))
    [told] = await came(receiver, 1)
    assert (told.json["type"], told.json["subject"]) == ("alert.unacknowledged", str(alert))
    assert "MRN-VIP" not in told.body.decode()
    await admin.delete(f"/v1/webhooks/{hook['id']}")


async def feed(reader):
    """Every event, page by page."""
    found, after = [], {}
    while True:
        page = (await reader.get("/v1/events", params={"limit": 7, **after})).json()
        found += page["items"]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


async def test_the_feed_tells_the_same_in_order_and_from_where_one_was(api, admin, monkeypatch):
    monkeypatch.setattr(records, "SETTLING", dt.timedelta(0))
    before = await feed(api)
    files = {"clinical": (None, json.dumps(FOLLOWED)), "patient_number": (None, "MRN-FEED")}
    made = (await api.post("/v1/assessments", files=files)).json()["id"]
    after = {"after": before[-1]["id"]} if before else {}
    events = (await api.get("/v1/events", params=after)).json()["items"]
    assert ("assessment.completed", made) in {(event["type"], event["subject"]) for event in events}
    assert events == sorted(events, key=lambda event: event["id"])
    assert {"id", "type", "created_at", "subject"} == set(events[0])
    # The follow-ups of the next one stand in for those of this one: each is closed with its event.
    opened = {event["subject"] for event in events if event["type"] == "alert.opened"}
    assert opened
    await api.post("/v1/assessments", files=files)
    closed = {event["subject"] for event in await feed(api) if event["type"] == "alert.closed"}
    assert opened <= closed


async def test_alerts_of_a_withdrawn_assessment_are_closed_each_with_its_event(api, admin, monkeypatch):
    monkeypatch.setattr(records, "SETTLING", dt.timedelta(0))
    clinician = await invited(admin, api, "feed@clinic.example", "clinician")
    files = {"clinical": (None, json.dumps(FOLLOWED)), "patient_number": (None, "MRN-BACK")}
    made = (await api.post("/v1/assessments", files=files)).json()["id"]
    opened = {event["subject"] for event in await feed(api) if event["type"] == "alert.opened"}
    await clinician.post(f"/v1/assessments/{made}/withdraw", json={"reason": "another patient's film"})
    events = await feed(api)
    assert ("assessment.withdrawn", made) in {(event["type"], event["subject"]) for event in events}
    closed = {event["subject"] for event in events if event["type"] == "alert.closed"}
    assert closed & opened


async def test_a_batch_is_done_once_also_one_that_was_cancelled(api, monkeypatch):
    monkeypatch.setattr(records, "SETTLING", dt.timedelta(0))
    cases = [{"reference": f"case-{i}", "clinical": {"age": 60 + i, "gender": "female"}} for i in range(3)]
    manifest = {"manifest": (None, json.dumps({"cases": cases}))}
    done = (await api.post("/v1/batches", files=manifest)).json()["id"]
    await api.get(f"/v1/batches/{done}/events", timeout=60)
    cancelled = (await api.post("/v1/batches", files=manifest)).json()["id"]
    await api.post(f"/v1/batches/{cancelled}/cancel")
    await api.get(f"/v1/batches/{cancelled}/events", timeout=60)
    await api.post(f"/v1/batches/{cancelled}/cancel")
    told = [event["subject"] for event in await feed(api) if event["type"] == "batch.done"]
    assert (told.count(done), told.count(cancelled)) == (1, 1)


async def test_who_was_away_for_too_long_is_told_so_and_what_is_old_is_not_shown(api, database):
    async with database.sessions.begin() as session:
        organisation = (await session.scalars(select(OrganisationRow.id))).first()
        event = await record_event(session, organisation, "assessment.completed", uuid7())
        old = now() - records.KEPT - dt.timedelta(minutes=1)
        await session.execute(update(EventRow).where(EventRow.id == event).values(at=old))
    assert str(event) not in {one["id"] for one in await feed(api)}
    answer = await api.get("/v1/events", params={"after": "01800000-0000-7000-8000-000000000000"})
    assert (answer.status_code, answer.json()["type"]) == (410, "urn:trabecula:problem:cursor-expired")
    for strange in ("ffffffff-ffff-4fff-bfff-ffffffffffff", "0b5e2f0c-5a44-4c1b-9d7e-3a5d9b1e2c4d"):
        assert (await api.get("/v1/events", params={"after": strange})).status_code in (200, 410)
    assert (await api.get("/v1/events", params={"after": "4711"})).status_code == 422


async def test_a_model_that_changed_is_told_of_once(api, database, monkeypatch):
    monkeypatch.setattr(records, "SETTLING", dt.timedelta(0))
    versions = ModelVersions(database.sessions)
    assert await versions.note({"a-model": "1.0"}) == []
    assert await versions.note({"a-model": "1.1"}) == ["a-model"]
    assert await versions.note({"a-model": "1.1"}) == []
    told = [event["subject"] for event in await feed(api) if event["type"] == "model.changed"]
    assert told == ["a-model 1.1"]


async def test_the_outbox_shows_in_the_metrics(settings, api, admin, webhook, receiver):
    await admin.post(f"/v1/webhooks/{webhook['id']}/test")
    await ended(admin, webhook, "sent")
    answer = await api.get("/metrics", headers={"Authorization": f"Bearer {settings.metrics_key()}"})
    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if line.startswith("trabecula_outbox"))
    for name in ("waiting", "oldest_seconds", "dead"):
        for kind in ("webhook", "dicom", "dicomweb"):
            assert f'trabecula_outbox_{name}{{kind="{kind}"}}' in lines
    assert float(lines['trabecula_outbox_sent_total{kind="webhook"}']) >= 1


async def test_a_patient_hears_nothing_and_a_key_without_the_scope_makes_none(api, admin):
    patient = await invited(admin, api, "p@home.example", "patient", patient_number="MRN-P")
    assert (await patient.get("/v1/events")).status_code == 403
    body = {"url": "https://receiver.example/", "events": ALL, "description": "x"}
    assert (await api.post("/v1/webhooks", json=body)).status_code == 403
