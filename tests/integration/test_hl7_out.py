"""Results go out as ORU^R01 over MLLP to a real peer: preliminary, final, corrected, withdrawn; until it takes them."""

import asyncio
import base64
import json
import ssl
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import update
from typer.testing import CliRunner

from gateway.assessing.outbox_worker import NotDelivered
from gateway.assessing.results import HL7
from gateway.assessing.routing import OF_RESULTS, add_destination, remove_destination
from gateway.assessing.routing_state import routing_dead, routing_retry
from gateway.cli import app
from gateway.interop.hl7 import transmit as transmits
from gateway.interop.hl7.destinations import Hl7Destination
from gateway.interop.hl7.transmit import transmit
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import DeliveryRow
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.records.orders import AnnouncedMessage, Orders
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from shared.contracts.order import Order
from tests.films import file_of, film
from tests.hl7_standard import faults
from tests.integration.people import client, invited
from tests.integration.test_films_come_in import certificate
from tests.mllp import fields, order_system

RECORD = '{"age": 67, "gender": "female", "weight_kg": 58}'
ORDER = Order(accession="ACC-1", placer=("P-77", "RIS"), filler=("F-88", "RIS"), provider=("D9", "House", "Gregory"))
run = CliRunner()


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("oru"), dicom_patient_id="use", logins_per_minute=1000,
        logins_per_address_per_minute=1000, _env_file=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
async def clinician(admin, api):
    async with await invited(admin, api, "ada@clinic.example", "clinician") as person:
        yield person


@pytest.fixture
async def sends(settings, api):
    """Adds a destination at a port; it is removed afterwards."""
    names = []

    async def add(port, events=OF_RESULTS, **more):
        to = Hl7Destination(host="127.0.0.1", port=port, application="RIS", facility="HOSPITAL", **more)
        names.append(f"ris-{port}")
        await add_destination(settings, HL7, names[-1], events, to.model_dump(mode="json"))

    yield add
    for name in names:
        await remove_destination(settings, name)


async def until(ask, seconds=20):
    for _ in range(seconds * 20):
        if found := ask():
            return found
        await asyncio.sleep(0.05)
    pytest.fail("it did not happen in time")


async def at_least(came, count):
    await until(lambda: len(came) >= count)
    await asyncio.sleep(0.2)
    return came[count - 1]


async def due(settings):
    """What waits for another attempt has it now."""
    database = database_of(settings)
    async with database.sessions.begin() as session:
        await session.execute(update(DeliveryRow).where(DeliveryRow.state == "waiting").values(next_at=now()))
    await database.close()


async def announced(settings, order):
    database = database_of(settings)
    organisation = await Accounts(database.sessions).first_organisation(settings.organisation)
    orders = Orders(database.sessions, Patients(database.sessions, installation_key(settings)))
    await orders.note(organisation, AnnouncedMessage("hl7:test", order.accession.encode()), [order])
    await database.close()


async def assessed(api, number, image=None):
    files = {"patient_number": (None, number), "clinical": (None, RECORD)}
    if image is not None:
        files["image"] = ("film.dcm", image)
    made = await api.post("/v1/assessments", files=files)
    assert made.status_code == 201, made.text
    return made.json()


