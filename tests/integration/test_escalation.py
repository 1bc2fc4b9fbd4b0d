"""An emergency at night: somebody is written to and says to be looking at it; where nobody does, another is told."""

import asyncio
import datetime as dt
import json
import ssl
from uuid import UUID

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import func, select, update
from typer.testing import CliRunner

import gateway.app
from gateway.assessing.administration import prepare
from gateway.assessing.escalation import MAIL
from gateway.assessing.outbox_worker import NotDelivered
from gateway.assessing.routing import add_destination, remove_destination
from gateway.cli import app
from gateway.interop.mail.server import connected
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import AlertRow, AuditRow, DeliveryRow, EventRow
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.records.escalations import Escalations
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from tests.integration.mail_server import mail_server
from tests.integration.people import browser_of, client, invited, registered, system_of
from tests.integration.test_films_come_in import certificate

AFTER = dt.timedelta(minutes=15)
NUMBER = "MRN-NIGHT-1"
# Calcium of 3.6 mmol/l is an emergency by the rules.
RECORD = {"age": 67, "gender": "female", "serum_calcium_mmol_per_l": 3.6}
run = CliRunner()


@pytest.fixture(scope="module")
async def mails():
    async with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def settings(tmp_path_factory, mails):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway.app, "ESCALATION_S", 0.2)
        patch.setattr(gateway.app, "METRICS_S", 0.2)
        yield GatewaySettings(
            state_dir=tmp_path_factory.mktemp("night"), smtp_host="127.0.0.1", smtp_port=mails.port,
            smtp_security="none", smtp_from="trabecula@clinic.example", public_url="https://trabecula.clinic.example",
            logins_per_minute=1000, logins_per_address_per_minute=1000, _env_file=None,
        )  # fmt: skip


@pytest.fixture(scope="module")
async def clinician(admin, api):
    async with await invited(admin, api, "ada@clinic.example", "clinician") as person:
        yield person


@pytest.fixture
async def on_duty(settings, api, mails):
    """The first one who is written to, and the second."""
    mails.mails.clear()
    for name, kind in (("first", "alert.urgent"), ("second", "alert.unacknowledged")):
        await add_destination(settings, MAIL, name, [kind], {"to": f"{name}@clinic.example"})
    yield
    for name in ("first", "second"):
        await remove_destination(settings, name)


async def emergency(api, number=NUMBER):
    """The id of the open alert of a new emergency."""
    files = {"clinical": (None, json.dumps(RECORD)), "patient_number": (None, number)}
    made = await api.post("/v1/assessments", files=files)
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def alert_of(caller, assessment_id):
    items = (await caller.get("/v1/alerts", params={"status": "urgent", "limit": 100})).json()["items"]
    [found] = [one for one in items if one["assessment_id"] == assessment_id]
    return found


async def overdue(settings, alert_id):
    """As if the alert had been open for an hour."""
    database = database_of(settings)
    async with database.sessions.begin() as session:
        earlier = now() - dt.timedelta(hours=1)
        await session.execute(update(AlertRow).where(AlertRow.id == UUID(alert_id)).values(created_at=earlier))
    await database.close()


async def quiet(mails, count, seconds=2.5):
    await asyncio.sleep(seconds)
    assert len(mails.mails) == count


async def test_the_first_is_written_to_at_once_and_the_second_where_nobody_looks(
    settings, api, admin, clinician, mails, on_duty
):
    made = await emergency(api)
    [first] = await mails.wait_for(1)
    assert (first["To"], first["Subject"]) == ("first@clinic.example", "Trabecula: an emergency was found")
    alert = await alert_of(clinician, made)
    text = first.get_content()
    assert "https://trabecula.clinic.example/alerts" in text
    assert alert["id"] in text
    for secret in (NUMBER, alert["patient_id"], "alcium", "67"):
        assert secret not in text.replace(alert["id"], "") + first["Subject"]
    await quiet(mails, 1, 1)
    await overdue(settings, alert["id"])
    second = (await mails.wait_for(2))[1]
    assert (second["To"], second["Subject"]) == (
        "second@clinic.example", "Trabecula: nobody is looking at an emergency",
    )  # fmt: skip
    await quiet(mails, 2, 1.5)  # once
    assert (await alert_of(clinician, made))["escalated_at"]
    lines = (await admin.get("/v1/audit", params={"subject": alert["id"], "limit": 50})).json()["items"]
    assert [(one["actor"], one["outcome"]) for one in lines if one["action"] == "alert escalated"] == [
        ("escalation", "done")
    ]


