"""`patient_number` is the hospital's, `patient_id` is ours: neither is ever taken for the other."""

import pytest

from tests.integration.people import invited, signed_in

RECORD = '{"age": 67, "gender": "female"}'


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    from gateway.settings import GatewaySettings

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
