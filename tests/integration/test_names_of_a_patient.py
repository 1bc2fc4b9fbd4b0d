"""`patient_number` is the hospital's, `patient_id` is ours: neither is ever taken for the other."""

import json
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from gateway.cli.check import check
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import PatientRow
from gateway.platform.encryption import KeyEncryptionKey
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from shared.radiograph import phantom
from tests.conftest import open_gateway, shared_services
from tests.integration.people import PASSWORD, administrator_of, client, invited, signed_in
from tests.unit.shared.radiograph.dicom_files import changed

RECORD = '{"age": 67, "gender": "female"}'


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("names"),
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def clinician(admin, api):
    async with await invited(admin, api, "clinician@clinic.example", "clinician") as person:
        yield person


async def assessed(client, number):
    files = {"clinical": (None, RECORD), "patient_number": (None, number)}
    return await client.post("/v1/assessments", files=files)


async def the_patient(client, number):
    listed = (await client.get("/v1/patients")).json()["items"]
    return next(patient for patient in listed if patient["patient_number"] == number)


async def test_a_number_that_is_one_of_our_ids_is_refused_and_makes_no_second_patient(clinician):
    assert (await assessed(clinician, "MRN-1")).status_code == 201
    patient = await the_patient(clinician, "MRN-1")
    refused = await assessed(clinician, patient["id"])
    assert (refused.status_code, refused.json()["field"]) == (422, "patient_number")
    assert "MRN-1" in refused.json()["detail"]
    numbers = [found["patient_number"] for found in (await clinician.get("/v1/patients")).json()["items"]]
    assert numbers == ["MRN-1"]
    filtered = await clinician.get("/v1/assessments", params={"patient_number": patient["id"]})
    assert (filtered.status_code, filtered.json()["field"]) == (422, "patient_number")


async def test_a_uuid_that_is_none_of_ours_is_a_number_like_any_other(clinician):
    foreign = "0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d"
    made = (await assessed(clinician, foreign)).json()
    assert made["patient_number"] == foreign
    listed = (await clinician.get("/v1/assessments", params={"patient_number": foreign})).json()
    assert [assessment["id"] for assessment in listed["items"]] == [made["id"]]


async def test_the_old_name_is_refused_with_the_new_one(clinician):
    old = {"clinical": (None, RECORD), "patient_id": (None, "MRN-1")}
    for answer in (
        await clinician.post("/v1/assessments", files=old),
        await clinician.get("/v1/assessments", params={"patient_id": "MRN-1"}),
    ):
        assert (answer.status_code, answer.json()["field"]) == (422, "patient_id")
        assert "patient_number" in answer.json()["detail"]
    manifest = '{"cases": [{"reference": "a", "patient_id": "MRN-1", "clinical": ' + RECORD + "}]}"
    batch = await clinician.post("/v1/batches", files={"manifest": (None, manifest)})
    assert batch.status_code == 422
    assert "patient_number" in batch.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/assessments", "/v1/patients", "/v1/alerts", "/v1/batches", "/v1/models"])
async def test_a_parameter_that_nobody_knows_is_named(clinician, path):
    answer = await clinician.get(path, params={"limt": 5})
    assert (answer.status_code, answer.json()["field"]) == (422, "limt")
    assert "limt" in answer.json()["detail"]


async def test_a_patient_finds_itself_by_what_it_is_told_it_is(admin, clinician, api):
    await assessed(clinician, "MRN-7")
    async with await invited(admin, api, "p@home.example", "patient", patient_number="MRN-7"):
        pass
    async with await signed_in(api, "p@home.example") as patient:
        own = (await patient.get("/v1/accounts/me")).json()
        known = (await patient.get(f"/v1/patients/{own['patient_id']}")).json()
        assert (known["id"], known["patient_number"]) == (own["patient_id"], "MRN-7")
        listed = (await patient.get("/v1/assessments", params={"patient_number": "MRN-7"})).json()["items"]
        assert [assessment["patient_number"] for assessment in listed] == ["MRN-7"]


async def test_a_list_of_batches_is_a_line_of_the_trail(admin, clinician):
    await clinician.get("/v1/batches")
    lines = (await admin.get("/v1/audit")).json()["items"]
    assert "batches listed" in [line["action"] for line in lines]


# Every form in which a UUID is written; the last is with the digits of another script, which int() reads as well.
FORMS = (
    str,
    lambda identity: str(identity).upper(),
    lambda identity: identity.hex,
    lambda identity: f"{{{identity}}}",
    lambda identity: f"urn:uuid:{identity}",
    lambda identity: f" {identity} ",
    lambda identity: str(identity).translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}),
)


async def of_number(clinician, number):
    assert (await assessed(clinician, number)).status_code == 201
    return UUID((await the_patient(clinician, number))["id"])