async def test_a_result_goes_out_as_it_stands_from_preliminary_to_withdrawn(settings, api, clinician, sends):
    await announced(settings, ORDER)
    dataset = film("MRN-300", AccessionNumber="ACC-1", PatientName="DOE^JANE^^Dr^Jr", StudyDate="20261120")
    async with order_system(["AA"]) as (port, came):
        await sends(port, authority="HOSPITAL")
        made = await assessed(api, "MRN-300", file_of(dataset))
        first = await at_least(came, 1)
        await clinician.post(f"/v1/assessments/{made['id']}/sign")
        signed = await at_least(came, 2)
        side = made["staging"]["knees"][0]["side"]
        amended = {"reason": "An osteophyte", "findings": {"knees": [{"side": side, "kl_grade": 4}]}}
        await clinician.post(f"/v1/assessments/{made['id']}/amend", json=amended)
        corrected = await at_least(came, 3)
        await clinician.post(f"/v1/assessments/{made['id']}/withdraw", json={"reason": "Of somebody else"})
        withdrawn = await at_least(came, 4)
        assert len(came) == 4
    # By the standard's own structure, which a message without its required service (OBR-4) does not have.
    assert [faults(str(message)) for message in came] == [[]] * 4
    [service] = [str(one(4)) for one in first.segments("OBR")]
    assert "OBR_4" in faults(str(first).replace(service, ""))[0]
    expected = {
        ("MSH", 9): "ORU", ("MSH", 5): "RIS", ("MSH", 6): "HOSPITAL", ("MSH", 12): "2.5.1", ("PID", 3): "MRN-300",
        ("PID", 5): "DOE", ("PID", 8): "F", ("ORC", 1): "RE", ("OBR", 2): "P-77", ("OBR", 3): "F-88",
        ("OBR", 4): "18748-4", ("OBR", 16): "D9", ("OBR", 18): "ACC-1", ("OBR", 25): "P",
    }  # fmt: skip
    assert {key: fields(first, *key)[0] for key in expected} == expected
    assert fields(first, "PID", 3, 4) + fields(first, "PID", 3, 5) == ["HOSPITAL", "MR"]
    assert [fields(first, "PID", 5, part)[0] for part in (2, 4, 5)] == ["JANE", "Jr", "Dr"]
    assert fields(first, "OBR", 7)[0].startswith("20261120")
    assert fields(first, "OBR", 4, 3) == ["LN"]
    assert "not a medical device" in fields(first, "NTE", 3)[0]
    seen = list(zip(*(fields(first, "OBX", n) for n in (3, 4, 5, 11)), fields(first, "OBX", 3, 3), strict=True))
    stage = made["staging"]["knees"][0]
    [grade] = [one for one in seen if one[0] == "kellgren-lawrence"]
    assert grade[1:] == (stage["side"], str(stage["stage"]), "P", "L")
    chance = f"{made['clinical']['probability'] * 100:.3f}"
    assert any(one[0] == "osteoporosis-probability" and one[2].startswith(chance[:5]) for one in seen)
    assert {"bone-appearance", "risk-category", "conclusion", "ost-total"} <= {one[0] for one in seen}
    assert fields(first, "OBX", 1) == [str(number) for number in range(1, len(seen) + 1)]
    assert set(fields(first, "OBX", 16) + fields(signed, "OBX", 16)) == {""}
    for message, status, of_report in ((signed, "F", "F"), (corrected, "C", "C"), (withdrawn, "W", "C")):
        assert set(fields(message, "OBX", 11)) - {"X"} == {status}
        assert fields(message, "OBR", 25) == [of_report]
    graded = dict(zip(fields(corrected, "OBX", 3), fields(corrected, "OBX", 5), strict=True))
    assert graded["kellgren-lawrence"] == "4"
    assert any(note.startswith("Graded 4 by a clinician") for note in fields(corrected, "NTE", 3))
    ids = [fields(message, "MSH", 10)[0] for message in came]
    assert len(set(ids)) == 4
    assert all(len(one) == 20 and one.isalnum() for one in ids)


async def test_it_is_sent_again_with_the_same_control_id_until_it_is_taken(settings, api, sends, monkeypatch):
    monkeypatch.setattr(transmits, "ANSWER_S", 0.3)

    def another(message):
        return "MSH|^~\\&|RIS||||20261128||ACK|1|P|2.5.1\rMSA|AA|SOMETHING-ELSE\r"

    async with order_system([None, another, "AA"]) as (port, came):
        await sends(port)
        await assessed(api, "MRN-301")
        for count in (1, 2, 3):
            await at_least(came, count)
            await asyncio.sleep(0.5)
            await due(settings)
        await asyncio.sleep(1.5)
        assert len(came) == 3
    assert len({str(message) for message in came}) == 1  # byte for byte
    assert (await routing_dead(settings))["results"] == []


async def test_a_refusal_is_dead_at_once_with_its_words_and_without_the_patients(settings, api, admin, sends):
    def refused(message):
        control = str(message.segment("MSH")(10))
        return f"MSH|^~\\&|RIS||||20261128||ACK|1|P|2.5.1\rMSA|AE|{control}|unknown patient mrn-302 in \\T\\ ward\r"

    async with order_system([refused, "AA"]) as (port, came):
        await sends(port)
        await assessed(api, "MRN-302")
        await at_least(came, 1)
        for _ in range(100):
            if dead := (await routing_dead(settings))["results"]:
                break
            await asyncio.sleep(0.05)
        assert [(one["kind"], one["why"]) for one in dead] == [
            ("hl7", "it answered AE: unknown patient (patient) in & ward")
        ]
        shown = await admin.get("/v1/routing")
        assert [one["kind"] for one in shown.json()["dead_deliveries"]] == ["hl7"]
        metrics = await metrics_of(settings, api)
        assert 'trabecula_outbox_waiting{kind="hl7"}' in metrics
        await routing_retry(settings, UUID(dead[0]["id"]))
        await at_least(came, 2)
    assert (await routing_dead(settings))["results"] == []


async def metrics_of(settings, api):
    async with client(api, Authorization=f"Bearer {settings.metrics_key()}") as prometheus:
        return (await prometheus.get("/metrics")).text


