"""HL7 v2 comes in over MLLP: orders reach their films' results, merges wait for a person, the rest says why not."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update

from gateway.assessing.administration import prepare
from gateway.interop.dicom import router
from gateway.interop.dicom.door_tls import ServerContext
from gateway.interop.hl7 import door as doors
from gateway.interop.hl7.door import Hl7Door, open_hl7_door
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import MessageRow, OrderRow, PatientMergeRow
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.records.orders import REMEMBERED, AnnouncedMessage, Orders
from gateway.records.patients import Patients
from gateway.records.retention import Retention
from gateway.settings import GatewaySettings
from shared.contracts.order import Order
from tests.films import file_of, film, pushed
from tests.integration.test_films_come_in import certificate, ended, free_port, of_patient, routing
from tests.mllp import connected, header, merge, order, verdict

PEERS = {"RIS|HOSPITAL": ("127.0.0.1",), "FAR|AWAY": ("10.9.9.9",)}


def site(state):
    """An installation that hears films and messages."""
    return GatewaySettings(
        state_dir=state, dicom_port=free_port(), hl7_port=free_port(), hl7_peers=PEERS,
        logins_per_minute=1000, logins_per_address_per_minute=1000, _env_file=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return site(tmp_path_factory.mktemp("hl7"))


@asynccontextmanager
async def routed(settings):
    """The process `trabecula route serve`, as soon as it listens."""
    task = asyncio.create_task(router.serve(settings))
    try:
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", settings.hl7_port)
                writer.close()
                break
            except OSError:
                if task.done():
                    task.result()
                await asyncio.sleep(0.05)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def opened(settings):
    database = database_of(settings)
    async with database.sessions.begin() as session:
        yield session
    await database.close()


async def counted(settings, table, *condition):
    async with opened(settings) as session:
        return await session.scalar(select(func.count()).select_from(table).where(*condition))


async def basis_of(api, assessment_id):
    """The order in a result's FHIR, by the kinds of its identifiers, and what the report is based on."""
    bundle = (await api.get(f"/v1/assessments/{assessment_id}/fhir")).json()
    resources = [entry["resource"] for entry in bundle["entry"]]
    [report] = [one for one in resources if one["resourceType"] == "DiagnosticReport"]
    orders = [one for one in resources if (one["resourceType"], one.get("intent")) == ("ServiceRequest", "order")]
    return orders, report["basedOn"]


async def test_an_order_stands_with_the_result_of_its_film(settings, api, admin):
    async with routed(settings), connected(settings.hl7_port) as send:
        assert verdict(await send(order("MRN-200", "ACC-200", control_id="a1"))) == ("AA", "a1", "")
        assert verdict(await send(order("MRN-201", "ACC-201", kind="OMG^O19^OMG_O19", control_id="a2")))[0] == "AA"
    for number, accession in (("MRN-200", "ACC-200"), ("MRN-OTHER", "ACC-201")):
        await api.post("/dicom-web/studies", **pushed(file_of(film(number, AccessionNumber=accession))))
    await ended(admin, "done", 2)
    [made] = await of_patient(api, "MRN-200")
    [found], based_on = await basis_of(api, made["id"])
    assert based_on == [{"reference": f"ServiceRequest/{made['id']}-order"}]
    kinds = {one["type"]["coding"][0]["code"]: one["value"] for one in found["identifier"]}
    assert kinds == {"PLAC": "P-77", "FILL": "F-88", "ACSN": "ACC-200"}
    assert found["requester"] == {
        "type": "Practitioner", "identifier": {"value": "D9"}, "display": "Gregory House",
    }  # fmt: skip
    assert (await api.get(f"/fhir/ServiceRequest/{made['id']}-order")).json() == found
    # An order of somebody else under the same accession number is not this film's.
    [other] = await of_patient(api, "MRN-OTHER")
    assert await basis_of(api, other["id"]) == (
        [],
        [{"type": "ServiceRequest", "identifier": based_on_accession("ACC-201")}],
    )


def based_on_accession(value):
    system = "http://terminology.hl7.org/CodeSystem/v2-0203"
    coding = {"system": system, "code": "ACSN", "display": "Accession number"}
    return {"type": {"coding": [coding]}, "value": value}


async def test_what_is_cancelled_is_forgotten_and_what_is_sent_again_is_done_once(settings, api):
    async with routed(settings), connected(settings.hl7_port) as send:
        before = await counted(settings, OrderRow)
        new, gone = order("MRN-210", "ACC-210", control_id="b1"), order("MRN-210", "ACC-210", "CA", control_id="b2")
        for text, waiting in ((new, 1), (new, 1), (gone, 0), (gone, 0), (new, 0)):
            assert verdict(await send(text))[0] == "AA"
            assert await counted(settings, OrderRow) == before + waiting
        # The same control id with another order in it is another message: some senders count anew each night.
        other = order("MRN-211", "ACC-211", control_id="b1")
        assert verdict(await send(other))[:2] == ("AA", "b1")
        assert await counted(settings, OrderRow) == before + 1