async def test_what_a_clinician_acknowledges_raises_no_second_alarm(settings, api, admin, clinician, mails, on_duty):
    made = await emergency(api)
    await mails.wait_for(1)
    alert = await alert_of(clinician, made)
    for _ in range(2):
        assert (await clinician.post(f"/v1/alerts/{alert['id']}/acknowledge")).status_code == 204
    await overdue(settings, alert["id"])
    await quiet(mails, 1)
    seen = await alert_of(clinician, made)
    assert seen["acknowledged_at"]
    assert seen["acknowledged_by"].startswith("account:")
    assert seen["escalated_at"] is None
    lines = (await admin.get("/v1/audit", params={"subject": alert["id"], "limit": 50})).json()["items"]
    assert [one["outcome"] for one in lines if one["action"] == "alert acknowledged"] == ["done", "done"]
    types = [one["type"] for one in await events_of(settings, alert["id"])]
    assert types.count("alert.acknowledged") == 1


async def events_of(settings, subject):
    database = database_of(settings)
    async with database.sessions() as session:
        rows = (await session.scalars(select(EventRow).where(EventRow.subject == subject))).all()
    await database.close()
    return [{"type": row.type} for row in rows]


async def test_on_the_pages_too_and_by_the_work_list(settings, api, clinician, mails, on_duty):
    browser = await browser_of(api, "ada@clinic.example")
    made = await emergency(api)
    alert = await alert_of(clinician, made)
    page = (await browser.get("/alerts")).text
    assert f"/alerts/{alert['id']}/acknowledge" in page
    assert "Nobody is looking at it yet." in page
    token = page.split('name="csrf" value="')[1].split('"')[0]
    done = await browser.post(f"/alerts/{alert['id']}/acknowledge", data={"csrf": token, "back": "/alerts"})
    assert done.status_code == 303
    assert "Somebody has been looking at it since" in (await browser.get("/alerts")).text
    other = await emergency(api)
    await browser.post(f"/assessments/{other}/case", data={"csrf": token, "status": "seen"})
    assert (await alert_of(clinician, other))["acknowledged_at"]
    await browser.aclose()


async def test_nobody_else_acknowledges_and_nothing_else_is(settings, api, admin, clinician, stranger):
    made = await emergency(api)
    alert = await alert_of(clinician, made)
    path = f"/v1/alerts/{alert['id']}/acknowledge"
    system = await system_of(settings, api, "patients:read patients:write assessments:read")
    patient = await registered(settings, api, "pat@home.example")
    for caller, status in ((admin, 403), (system, 403), (patient, 403), (stranger, 401)):
        assert (await caller.post(path)).status_code == status
    assert (await clinician.post(f"/v1/alerts/{uuid7()}/acknowledge")).status_code == 404
    follow_up = {
        "age": 70, "gender": "female", "menopausal_status": "postmenopausal", "medications": [],
        "prior_fractures": False, "t_scores": [{"site": "total_hip", "value": -2.2, "date": "2026-05-01"}],
    }  # fmt: skip
    files = {"clinical": (None, json.dumps(follow_up)), "patient_number": (None, "MRN-DUE")}
    await api.post("/v1/assessments", files=files)
    upcoming = (await clinician.get("/v1/alerts", params={"status": "upcoming"})).json()["items"]
    assert (await clinician.post(f"/v1/alerts/{upcoming[0]['id']}/acknowledge")).status_code == 409
    for one in (system, patient):
        await one.aclose()