async def test_what_names_nobody_or_was_withdrawn_before_is_not_sent(settings, api, clinician, sends):
    async with order_system(["AA"]) as (port, came):
        await sends(port, events=("assessment.completed", "assessment.partial", "assessment.withdrawn"))
        await api.post("/v1/assessments", files={"clinical": (None, RECORD)})
        await assessed(api, "MRN-303")
        await at_least(came, 1)
    async with order_system(["AA"]) as (port, later):
        await sends(port, events=("assessment.withdrawn",))
        gone = await assessed(api, "MRN-304")
        await clinician.post(f"/v1/assessments/{gone['id']}/withdraw", json={"reason": "Of somebody else"})
        await asyncio.sleep(2.5)
        assert later == []
    assert [fields(message, "PID", 3)[0] for message in came if fields(message, "PID", 3)[0] != "MRN-304"] == [
        "MRN-303"
    ]
    assert fields(came[0], "OBR", 4) == ["assessment-of-record"]
    assert fields(came[0], "PID", 5, 7) == ["U"]


@pytest.mark.parametrize(("most", "goes"), [(1_000_000, True), (1000, False)])
async def test_the_report_goes_along_where_the_site_wants_it_and_it_is_not_too_large(settings, api, sends, most, goes):
    async with order_system(["AA"]) as (port, came):
        await sends(port, pdf=True, pdf_most_bytes=most)
        await assessed(api, f"MRN-305-{most}")
        message = await at_least(came, 1)
    assert faults(str(message)) == []
    reports = [str(one(5)) for one in message.segments("OBX") if str(one(2)) == "ED"]
    assert [report.rpartition("^")[0] for report in reports] == ["^application^pdf^Base64"] * goes
    assert [base64.b64decode(report.rpartition("^")[2])[:5] for report in reports] == [b"%PDF-"] * goes
    assert any("left out" in note for note in fields(message, "NTE", 3)) is not goes


async def test_over_tls_the_other_sides_certificate_and_its_name_are_checked(tmp_path):
    theirs = certificate(tmp_path, "theirs", 2)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*theirs)
    async with order_system(["AA"], context) as (port, came):
        data, control = b"MSH|^~\\&|A|B|C|D|20261128||ORU^R01^ORU_R01|77|P|2.5.1\r", "77"
        good = Hl7Destination(host="127.0.0.1", port=port, tls={"ca": theirs[0]})
        assert (await transmit(data, control, good)).code == "AA"
        for bad in ({"tls": {"ca": theirs[0]}, "host": "localhost"}, {"tls": {}}):
            with pytest.raises(NotDelivered, match="cannot be reached"):
                await transmit(data, control, Hl7Destination(**{"host": "127.0.0.1", "port": port, **bad}))
        with pytest.raises(NotDelivered):  # in the clear
            await transmit(data, control, Hl7Destination(host="127.0.0.1", port=port))
    assert len(came) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("nonsense", "cannot be read"),
        ("MSH|^~\\&|RIS||||20261128||ACK|1|P|2.5.1\r", "no MSA segment"),
        ("MSH|^~\\&|RIS||||20261128||ACK|1|P|2.5.1\rMSA|XX|77\r", "neither that it was taken"),
        ("x" * 200_000, "did not answer"),
    ],
)
async def test_an_answer_that_says_nothing_has_it_sent_again(answer, words):
    async with order_system([lambda _: answer]) as (port, _):
        data = b"MSH|^~\\&|A|B|C|D|20261128||ORU^R01^ORU_R01|77|P|2.5.1\r"
        with pytest.raises(NotDelivered, match=words) as failure:
            await transmit(data, "77", Hl7Destination(host="127.0.0.1", port=port))
    assert not failure.value.for_good


@pytest.mark.parametrize(
    "wrong",
    [{"port": 0}, {"host": ""}, {"character_set": "EBCDIC"}, {"pdf_most_bytes": 0}, {"application": "A\rB"},
     {"tls": {"ca": "/nowhere.pem"}}, {"speed": "fast"}],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValidationError):
        Hl7Destination(**{"host": "ris", "port": 2575, **wrong})


def test_the_operator_sets_it_up(tmp_path, monkeypatch):
    monkeypatch.setenv("TRABECULA_STATE_DIR", str(tmp_path))

    def route(*arguments, code=0):
        done = run.invoke(app, ["route", *arguments], catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.output

    added = route("add-hl7", "ris", "--host", "127.0.0.1", "--port", "9", "--application", "RIS", "--pdf")
    assert "Results go to ris" in added
    assert [(one["kind"], one["name"]) for one in json.loads(route("list", "--json"))] == [("hl7", "ris")]
    assert "--port" in route("add-hl7", "x", "--host", "h", "--port", "0", code=1)
    assert "--character-set" in route("add-hl7", "x", "--host", "h", "--port", "1", "--character-set", "X", code=1)
    with pytest.raises(NotDelivered, match="cannot be reached"):
        route("echo", "ris")
