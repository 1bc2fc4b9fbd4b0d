"""Whose film it is, and what is odd about it, from the bytes of a file to the stored assessment."""

import json

import pytest

from gateway.settings import GatewaySettings
from shared.radiograph import phantom
from tests.conftest import ALL_SCOPES, open_gateway, shared_services
from tests.integration.people import system_of
from tests.unit.shared.radiograph.dicom_files import changed

KNEE = phantom.knee(size=(1200, 1000))
# The phantom's field is 360 mm high.
MILLIMETRES = 360 / 1200


@pytest.fixture(scope="module")
def make():
    def dicom(**elements):
        return changed(KNEE, **{"PatientID": "MRN-77", "PatientName": "DOE^JANE", "AccessionNumber": "A-1", **elements})

    return dicom


async def assess(api, image, **fields):
    parts = {name: (None, value) for name, value in fields.items()}
    return await api.post("/v1/assessments", files={"image": ("film", image), **parts})


@pytest.fixture
async def clinic(settings):
    async with (
        open_gateway(settings, shared_services()) as api,
        await system_of(settings, api, f"{ALL_SCOPES} patients:read") as client,
    ):
        yield client


@pytest.fixture
async def using(tmp_path):
    given = GatewaySettings(state_dir=tmp_path / "using", dicom_patient_id="use", _env_file=None)
    async with open_gateway(given, shared_services()) as client:
        yield client


@pytest.fixture
async def ignoring(tmp_path):
    given = GatewaySettings(state_dir=tmp_path / "ignoring", dicom_patient_id="ignore", _env_file=None)
    async with open_gateway(given, shared_services()) as client:
        yield client


async def test_the_study_is_answered_and_the_person_is_not(shared_api, make):
    answer = (await assess(shared_api, make())).json()
    source = answer["source"]
    assert source["accession"] == "A-1"
    assert all(source[name].startswith("2.25.") or source[name][0].isdigit() for name in ("study_uid", "sop_uid"))
    assert answer["patient_number"] is None
    assert "DOE" not in json.dumps(answer)
    assert "MRN-77" not in json.dumps(answer)


async def test_a_picture_has_no_source(shared_api):
    assert (await assess(shared_api, phantom.as_jpeg(KNEE))).json()["source"] is None


async def test_the_whole_identity_is_in_the_patients_export(clinic, make):
    answer = (await assess(clinic, make(), patient_number="MRN-77")).json()
    export = (await clinic.get("/v1/patients/MRN-77/export")).json()
    (kept,) = [item for item in export["assessments"] if item["assessment"]["id"] == answer["id"]]
    assert kept["identity"]["patient_name"] == "DOE^JANE"
    assert kept["identity"]["study_uid"] == answer["source"]["study_uid"]


async def test_another_patients_film_is_a_conflict_and_leaves_no_patient(clinic, make):
    answer = await assess(clinic, make(), patient_number="MRN-78")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:trabecula:problem:patient-mismatch"
    assert answer.json()["field"] == "patient_number"
    assert (await clinic.get("/v1/patients/MRN-78")).status_code == 404


async def test_the_files_number_is_used_where_the_site_says_so(using, make):
    answer = (await assess(using, make(PatientID="MRN-90 "))).json()
    assert answer["patient_number"] == "MRN-90"
    assert (await assess(using, make(), patient_number="MRN-91")).status_code == 409
    assert (await assess(using, make(PatientID=""), patient_number="MRN-92")).json()["patient_number"] == "MRN-92"


async def test_pseudonyms_go_with_a_file_that_is_not_asked(ignoring, make):
    assert (await assess(ignoring, make(), patient_number="P-1")).json()["patient_number"] == "P-1"
    assert (await assess(ignoring, make())).json()["patient_number"] is None


async def test_an_odd_film_is_complete_and_says_what_is_odd(shared_api, make):
    answer = (await assess(shared_api, make(BodyPartExamined="SKULL", PatientAge="014Y"))).json()
    assert answer["status"] == "complete"
    assert [(warning["component"], warning["type"]) for warning in answer["warnings"]] == [
        ("imaging", "body_part_differs"),
        ("imaging", "growth_plates"),
    ]


async def test_a_good_film_has_no_warning(shared_api, make):
    answer = (await assess(shared_api, make(ImageLaterality="R"))).json()
    assert answer["warnings"] == []
    (knee,) = answer["staging"]["knees"]
    assert (knee["side"], knee["side_source"]) == ("right", "tag")
    # What is drawn is no real knee, so the network may hesitate between grades; nothing else may be amiss.
    assert knee["note"] is None or knee["note"].startswith("No grade is likelier")


@pytest.mark.parametrize(("factor", "plane", "shrunk"), [(None, "detector", 1.0), ("1.25", "patient", 1.25)])
async def test_a_dicom_knee_has_its_joint_space_in_millimetres_of_a_named_plane(
    shared_api, make, factor, plane, shrunk
):
    named = {"EstimatedRadiographicMagnificationFactor": factor} if factor else {}
    film = make(ImageLaterality="R", ImagerPixelSpacing=[MILLIMETRES, MILLIMETRES], **named)
    (knee,) = (await assess(shared_api, film)).json()["staging"]["knees"]
    space = knee["joint_space"]
    assert [width["compartment"] for width in space["compartments"]] == ["medial", "lateral"]
    widths = [width["width_mm"] for width in space["compartments"]]
    assert widths == pytest.approx([5.9 / shrunk, 6.3 / shrunk], abs=0.8)
    assert (space["spacing_plane"], space["narrower"], space["withheld"]) == (plane, "neither", None)


async def test_a_side_view_is_refused_by_name(shared_api, make):
    answer = await assess(shared_api, make(ViewPosition="LL"))
    assert (answer.status_code, answer.json()["reason"]) == (422, "knee_not_frontal")


async def test_a_small_film_is_graded_as_uncertain(shared_api):
    answer = (await assess(shared_api, phantom.as_jpeg(phantom.knee(size=(420, 350))))).json()
    assert {(warning["component"], warning["type"]) for warning in answer["warnings"]} >= {("staging", "few_pixels")}
    assert answer["staging"]["knees"][0]["quality"] == "uncertain"
    assert "pixels" in answer["staging"]["knees"][0]["note"]
    assert answer["staging"]["knees"][0]["joint_space"]["withheld"] == "few_pixels"
