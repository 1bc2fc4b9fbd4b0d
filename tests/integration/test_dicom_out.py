"""Results go into the source's own study: over the API, and through the outbox into archives that are not ours."""

import asyncio
import gc
import io
import json
import os
import shutil
import socket
import subprocess
import sys
from uuid import UUID

import pydicom
import pytest
from pynetdicom import AE, AllStoragePresentationContexts, evt

from gateway.assessing.outbox_worker import OutboxWorker
from gateway.assessing.routing import OF_RESULTS, add_destination, list_destinations
from gateway.interop.dicom import installed
from gateway.interop.dicom.deliver import deliverers
from gateway.interop.dicom.destinations import DimseDestination
from gateway.interop.dicom.store import COMMITMENT
from gateway.settings import GatewaySettings
from tests.conftest import open_gateway, shared_services
from tests.dicom import program, said, source_file
from tests.integration.people import administrator_of, client, invited, system_of
from tests.pdf import text_of

# A connection that is refused leaves the library's socket to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
KINDS = ("sr", "sc", "heatmap", "pr", "pdf")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.app.OUTBOX_WORKERS", 0)  # the tests say when something is sent
        yield GatewaySettings(
            state_dir=tmp_path_factory.mktemp("dicom"),
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
def source():
    return source_file()


@pytest.fixture(autouse=True)
def _collected():
    yield
    gc.collect()


async def made(caller, image, number="MRN-1"):
    files = {"image": ("film", image), "patient_number": (None, number)}
    answer = await caller.post("/v1/assessments", files=files)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def fetched(caller, identity, kind, status=200):
    answer = await caller.get(f"/v1/assessments/{identity}/dicom/{kind}.dcm")
    assert answer.status_code == status, answer.text
    if status != 200:
        return answer.json()
    assert answer.headers["content-type"] == "application/dicom"
    return pydicom.dcmread(io.BytesIO(answer.content))


async def act(caller, identity, action, **body):
    answer = await caller.post(f"/v1/assessments/{identity}/{action}", json=body or None)
    assert answer.status_code == 200, answer.text


def context(api):
    return api._transport.app.state.context


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Archive:
    """A storage provider on loopback; those of others listen on every address, and have a test of their own."""

    def __init__(self, port, status=0x0000):
        self.port, self.status, self.kept, self.asked = port, status, [], {}

    def __enter__(self):
        installed.require_installed()
        entity = AE(ae_title="ARCHIVE")
        entity.supported_contexts = AllStoragePresentationContexts
        entity.add_supported_context(COMMITMENT)
        handlers = [(evt.EVT_C_STORE, self._store), (evt.EVT_N_ACTION, self._ask)]
        self._server = entity.start_server(("127.0.0.1", self.port), block=False, evt_handlers=handlers)
        return self

    def __exit__(self, *_):
        self._server.shutdown()

    def _ask(self, event):
        asked = event.action_information
        self.asked[str(asked.TransactionUID)] = [
            str(one.ReferencedSOPInstanceUID) for one in asked.ReferencedSOPSequence
        ]
        return 0x0000, None

    def _store(self, event):
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        self.kept.append(dataset)
        return self.status

    @property
    def once(self):
        """What it has, each object once."""
        return {item.SOPInstanceUID: item for item in self.kept}.values()


async def work(api):
    """What the outbox's worker does, until nothing is due."""
    ctx = context(api)
    worker = OutboxWorker(ctx.dicom.outbox, ctx.dicom.destinations, deliverers(ctx.dicom, ctx.dicom.outbox))
    while claim := await ctx.dicom.outbox.claim(worker.breaker.paused()):
        await worker.work_on(claim)


async def deliveries(api, admin):
    organisation = UUID((await admin.get("/v1/accounts/me")).json()["organisation_id"])
    return await context(api).dicom.outbox.page(organisation, 100)


async def test_each_object_is_fetched_and_the_study_stays_one(clinician, source, tmp_path):
    identity = await made(clinician, source)
    files = [tmp_path / "source.dcm"]
    files[0].write_bytes(source)
    for kind in KINDS:
        answer = await clinician.get(f"/v1/assessments/{identity}/dicom/{kind}.dcm")
        assert answer.status_code == 200, answer.text
        files.append(tmp_path / f"{kind}.dcm")
        files[-1].write_bytes(answer.content)
        assert "Error" not in said(program("dciodvfy"), "-new", files[-1]), kind
    assert "Error" not in said(program("dcentvfy"), *files)
    assert "PRELIMINARY" in said(program("dsrdump"), files[1])


async def test_a_review_is_told_by_new_versions_and_a_withdrawal_by_a_note(clinician, source):
    identity = await made(clinician, source)
    first = await fetched(clinician, identity, "sr")
    assert (first.PreliminaryFlag, first.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    assert (await fetched(clinician, identity, "ko", 404))["reason"] == "not_withdrawn"
    await act(clinician, identity, "sign")
    signed = await fetched(clinician, identity, "sr")
    assert (signed.PreliminaryFlag, signed.VerificationFlag) == ("FINAL", "VERIFIED")
    assert signed.VerifyingObserverSequence[0].VerifyingObserverName == "doctor@clinic.example^"
    await act(clinician, identity, "amend", reason="Grade two", findings={"knees": [{"side": "right", "kl_grade": 4}]})
    amended = await fetched(clinician, identity, "sr")
    assert len({first.SOPInstanceUID, signed.SOPInstanceUID, amended.SOPInstanceUID}) == 3
    assert "kl-4" in str(amended)
    await act(clinician, identity, "withdraw", reason="Another patient's film")
    assert (await fetched(clinician, identity, "sr", 409))["reason"] == "withdrawn"
    note = await fetched(clinician, identity, "ko")
    assert note.ConceptNameCodeSequence[0].CodeMeaning == "Rejected for Patient Safety Reasons"
    assert {str(uid) for uid in (first.SOPInstanceUID, signed.SOPInstanceUID)} <= set(str(note).split("'")) | set(
        str(note).split()
    )


async def test_a_picture_that_was_no_dicom_file_has_no_study(clinician, knee_jpeg):
    identity = await made(clinician, knee_jpeg, "MRN-JPEG")
    for problem in (
        await fetched(clinician, identity, "sr", 409),
        (await clinician.post(f"/v1/assessments/{identity}/dicom/send", json={"destination": "archive"})).json(),
    ):
        assert problem["type"] == "urn:trabecula:problem:no-dicom-source"


async def test_a_pseudonym_does_not_meet_the_name(clinician, source, api, monkeypatch):
    monkeypatch.setattr(context(api).assessments.settings, "dicom_patient_id", "ignore")
    identity = await made(clinician, source, "PSEUDONYM-7")
    report = await fetched(clinician, identity, "pdf")
    words = text_of(report.EncapsulatedDocument)
    assert ("MRN-1" in words, "PSEUDONYM-7" in words) == (True, False)
    assert "PSEUDONYM-7" not in str(await fetched(clinician, identity, "sr"))


async def test_patients_and_strangers_get_nothing(settings, api, admin, clinician, source):
    identity = await made(clinician, source)
    async with (
        await invited(admin, api, "jane@home.example", "patient", patient_number="MRN-1") as patient,
        await system_of(settings, api, "assessments:read assessments:write", "Elsewhere") as elsewhere,
        client(api) as nobody,
    ):
        for caller, status in ((patient, 403), (elsewhere, 404), (nobody, 401)):
            await fetched(caller, identity, "sr", status)
            sent = await caller.post(f"/v1/assessments/{identity}/dicom/send", json={"destination": "archive"})
            assert sent.status_code == status


async def test_without_the_extra_it_is_named(clinician, source, monkeypatch):
    identity = await made(clinician, source)
    monkeypatch.setattr(installed, "PACKAGES", ("no_such_package",))
    problem = await fetched(clinician, identity, "sr", 501)
    assert problem["type"] == "urn:trabecula:problem:not-installed"
    assert "trabecula[interop]" in problem["detail"]
    sent = await clinician.post(f"/v1/assessments/{identity}/dicom/send", json={"destination": "archive"})
    assert sent.status_code == 501


async def test_an_archive_gets_what_is_asked_for_and_has_it_once(settings, api, admin, clinician, source):
    port = free_port()
    told_by = DimseDestination(host="127.0.0.1", port=port, called_aet="ARCHIVE").model_dump(mode="json")
    await add_destination(settings, "dicom", "archive", (), told_by)
    identity = await made(clinician, source)
    address = f"/v1/assessments/{identity}/dicom/send"
    with Archive(port) as archive:
        for _ in range(2):
            answer = await clinician.post(address, json={"destination": "archive"})
            assert answer.status_code == 202, answer.text
        await work(api)
        await clinician.post(address, json={"destination": "archive"})
        await work(api)
    assert sorted(item.Modality for item in archive.once) == ["DOC", "OT", "PR", "SR"]
    assert len(archive.kept) == 8
    assert {item.StudyInstanceUID for item in archive.kept} == {pydicom.dcmread(io.BytesIO(source)).StudyInstanceUID}
    assert {delivery.state for delivery in await deliveries(api, admin)} == {"sent"}
    wrong = await clinician.post(address, json={"destination": "nowhere"})
    assert (wrong.status_code, "archive" in wrong.json()["detail"]) == (422, True)
    lines = (await admin.get("/v1/audit", params={"subject": identity})).json()["items"]
    assert {"delivery asked for", "DICOM objects read"} <= {line["action"] for line in lines}
    assert any(line["actor"].startswith("destination:") for line in lines)


async def test_what_is_erased_is_sent_no_more_and_leaves_nothing(settings, api, admin, clinician, source):
    port = free_port()
    told_by = DimseDestination(host="127.0.0.1", port=port, called_aet="ARCHIVE", objects=("sr",))
    await add_destination(settings, "dicom", "erased", (), told_by.model_dump(mode="json"))
    identity = await made(clinician, source)
    address = f"/v1/assessments/{identity}"
    with Archive(port) as archive:
        await clinician.post(f"{address}/dicom/send", json={"destination": "erased"})
        await work(api)
        assert len(await context(api).dicom.sent.of(UUID(identity))) == 1
        await clinician.post(f"{address}/dicom/send", json={"destination": "erased"})
        assert (await clinician.delete(address)).status_code == 204
        await work(api)
    assert len(archive.kept) == 1
    assert await context(api).dicom.sent.of(UUID(identity)) == ()


async def test_what_was_sent_is_taken_back_once_it_is_withdrawn(settings, api, admin, clinician, source):
    port, unused = free_port(), free_port()
    for name, at in (("house", port), ("unreached", unused)):
        told_by = DimseDestination(host="127.0.0.1", port=at, called_aet="ARCHIVE", objects=("sr",))
        await add_destination(settings, "dicom", name, OF_RESULTS, told_by.model_dump(mode="json"))
    with Archive(port) as archive:
        identity = await made(clinician, source)
        await work(api)
        await act(clinician, identity, "sign")
        await work(api)
        await act(clinician, identity, "withdraw", reason="Another patient's film")
        await work(api)
        await work(api)
    reports = {item.SOPInstanceUID for item in archive.once if item.Modality == "SR"}
    [note] = [item for item in archive.once if item.Modality == "KO"]
    rejected = {
        instance.ReferencedSOPInstanceUID
        for series in note.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }
    assert (len(reports), rejected) == (2, reports)
    # An archive that nothing has reached has nothing to reject.
    there = {place["name"]: UUID(place["id"]) for place in await list_destinations(settings)}
    assert await context(api).dicom.sent.of(UUID(identity), there["unreached"]) == ()
    states = {
        item.event_type: item for item in await deliveries(api, admin) if item.destination_id == there["unreached"]
    }
    assert states["assessment.completed"].state == "waiting"
    assert "cannot be reached" in states["assessment.completed"].last_error


async def test_what_is_withdrawn_while_it_is_sent_is_taken_back_at_once(settings, api, clinician, source):
    told_by = DimseDestination(host="127.0.0.1", port=1, called_aet="SLOW", objects=("sr",))
    await add_destination(settings, "dicom", "slow", (), told_by.model_dump(mode="json"))
    identity, loop, arrived = await made(clinician, source), asyncio.get_running_loop(), []

    def send(objects, to):
        arrived.extend(item.kind for item in objects)
        if arrived == ["sr"]:
            gone = act(clinician, identity, "withdraw", reason="Another patient's film")
            asyncio.run_coroutine_threadsafe(gone, loop).result(timeout=30)

    await clinician.post(f"/v1/assessments/{identity}/dicom/send", json={"destination": "slow"})
    ctx = context(api)
    outbox = ctx.dicom.outbox
    deliverer = deliverers(ctx.dicom, outbox)["dicom"]
    patched = type(deliverer)(ctx.dicom, DimseDestination, send, outbox)
    worker = OutboxWorker(outbox, ctx.dicom.destinations, {"dicom": patched})
    there = {place["name"]: UUID(place["id"]) for place in await list_destinations(settings)}
    others = {identity for name, identity in there.items() if name != "slow"}
    claim = await outbox.claim(others)
    await worker.work_on(claim)
    assert arrived == ["sr", "ko"]


async def test_a_result_is_sent_once_the_archive_confirms_that_it_keeps_it(settings, api, admin, clinician, source):
    port, identity = free_port(), await made(clinician, source)
    told_by = DimseDestination(host="127.0.0.1", port=port, called_aet="ARCHIVE", objects=("sr",), commitment=True)
    place = await add_destination(settings, "dicom", "keeper", (), told_by.model_dump(mode="json"))
    there = {one["name"]: UUID(one["id"]) for one in await list_destinations(settings)}
    others = {one for name, one in there.items() if name != "keeper"}
    body = {"destination": "keeper"}
    sent = (await clinician.post(f"/v1/assessments/{identity}/dicom/send", json=body)).json()
    ctx = context(api)
    worker = OutboxWorker(ctx.dicom.outbox, ctx.dicom.destinations, deliverers(ctx.dicom, ctx.dicom.outbox))

    async def stands():
        mine = [one for one in await deliveries(api, admin) if one.destination_id == UUID(place["id"])]
        return [(one.state, one.attempts) for one in mine]

    with Archive(port) as archive:
        await worker.work_on(await ctx.dicom.outbox.claim(others))
    [uid] = archive.asked
    assert archive.asked[uid] == [str(one.SOPInstanceUID) for one in archive.kept]
    assert await stands() == [("committing", 1)]
    assert await ctx.dicom.outbox.committed(uid, 0)
    assert await stands() == [("sent", 1)]
    assert sent["status"] == "waiting"


async def apart(module, *files):
    """What a program of the tests prints that runs in a network of its own."""
    for name in ("Orthanc", "storescp", "unshare", "ip"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not on this machine (apt install orthanc orthanc-dicomweb dcmtk iproute2)")
    if "not" in await asyncio.to_thread(said, "unshare", "-n", "true"):
        # No program that could be installed: a container without the right for it lacks it for good.
        pytest.xfail("NOT RUN: this machine lets nobody make a network of one's own (unshare -n)")
    script = f'ip link set lo up && exec "{sys.executable}" -m {module} "$@"'
    command = ["unshare", "-n", "sh", "-c", script, "sh", *map(str, files)]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


async def test_an_archive_that_is_not_ours_takes_them_by_stow_and_by_store(clinician, source, tmp_path):
    identity, files = await made(clinician, source), []
    for kind in KINDS:
        answer = await clinician.get(f"/v1/assessments/{identity}/dicom/{kind}.dcm")
        files.append(tmp_path / f"{kind}.dcm")
        files[-1].write_bytes(answer.content)
    told = await apart("tests.integration.orthanc_archive", *files)
    assert told["before it runs"] == "NotReached"
    assert (len(told["instances"]), len(told["studies"])) == (len(KINDS), 1)
    assert len(told["kept by storescp"]) == len(KINDS)


async def test_an_archive_that_is_not_ours_confirms_what_it_keeps(clinician, source, tmp_path):
    identity, file = await made(clinician, source), tmp_path / "sr.dcm"
    file.write_bytes((await clinician.get(f"/v1/assessments/{identity}/dicom/sr.dcm")).content)
    told = await apart("tests.integration.orthanc_commitment", file)
    assert told == {"2.25.1001": 0, "2.25.1002": 1, "2.25.1003": 0, "counted": "commitment_unknown"}


async def test_a_running_gateway_sends_by_itself_and_restricted_patients_results_too(tmp_path, source, monkeypatch):
    """An archive has the film and rules of its own about who sees what; a restriction here keeps nothing from it."""
    monkeypatch.setattr("gateway.app.OUTBOX_WORKERS", 2)
    monkeypatch.setattr("gateway.assessing.outbox_worker.LOOK_EVERY_S", 0.05)
    settings, port = GatewaySettings(state_dir=tmp_path, _env_file=None), free_port()
    told_by = DimseDestination(host="127.0.0.1", port=port, called_aet="ARCHIVE", objects=("sr",))
    async with (
        open_gateway(settings, shared_services()) as api,
        await administrator_of(settings, api, "root@clinic.example") as admin,
    ):
        first = await made(admin, source)
        assert (await admin.put("/v1/patients/MRN-1/restriction")).status_code == 204
        await add_destination(settings, "dicom", "house", OF_RESULTS, told_by.model_dump(mode="json"))
        with Archive(port) as archive:
            made_later = await api.post(
                "/v1/assessments", files={"image": ("film", source), "patient_number": (None, "MRN-1")}
            )
            assert made_later.status_code == 201, made_later.text
            for _ in range(200):
                if archive.kept:
                    break
                await asyncio.sleep(0.05)
        [report] = archive.once
        assert report.Modality == "SR"
        assert first != made_later.json()["id"]
