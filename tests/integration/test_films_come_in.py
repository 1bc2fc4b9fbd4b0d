"""Films come in by themselves: by C-STORE and STOW-RS, once each, and each becomes an assessment or says why not."""

import asyncio
import base64
import datetime as dt
import ipaddress
import json
import shutil
import socket
import ssl
import subprocess
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from pynetdicom import AE
from sqlalchemy import select
from typer.testing import CliRunner

from gateway.app import FILM_FIGURES_S
from gateway.assessing.administration import organisation_of, prepare
from gateway.cli import app
from gateway.interop.dicom import receive, router, stow_in
from gateway.interop.dicom.door_tls import ServerContext
from gateway.interop.dicom.receive import Door, open_door
from gateway.interop.dicom.received import FILM_CLASSES, received_film
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import FilmRow
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import operator_of
from gateway.records.film_queue import RETRY_S, FilmQueue
from gateway.records.films import URGENT, Films
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from shared.problems import Conflict, NotFound
from tests.dicom import said
from tests.films import file_of, film, pushed

DX, EXPLICIT = FILM_CLASSES[1], "1.2.840.10008.1.2.1"
PEERS = {"CR1": ("127.0.0.1",), "ELSEWHERE": ("10.9.9.9",)}
run = CliRunner()
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("films"), dicom_port=free_port(), dicom_peers=PEERS, logins_per_minute=1000,
        logins_per_address_per_minute=1000, _env_file=None,
    )  # fmt: skip


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@asynccontextmanager
async def serving(settings):
    task = asyncio.create_task(router.serve(settings))
    try:
        for _ in range(100):
            if task.done():
                task.result()
            if await asyncio.to_thread(associated, settings.dicom_port):
                break
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def association(port, calling="CR1", called="TRABECULA", of_class=DX, syntax=EXPLICIT, tls=None):
    entity = AE(ae_title=calling)
    entity.connection_timeout = entity.acse_timeout = entity.dimse_timeout = 10
    entity.add_requested_context(of_class, [syntax])
    entity.add_requested_context("1.2.840.10008.1.1")
    opened = entity.associate("127.0.0.1", port, ae_title=called, tls_args=tls)
    try:
        yield opened
    finally:
        if opened.is_established:
            opened.release()


def associated(port, **more):
    with association(port, **more) as opened:
        return opened.is_established


def sent(port, *films, priority=0, **more):
    """The statuses of C-STORE."""
    with association(port, **more) as opened:
        assert opened.is_established
        return [opened.send_c_store(dataset, priority=priority).get("Status") for dataset in films]