async def test_a_merge_waits_for_a_person_and_comes_once(settings, api, admin):
    async def proposals():
        return (await admin.get("/v1/patient-merges")).json()["items"]

    record = '{"age": 67, "gender": "female"}'
    for number in ("MRN-220", "MRN-221"):
        await api.post("/v1/assessments", files={"clinical": (None, record), "patient_number": (None, number)})
    async with routed(settings), connected(settings.hl7_port) as send:
        text = merge("MRN-220", "MRN-221", control_id="c1")
        for _ in range(2):
            assert verdict(await send(text))[0] == "AA"
        [waiting] = await proposals()
        assert (waiting["retired_number"], waiting["surviving_number"]) == ("MRN-220", "MRN-221")
        assert waiting["note"] == "ADT^A40 of RIS|HOSPITAL, message c1"
        assert (await admin.post(f"/v1/patient-merges/{waiting['id']}/confirm")).status_code == 200
        # Sent again once it was decided, by the same message and by another one: nothing is proposed again.
        for again in (text, merge("MRN-220", "MRN-221", control_id="c2"), merge("NOBODY", "MRN-221", control_id="c3")):
            assert verdict(await send(again))[0] == "AA"
    assert await counted(settings, PatientMergeRow) == 1
    [kept] = (await of_patient(api, "MRN-220"),)
    assert len(kept) == 2


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (header("ADT^A08"), "AR", "ADT^A08 is not taken here: send ORM^O01"),
        (order(sender="STRANGER|HOSPITAL"), "AR", "may not send from here"),
        (order(sender="FAR|AWAY"), "AR", "may not send from here"),
        (order(processing="T"), "AR", "MSH-11 is 'T'"),
        (order(accession="").replace("F-88", ""), "AE", "no accession number"),
        (order(accession="12345678901234567"), "AE", "no accession number of at most 16"),
        (header("ORM^O01"), "AE", "There is no order (OBR)"),
        (merge("", "MRN-1"), "AE", "MRG-1"),
        (merge("MRN-1", "MRN-1").rsplit("MRG", 1)[0], "AE", "no MRG segment"),
        (order(number="N" * 70), "AE", "up to 64 printable characters"),
        (order(characters="UNICODE UTF-16"), "AE", "MSH-18 is UNICODE UTF-16; read are"),
        (order(characters="ASCII"), "AE", "not in ASCII"),
        (order(accession="\\.sp999999999999\\"), "AE", "has formatting in it"),
        ("hello", "AE", "no HL7 v2 message"),
        (order(control_id=""), "AE", "MSH-10 is empty"),
    ],
)
async def test_what_is_wrong_is_told_with_its_cure(settings, api, text, code, words):
    async with routed(settings), connected(settings.hl7_port) as send:
        before = await counted(settings, OrderRow)
        got, _, said = verdict(await send(text))
        assert (got, words in said.replace("\\S\\", "^")) == (code, True), said
        # The connection goes on.
        assert verdict(await send(order("MRN-1", "ACC-1", control_id="fine")))[0] == "AA"
        assert await counted(settings, OrderRow) <= before + 1


async def test_each_character_set_is_read_as_it_says(settings, api):
    async with routed(settings):
        for characters, encoding in (("8859/1", "latin-1"), ("UNICODE UTF-8", "utf-8")):
            async with connected(settings.hl7_port, encoding=encoding) as send:
                text = order("MRN-é", f"ACC-{encoding}", characters=characters, control_id=encoding)
                assert verdict(await send(text.replace("Ś", "S")))[0] == "AA"
    database = database_of(settings)
    patients = Patients(database.sessions, installation_key(settings))
    organisation = await Accounts(database.sessions).first_organisation(settings.organisation)
    for encoding in ("latin-1", "utf-8"):
        found = await Orders(database.sessions, patients).find(organisation, f"ACC-{encoding}", None)
        assert found.patient_number == "MRN-é"
    await database.close()


async def test_a_database_that_is_away_has_the_sender_try_again(settings, api, monkeypatch):
    async def broken(*_):
        raise OSError("no space left on device")

    async with routed(settings), connected(settings.hl7_port) as send:
        text = order("MRN-230", "ACC-230", control_id="d1")
        with monkeypatch.context() as patch:
            patch.setattr(Orders, "note", broken)
            assert verdict(await send(text)) == ("AE", "d1", "It could not be stored now: send it again.")
        assert verdict(await send(text))[0] == "AA"