@pytest.mark.parametrize("form", FORMS)
async def test_another_patients_id_is_refused_wherever_a_number_comes_in(admin, clinician, form):
    taken = form(await of_number(clinician, "MRN-DOORS"))
    body = {"email": "q@home.example", "role": "patient", "patient_number": taken}
    case = {"reference": "b", "patient_number": taken, "clinical": json.loads(RECORD)}
    other = {"reference": "a", "patient_number": "MRN-NOT-MADE", "clinical": json.loads(RECORD)}
    manifest = json.dumps({"cases": [other, case]})
    for answer, field in (
        (await assessed(clinician, taken), "patient_number"),
        (await clinician.get("/v1/assessments", params={"patient_number": taken}), "patient_number"),
        (await admin.post("/v1/invitations", json=body), "patient_number"),
        (
            await clinician.post("/v1/batches", files={"manifest": (None, manifest)}),
            "manifest.cases.1.patient_number",
        ),
    ):
        assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert "MRN-DOORS" in answer.json()["detail"]
    listed = [patient["patient_number"] for patient in (await clinician.get("/v1/patients")).json()["items"]]
    assert "MRN-NOT-MADE" not in listed, "a batch that is refused makes no patients"


async def test_a_number_that_is_an_id_is_refused_before_any_work_is_done(clinician):
    taken = str(await of_number(clinician, "MRN-EARLY"))
    files = {"image": ("knee.jpg", b"no picture at all"), "patient_number": (None, taken)}
    refused = await clinician.post("/v1/assessments", files=files)
    assert (refused.status_code, refused.json().get("field")) == (422, "patient_number")


async def test_the_number_in_a_dicom_file_is_refused_as_well(tmp_path):
    settings = GatewaySettings(state_dir=tmp_path, dicom_patient_id="use", _env_file=None)
    async with open_gateway(settings, shared_services()) as api:
        assert (await assessed(api, "MRN-FILM")).status_code == 201
        async with await administrator_of(settings, api, "root@film.example") as reader:
            taken = (await the_patient(reader, "MRN-FILM"))["id"]
        film = changed(phantom.knee(size=(1200, 1000)), PatientID=taken)
        refused = await api.post("/v1/assessments", files={"image": ("film", film)})
        assert (refused.status_code, refused.json()["field"]) == (422, "patient_number")


async def test_an_erased_patients_id_is_nobody_elses_number(clinician):
    erased = await of_number(clinician, "MRN-GONE")
    assert (await clinician.delete(f"/v1/patients/{erased}")).status_code == 204
    refused = await assessed(clinician, str(erased))
    assert (refused.status_code, refused.json()["field"]) == (422, "patient_number")


@pytest.fixture
async def shadow(settings, clinician):
    """Two patients as version 0.1.0 could store them: the second one's number is the id of the first."""
    first = await of_number(clinician, "MRN-SHADOWED")
    database = database_of(settings)
    patients = Patients(database.sessions, KeyEncryptionKey(settings.data_key()))
    async with database.sessions.begin() as session:
        owner = await session.scalar(select(PatientRow.organisation_id).where(PatientRow.id == first))
        row = patients.new_row(owner, patient_number=str(first))
        session.add(row)
    yield first, row.id
    async with database.sessions.begin() as session:
        await session.execute(delete(PatientRow).where(PatientRow.id == row.id))
    await database.close()


async def test_an_id_leads_to_its_own_patient_whatever_anothers_number_is(clinician, shadow):
    first, second = shadow
    for form in FORMS:
        assert (await clinician.get(f"/v1/patients/{form(first)}")).json()["id"] == str(first)
    assert (await clinician.get(f"/v1/patients/{second}")).json()["id"] == str(second)


async def test_erasing_by_an_id_never_erases_another(clinician, shadow):
    first, second = shadow
    assert (await clinician.delete(f"/v1/patients/{first}")).status_code == 204
    assert (await clinician.delete(f"/v1/patients/{first}")).status_code == 404, "sent again, it finds nobody"
    assert (await clinician.get(f"/v1/patients/{second}")).json()["id"] == str(second)


async def test_pages_look_patients_up_by_their_id_alone(clinician, api, shadow):
    first, second = shadow
    async with client(api, accept="text/html") as browser:
        token = (await browser.get("/session")).json()["form_token"]
        form = {"csrf": token, "email": "clinician@clinic.example", "password": PASSWORD}
        assert (await browser.post("/sign-in", data=form)).status_code == 303
        assert "MRN-SHADOWED" in (await browser.get(f"/patients/{first}")).text
        assert (await browser.get(f"/patients/{first}/export.json")).json()["id"] == str(first)
        csrf = (await browser.get("/session")).json()["form_token"]
        fracture = {"csrf": csrf, "kind": "fracture", "date": "2024-01-01", "fracture_site": "wrist"}
        assert (await browser.post(f"/patients/{first}/measurements", data=fracture)).status_code == 303
        erasure = {"csrf": csrf, "again": "MRN-SHADOWED"}
        assert (await browser.post(f"/patients/{first}/erasure", data=erasure)).status_code == 303
        assert (await browser.get(f"/patients/{first}")).status_code == 404
        assert (await browser.get(f"/patients/{second}")).status_code == 200


async def test_check_names_the_patients_who_have_such_a_number(settings, clinician, shadow):
    found = {result.name: result for result in await check(settings)}["patient numbers"]
    assert not found.ok
    assert str(shadow[1]) in found.detail
    assert "erase them" in found.detail