async def test_an_alarm_that_comes_too_late_is_not_sent(settings, api, clinician, mails, on_duty):
    mails.answers.append("451 later")
    made = await emergency(api)
    alert = await alert_of(clinician, made)
    delivery = await delivery_of(settings, alert["id"], lambda row: row.last_error)
    assert (delivery.state, delivery.last_error) == ("waiting", "the mail server answered 451: later")
    await clinician.post(f"/v1/alerts/{alert['id']}/acknowledge")
    await due(settings)
    delivery = await delivery_of(settings, alert["id"], lambda row: row.state != "waiting" and row.ended_at)
    assert (delivery.state, delivery.last_error) == ("withheld", "somebody is looking at it already")
    assert mails.mails == []


async def test_a_reader_who_is_unknown_is_dead_at_once(settings, api, clinician, mails, on_duty):
    mails.answers.append("550 no such mailbox")
    alert = await alert_of(clinician, await emergency(api))
    delivery = await delivery_of(settings, alert["id"], lambda row: row.state == "dead")
    assert delivery.last_error == "the mail server answered 550: no such mailbox"


async def delivery_of(settings, subject, ready):
    database = database_of(settings)
    try:
        for _ in range(200):
            async with database.sessions() as session:
                query = select(DeliveryRow).where(
                    DeliveryRow.subject == subject, DeliveryRow.event_type == "alert.urgent"
                )
                row = (await session.scalars(query)).one_or_none()
            if row is not None and ready(row):
                return row
            await asyncio.sleep(0.05)
    finally:
        await database.close()
    pytest.fail("it did not come to that in time")


async def due(settings):
    database = database_of(settings)
    async with database.sessions.begin() as session:
        await session.execute(update(DeliveryRow).where(DeliveryRow.state == "waiting").values(next_at=now()))
    await database.close()


async def test_prometheus_sees_how_long_nobody_has_looked(settings, api, clinician):
    alert = await alert_of(clinician, await emergency(api))
    await overdue(settings, alert["id"])
    await asyncio.sleep(0.6)
    async with client(api, Authorization=f"Bearer {settings.metrics_key()}") as prometheus:
        figures = (await prometheus.get("/metrics")).text
    found = dict(line.rsplit(" ", 1) for line in figures.splitlines() if line.startswith("trabecula_emergencies"))
    assert float(found["trabecula_emergencies_unacknowledged"]) >= 1
    assert float(found["trabecula_emergencies_oldest_unacknowledged_seconds"]) >= 3599
    assert 'trabecula_outbox_dead{kind="mail"}' in figures


async def test_of_several_gateways_one_raises_the_alarm(tmp_path, database_url):
    settings = GatewaySettings(state_dir=tmp_path, database_url=SecretStr(database_url), _env_file=None)
    prepare(settings)
    databases = [database_of(settings) for _ in range(3)]
    sessions = databases[0].sessions
    organisation = await Accounts(sessions).first_organisation("Clinic")
    patient = await Patients(sessions, installation_key(settings)).get_or_create(organisation, "MRN-1", "test")
    async with sessions.begin() as session:
        for number in range(4):
            created_at = now() - dt.timedelta(minutes=10 + 10 * number)
            session.add(AlertRow(
                id=uuid7(), organisation_id=organisation, patient_id=patient.id, content=b"", code="emergency",
                kind="follow_up" if number == 3 else "urgent", created_at=created_at,
            ))  # fmt: skip
    found = await asyncio.gather(*(Escalations(one.sessions).escalate(AFTER) for one in databases))
    assert sum(len(one) for one in found) == 2
    assert await Escalations(sessions).escalate(AFTER) == []
    async with sessions() as session:
        told = select(func.count()).select_from(EventRow).where(EventRow.type == "alert.unacknowledged")
        assert await session.scalar(told) == 2
        lines = select(func.count()).select_from(AuditRow).where(AuditRow.action == "alert escalated")
        assert await session.scalar(lines) == 2
    assert (await Escalations(sessions).unacknowledged()).count == 3
    for one in databases:
        await one.close()


def with_mail(**more):
    given = {"smtp_host": "127.0.0.1", "smtp_from": "trabecula@clinic.example", **more}
    return GatewaySettings(_env_file=None, **given)