async def test_orders_and_messages_go_when_they_are_over_and_with_their_patient(settings, api, admin):
    record = '{"age": 67, "gender": "female"}'
    await api.post("/v1/assessments", files={"clinical": (None, record), "patient_number": (None, "MRN-240")})
    async with routed(settings), connected(settings.hl7_port) as send:
        assert verdict(await send(order("MRN-240", "ACC-240", control_id="e1")))[0] == "AA"
    exported = (await admin.get("/v1/patients/MRN-240/export")).json()
    assert [one["accession"] for one in exported["orders"]] == ["ACC-240"]
    before = await counted(settings, OrderRow)
    assert (await admin.delete("/v1/patients/MRN-240")).status_code == 204
    assert await counted(settings, OrderRow) == before - 1
    async with opened(settings) as session:
        old = now() - REMEMBERED * 2
        await session.execute(update(MessageRow).values(received_at=old))
        await session.execute(update(OrderRow).values(received_at=old))
    database = database_of(settings)
    await Retention(database.sessions, 90, 730).delete_expired()
    await database.close()
    assert await counted(settings, OrderRow) == await counted(settings, MessageRow) == 0


async def test_orders_are_kept_alike_in_both_databases(tmp_path, database_url):
    here = GatewaySettings(state_dir=tmp_path, database_url=SecretStr(database_url), _env_file=None)
    prepare(here)
    database = database_of(here, durable=True)
    patients = Patients(database.sessions, installation_key(here))
    organisation = await Accounts(database.sessions).first_organisation("Clinic")
    orders = Orders(database.sessions, patients)
    first, second = AnnouncedMessage("hl7:RIS|H", b"1"), AnnouncedMessage("hl7:RIS|H", b"2")
    known = Order(accession="A-1", patient_number="MRN-1", filler=("F-1",))
    await orders.note(organisation, first, [known, Order(accession="A-2")])
    assert await orders.heard(organisation, first)
    assert not await orders.heard(organisation, second)
    assert await orders.find(organisation, " A-1 ", "MRN-1 ") == known
    assert await orders.find(organisation, "A-1", "MRN-2") is None
    assert (await orders.find(organisation, "A-2", "MRN-2")).accession == "A-2"
    assert await orders.of_patient(organisation, ["MRN-1", "MRN-9"]) == [known]
    changed = known.model_copy(update={"filler": ("F-2",)})
    await orders.note(organisation, second, [changed], ["A-2"])
    await orders.note(organisation, second, [changed], ["A-2"])
    assert await orders.find(organisation, "A-1", None) == changed
    assert (await orders.backlog(organisation)).waiting == 1
    await database.close()


@asynccontextmanager
async def alone(reasons, tls=None, peers=PEERS):
    async def take(received):
        pass

    async def turn_away(reason):
        reasons.append(reason)

    async with open_hl7_door(Hl7Door("127.0.0.1", 0, peers, tls), take, turn_away) as port:
        yield port


async def closed_after(port, data, wait=5):
    """Whether the connection is closed once this was sent, and what was said before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        async with asyncio.timeout(wait):
            return await reader.read()
    except ConnectionResetError:  # it closed while there was more to come
        return b""
    finally:
        writer.close()


async def test_a_peer_that_hangs_sends_too_much_or_is_no_peer_is_closed(monkeypatch):
    reasons = []
    monkeypatch.setattr(doors, "MESSAGE_S", 0.3)
    monkeypatch.setattr(doors, "IDLE_S", 0.6)
    async with alone(reasons) as port:
        for data in (b"\x0bMSH|", b"", b"GET / HTTP/1.1\r\n\r\n", b"\x0b" + b"x" * 300_000):
            assert await closed_after(port, data) == b""
        assert reasons == ["hl7_silence", "hl7_framing", "hl7_too_large"]
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(doors.CONNECTIONS)]
        assert await closed_after(port, b"") == b""
        assert reasons[-1] == "hl7_too_many_connections"
        for _, writer in idle:
            writer.close()
    async with alone(reasons, peers={"RIS|HOSPITAL": ("10.0.0.9",)}) as port:
        assert await closed_after(port, b"") == b""
    assert reasons[-1] == "hl7_address"


async def test_over_tls_a_sender_shows_a_certificate_that_is_good(tmp_path, monkeypatch):
    ours, good, old = (certificate(tmp_path, *each) for each in (("ours", 2), ("good", 2), ("old", -2)))
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(good[0].read_text() + old[0].read_text())
    monkeypatch.setattr(doors, "HANDSHAKE_S", 1)
    reasons = []

    def shown(files):
        made = ssl.create_default_context(cafile=ours[0])
        if files:
            made.load_cert_chain(*files)
        return made

    async with alone(reasons, ServerContext.of(*ours, trusted)) as port:
        async with connected(port, shown(good)) as send:
            assert verdict(await send(order()))[0] == "AA"
        for files in (old, None):
            with pytest.raises((OSError, asyncio.IncompleteReadError)):
                async with connected(port, shown(files)) as send:
                    await send(order())
        assert await closed_after(port, b"") == b""
    assert reasons == ["hl7_tls"] * 3


async def test_strangers_are_counted_where_films_are(settings, api, admin):
    async with routed(settings), connected(settings.hl7_port) as send:
        await send(order(sender="STRANGER|HOSPITAL"))
    assert (await routing(admin))["turned_away"]["hl7_sender"] >= 1