async def until(ask, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := await ask():
            return found
        await asyncio.sleep(0.1)
    pytest.fail("it did not happen in time")


async def routing(admin):
    return (await admin.get("/v1/routing")).json()


async def ended(admin, state, count):
    async def ask():
        answer = await routing(admin)
        return answer if answer["films"]["counts"].get(state, 0) >= count and not answer["films"]["waiting"] else None

    return await until(ask)


async def of_patient(api, number):
    return (await api.get(f"/v1/assessments?patient_number={number}")).json()["items"]


async def test_a_film_becomes_one_assessment_of_its_patient_however_often_it_comes(settings, api, admin):
    first = film("MRN-100")
    async with serving(settings):
        assert await asyncio.to_thread(sent, settings.dicom_port, first, first) == [0, 0]
        await ended(admin, "done", 1)
        assert await asyncio.to_thread(sent, settings.dicom_port, first) == [0]
    [made] = await of_patient(api, "MRN-100")
    assert made["source"]["sop_uid"] == first.SOPInstanceUID
    assert made["staging"]["knees"]
    assert (await routing(admin))["films"]["counts"]["done"] == 1


async def test_other_pixels_under_the_same_uid_are_kept_and_reported(settings, api, admin):
    first, other = film("MRN-101"), film("MRN-101", seed=2)
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = first.SOPInstanceUID
    async with serving(settings):
        assert await asyncio.to_thread(sent, settings.dicom_port, first, other) == [0, 0]
        answer = await ended(admin, "dead", 1)
    [dead] = [item for item in answer["dead_films"] if item["sop_uid"] == first.SOPInstanceUID]
    assert (dead["reason"], dead["accession"], dead["source"]) == ("uid_reused", "A-1", "dicom:CR1")
    assert len(await of_patient(api, "MRN-101")) == 1
    again = await admin.post(f"/v1/routing/{dead['id']}/retry")
    assert again.status_code == 409
    assert "UID of its own" in again.json()["detail"]


async def test_what_is_no_knee_or_spine_is_taken_and_ignored_and_what_is_refused_says_why(settings, api, admin):
    chest, own = film("MRN-102", BodyPartExamined="CHEST"), film("MRN-102", Manufacturer="Trabecula")
    blank = film("MRN-102")
    blank.PixelData = bytes(len(blank.PixelData))
    async with serving(settings):
        assert await asyncio.to_thread(sent, settings.dicom_port, chest, own, blank) == [0, 0, 0]
        answer = await ended(admin, "refused", 1)
    assert answer["films"]["counts"]["ignored"] >= 2
    assert await of_patient(api, "MRN-102") == []
    async with rows(settings) as found:
        [refused] = [row for row in found if row.state == "refused"]
        assert refused.reason
        assert (refused.content, refused.header, refused.patient_hash) == (None, None, None)
        assert all(row.content is None and row.header is None for row in found if row.state == "ignored")


@asynccontextmanager
async def rows(settings):
    database = database_of(settings)
    async with database.sessions() as session:
        yield (await session.scalars(select(FilmRow))).all()
    await database.close()


async def test_strangers_are_turned_away_and_counted(settings, api, admin):
    async with serving(settings):
        port = settings.dicom_port
        assert not await asyncio.to_thread(associated, port, calling="NOBODY")
        assert not await asyncio.to_thread(associated, port, called="OTHER")

        def from_elsewhere():
            with association(port, calling="ELSEWHERE") as opened:
                for _ in range(100):
                    if opened.is_established:
                        time.sleep(0.1)
                return opened.is_established

        assert not await asyncio.to_thread(from_elsewhere)
        deflated = "1.2.840.10008.1.2.1.99"

        def unknown_syntax():
            with association(port, syntax=deflated) as opened:
                return [context.abstract_syntax for context in opened.accepted_contexts]

        assert await asyncio.to_thread(unknown_syntax) == ["1.2.840.10008.1.1"]
        nameless = film()
        del nameless.StudyInstanceUID
        assert await asyncio.to_thread(sent, port, nameless) == [0xC000]

        async def counted():
            found = (await routing(admin))["turned_away"]
            wanted = {"calling_aet", "called_aet", "address", "transfer_syntax", "missing_uid"}
            return found if wanted <= set(found) else None

        await until(counted)


async def test_a_full_disk_and_a_database_that_is_away_have_the_sender_try_again(settings, admin, monkeypatch):
    async with serving(settings):
        with monkeypatch.context() as patch:
            patch.setattr(receive, "disk_is_low", lambda _: True)
            assert await asyncio.to_thread(sent, settings.dicom_port, film()) == [0xA700]
        with monkeypatch.context() as patch:
            patch.setattr(Films, "add", broken)
            assert await asyncio.to_thread(sent, settings.dicom_port, film()) == [0xA700]
    assert (await routing(admin))["turned_away"]["disk_low"] == 1


async def broken(*_):
    raise OSError("no space left on device")


async def test_a_film_without_end_and_a_peer_that_hangs_are_given_up(tmp_path, monkeypatch):
    reasons = []
    monkeypatch.setattr(receive, "SILENCE_S", 1)
    monkeypatch.setattr(receive, "HANDSHAKE_S", 1)
    door = Door("TRABECULA", "127.0.0.1", 0, PEERS, None, tmp_path, 1000)
    large = film()
    large.PixelData, large.Rows = large.PixelData * 4, large.Rows * 4
    with open_door(door, lambda *_: pytest.fail("taken"), reasons.append, lambda *_: False) as port:
        with association(port) as opened:
            assert opened.send_c_store(large).get("Status") != 0
        with socket.create_connection(("127.0.0.1", port)) as silent:
            silent.settimeout(20)
            assert silent.recv(1) == b""
        assert associated(port)
    assert set(reasons) == {"too_large"}


def test_where_nobody_may_send_nobody_is_heard(tmp_path):
    door = Door("TRABECULA", "127.0.0.1", 0, {}, None, tmp_path, 40_000_000)
    reasons = []
    with open_door(door, lambda *_: pytest.fail("taken"), reasons.append, lambda *_: False) as port:
        assert not associated(port)
        with association(port, calling="(NOBODY)") as opened:
            for _ in range(100):
                if opened.is_established:
                    time.sleep(0.1)
            assert not opened.is_established
    assert reasons == ["calling_aet", "address"]


def certificate(folder, name, days):
    """A certificate of its own authority, good until so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(named, named, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now() - dt.timedelta(days=30)).not_valid_after(now() + dt.timedelta(days=days))
    there = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = made.add_extension(there, critical=False).sign(key, hashes.SHA256())
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(signed.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def test_over_tls_a_certificate_that_ran_out_is_not_heard_and_silence_holds_nobody_up(tmp_path, monkeypatch):
    ours, good, old = (certificate(tmp_path, *each) for each in (("ours", 2), ("good", 2), ("old", -2)))
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(good[0].read_text() + old[0].read_text())
    monkeypatch.setattr("gateway.interop.dicom.door_tls.HANDSHAKE_S", 1)
    reasons, taken = [], []
    door = Door("TRABECULA", "127.0.0.1", 0, PEERS, ServerContext.of(*ours, trusted), tmp_path, 40_000_000)

    def shown(files):
        made = ssl.create_default_context(cafile=ours[0])
        if files:
            made.load_cert_chain(*files)
        return made, "127.0.0.1"

    with open_door(door, lambda film, source: taken.append(source), reasons.append, lambda *_: False) as port:
        with socket.create_connection(("127.0.0.1", port)):
            assert sent(port, film(), tls=shown(good)) == [0]
        for files in (old, None):
            assert not associated(port, tls=shown(files))
    assert taken == ["dicom:CR1"]
    assert reasons == ["tls", "tls", "tls"]


def uids(answer, tag):
    return [item["00081155"]["Value"][0] for item in answer.get(tag, {}).get("Value", []) if "00081155" in item]


async def test_archives_push_films_by_stow(api, admin, monkeypatch):
    good, nameless = film("MRN-110"), film("MRN-110")
    del nameless.SeriesInstanceUID
    whole = await api.post("/dicom-web/studies", **pushed(file_of(good)))
    assert (whole.status_code, whole.headers["content-type"]) == (200, "application/dicom+json")
    assert uids(whole.json(), "00081199") == [good.SOPInstanceUID]
    some = await api.post("/dicom-web/studies", **pushed(file_of(good), file_of(nameless)))
    assert some.status_code == 202
    assert some.json()["00081198"]["Value"] == [{"00081197": {"vr": "US", "Value": [0xC000]}}]
    with monkeypatch.context() as patch:
        patch.setattr(stow_in, "disk_is_low", lambda _: True)
        none = await api.post("/dicom-web/studies", **pushed(file_of(good)))
    assert none.status_code == 409
    assert uids(none.json(), "00081198") == [good.SOPInstanceUID]
    await ended(admin, "done", 1)
    assert len(await of_patient(api, "MRN-110")) == 1


async def test_what_is_no_stow_is_told_how(api):
    answer = await api.post("/dicom-web/studies", files={"image": b"x"})
    assert answer.status_code == 415
    for wrong in (
        pushed(),
        {**pushed(b"x"), "content": pushed(b"x")["content"][:-10]},
        {**pushed(), "content": b"nothing"},
    ):
        assert (await api.post("/dicom-web/studies", **wrong)).status_code == 400


@pytest.mark.parametrize("pictures", [30, pytest.param(3000, marks=pytest.mark.router)])
async def test_of_a_study_of_3000_pictures_of_another_kind_nothing_is_kept(tmp_path, pictures):
    async with site(tmp_path) as (films, queue, who):
        slice_ = file_of(film(Modality="CT", SOPClassUID="1.2.840.10008.5.1.4.1.1.2"))
        received = received_film(slice_)
        for number in range(pictures):
            taken = await films.add(who.organisation_id, replace(received, sop_uid=f"1.2.{number}"), "stow")
            assert taken == "ignored"
        assert await queue.claim() is None
        assert (await queue.backlog()).counts == {"ignored": pictures}


@asynccontextmanager
async def site(folder, url=None):
    settings = GatewaySettings(state_dir=folder, database_url=SecretStr(url) if url else None, _env_file=None)
    prepare(settings)
    database = database_of(settings, durable=True)
    patients = Patients(database.sessions, installation_key(settings))
    who = operator_of(await organisation_of(Accounts(database.sessions), settings, None))
    yield Films(database.sessions, patients), FilmQueue(database.sessions, patients), who
    await database.close()


async def test_the_urgent_goes_first_and_what_fails_is_tried_again_until_it_is_dead(tmp_path, database_url):
    async with site(tmp_path, database_url) as (films, queue, who):
        first, second = film(), film(seed=2)
        await films.add(who.organisation_id, received_film(file_of(first)), "orthanc", "7")
        await films.add(who.organisation_id, received_film(file_of(second), URGENT), "orthanc", "8")
        assert await films.cursor(who.organisation_id, "orthanc") == "8"
        assert await films.known(who.organisation_id, {first.SOPInstanceUID, "1.2.3"}) == {first.SOPInstanceUID}
        claim = await queue.claim()
        assert claim.header["sop_uid"] == second.SOPInstanceUID
        assert claim.data == file_of(second)
        await queue.later(claim, "service_unavailable", "out of order", 600)
        other = await queue.claim()
        await queue.give_back(other)
        assert (await queue.claim()).attempts == 1
        assert await queue.claim() is None
        [line] = await queue.page(who.organisation_id, 5, film_id=claim.id)
        assert (line.state, line.attempts, line.last_error) == ("waiting", 1, "out of order")
        last = replace(other, attempts=len(RETRY_S) + 1, leased_until=(await lease(queue, other)))
        await queue.later(last, "service_unavailable", "out of order")
        [line] = await queue.page(who.organisation_id, 5, "dead")
        assert line.header["sop_uid"] == first.SOPInstanceUID
        with pytest.raises(Conflict):
            await queue.send_again(claim.id, who)
        with pytest.raises(NotFound):
            await queue.send_again(uuid4(), who)
        await queue.send_again(line.id, who)
        assert (await queue.claim()).attempts == 1


async def lease(queue, claim):
    async with queue._sessions() as session:
        return (await session.get_one(FilmRow, claim.id)).leased_until


async def test_erasure_takes_what_waits_and_no_archive_brings_it_back(settings, api, admin):
    done = film("MRN-120", seed=2)
    assert (await api.post("/dicom-web/studies", **pushed(file_of(done)))).status_code == 200
    await until(lambda: of_patient(api, "MRN-120"))
    async with site(settings.state_dir) as (films, queue, who):
        claim = None
        while claim is None:  # the gateway works on films meanwhile
            received = received_film(file_of(film("MRN-120")))
            await films.add(who.organisation_id, received, "qido")
            claim = await queue.claim()
        await queue.dead(claim, "service_ended", "x")
        exported = (await admin.get("/v1/patients/MRN-120/export")).json()["films"]
        assert received.data in [base64.b64decode(item["dicom_base64"]) for item in exported]
        assert (await admin.delete("/v1/patients/MRN-120")).status_code == 204
        assert await films.add(who.organisation_id, received, "qido") == "known"
    async with rows(settings) as found:
        [erased] = [row for row in found if row.id == claim.id]
        kept = (erased.content, erased.header, erased.patient_hash, erased.reason, erased.last_error)
        assert (erased.state, kept) == ("erased", (None,) * 5)


async def test_the_disk_and_the_metrics_name_nobody(settings, api, admin):
    for part in settings.state_dir.rglob("*"):
        assert part.is_dir() or b"DOE^JANE" not in part.read_bytes()
    await asyncio.sleep(FILM_FIGURES_S)
    answer = await api.get("/metrics", headers={"Authorization": f"Bearer {settings.metrics_key()}"})
    for name in ("depth", "oldest_waiting_seconds", 'films{state="dead"}', 'turned_away{reason="calling_aet"}'):
        assert f"trabecula_inbox_{name}" in answer.text


def test_the_operator_sees_how_it_stands_and_has_it_tried_again(settings, api, monkeypatch):
    monkeypatch.setenv("TRABECULA_STATE_DIR", str(settings.state_dir))

    def route(*arguments, code=0):
        done = run.invoke(app, ["route", *arguments], catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.output

    told = json.loads(route("status", "--json"))
    assert told["films"]["counts"]["done"] >= 1
    assert "Films" in route("status")
    [dead] = [item for item in json.loads(route("dead", "--json"))["films"] if item["reason"] == "uid_reused"]
    assert "uid_reused" in route("dead")
    with pytest.raises(Conflict):
        route("retry", dead["id"])


async def test_films_are_fetched_from_an_archive_that_is_not_ours():
    for name in ("Orthanc", "unshare", "ip"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not on this machine (apt install orthanc orthanc-dicomweb iproute2)")
    if "not" in await asyncio.to_thread(said, "unshare", "-n", "true"):
        # No program that could be installed: a container without the right for it lacks it for good.
        pytest.xfail("NOT RUN: this machine lets nobody make a network of one's own (unshare -n)")
    script = f'ip link set lo up && exec "{sys.executable}" -m tests.integration.orthanc_source'
    done = await asyncio.to_thread(
        subprocess.run, ["unshare", "-n", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["followed"] == {"orthanc: waiting": 1, "orthanc: ignored": 1}, "a CT is not even fetched"
    assert told["followed on"] == {"orthanc: waiting": 2, "orthanc: ignored": 1}
    assert (told["asked"], told["asked again"], told["reconciled"]) == (1, 0, 0)
    assert told["found at night"] == 1