async def test_over_tls_the_servers_certificate_is_checked_and_we_sign_in(tmp_path):
    theirs = certificate(tmp_path, "theirs", 2)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*theirs)

    def tried(**more):
        with connected(with_mail(smtp_port=server.port, smtp_user="trabecula", **more)) as session:
            session.sendmail("a@clinic.example", ["b@clinic.example"], b"Subject: x\r\n\r\nx")

    async with mail_server(context) as server:
        await asyncio.to_thread(tried, smtp_password="right", smtp_ca=theirs[0])
        assert (server.encrypted, server.signed_in) == ([True], [["trabecula", "right"]])
        with pytest.raises(NotDelivered, match="refuses TRABECULA_SMTP_USER"):
            await asyncio.to_thread(tried, smtp_password="wrong", smtp_ca=theirs[0])
        with pytest.raises(NotDelivered, match=r"self.signed certificate"):
            await asyncio.to_thread(tried, smtp_password="right")
        assert len(server.signed_in) == 2  # the password was not sent where the certificate is not trusted
    async with mail_server() as server:
        with pytest.raises(NotDelivered, match="offers no STARTTLS"):
            await asyncio.to_thread(tried, smtp_password="right")
    with pytest.raises(NotDelivered, match="cannot be reached"):
        await asyncio.to_thread(tried, smtp_password="right")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"smtp_from": None}, "TRABECULA_SMTP_FROM"),
        ({"smtp_user": "me"}, "come together"),
        ({"smtp_user": "me", "smtp_password": "x", "smtp_security": "none"}, "encrypted only"),
        ({"smtp_from": "a@b\r\nBcc: c@d"}, "smtp_from"),
        ({"escalate_after_minutes": 0}, "escalate_after_minutes"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(ValidationError, match=words):
        with_mail(**wrong)


def test_the_operator_names_who_is_written_to(tmp_path, monkeypatch):
    monkeypatch.setenv("TRABECULA_STATE_DIR", str(tmp_path))

    def route(*arguments, code=0):
        done = run.invoke(app, ["route", *arguments], catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.output

    assert "TRABECULA_SMTP_HOST" in route("add-mail", "duty", "--to", "a@clinic.example", code=1)
    monkeypatch.setenv("TRABECULA_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("TRABECULA_SMTP_PORT", "9")
    monkeypatch.setenv("TRABECULA_SMTP_FROM", "trabecula@clinic.example")
    assert "--to" in route("add-mail", "duty", "--to", "nobody", code=1)
    route("add-mail", "duty", "--to", "a@clinic.example")
    assert [(one["kind"], one["events"]) for one in json.loads(route("list", "--json"))] == [("mail", ["alert.urgent"])]
    with pytest.raises(NotDelivered, match="cannot be reached"):
        route("echo", "duty")


async def test_an_emergency_that_names_nobody_is_an_alarm_all_the_same(settings, api, admin, clinician, mails, on_duty):
    made = (await api.post("/v1/assessments", files={"clinical": (None, json.dumps(RECORD))})).json()["id"]
    await mails.wait_for(1)
    alert = await alert_of(clinician, made)
    assert (alert["patient_id"], alert["patient_number"], alert["code"]) == (None, None, "emergency")
    browser = await browser_of(api, "ada@clinic.example")
    shown = (await browser.get("/alerts")).text
    assert "No patient number was given" in shown
    assert f"/assessments/{made}" in shown
    assert "/patients/None" not in shown
    await overdue(settings, alert["id"])
    assert (await mails.wait_for(2))[1]["To"] == "second@clinic.example"
    assert (await clinician.post(f"/v1/alerts/{alert['id']}/acknowledge")).status_code == 204
    assert (await alert_of(clinician, made))["acknowledged_at"]
    # It goes with its case, of which nothing else is left to lead to it.
    assert (await admin.delete(f"/v1/assessments/{made}")).status_code == 204
    items = (await clinician.get("/v1/alerts", params={"status": "urgent", "limit": 100})).json()["items"]
    assert made not in [one["assessment_id"] for one in items]
