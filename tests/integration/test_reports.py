"""The report over HTTP: who gets which, in which language, and what is left out of it."""

import json

import pytest

from gateway.reports.fonts import fonts_for
from gateway.settings import GatewaySettings
from tests.conftest import open_gateway, shared_services
from tests.integration.people import administrator_of, invited
from tests.pdf import text_of

RECORD = {
    "age": 72, "gender": "female", "weight_kg": 48,
    "prior_fractures": [{"site": "hip", "age": 71, "low_trauma": True}],
}  # fmt: skip


@pytest.fixture(scope="module")
async def site(tmp_path_factory):
    """A clinician, a patient and the patient's assessment, which has medicines to release."""
    settings = GatewaySettings(
        state_dir=tmp_path_factory.mktemp("reports"),
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )
    async with open_gateway(settings, shared_services()) as api:
        admin = await administrator_of(settings, api, "root@here.example")
        patient = await invited(admin, api, "a@home.example", "patient", patient_number="MRN-A")
        files = {"clinical": (None, json.dumps(RECORD)), "patient_number": (None, "MRN-A")}
        made = (await admin.post("/v1/assessments", files=files)).json()
        assert any(item["kind"] == "medication" for item in made["recommendation"]["items"])
        yield admin, patient, f"/v1/assessments/{made['id']}"
        await admin.aclose()
        await patient.aclose()


async def test_medicines_are_on_paper_for_the_patient_only_once_they_are_released(site):
    admin, patient, address = site
    for caller in (admin, patient):
        answer = await caller.get(f"{address}/report.pdf")
        assert answer.headers["content-type"] == "application/pdf"
        assert "Check first" not in text_of(answer.content)
        assert "once a clinician has released it" in text_of(answer.content)
    told = text_of((await admin.get(f"{address}/report.pdf?audience=clinician")).content)
    assert "To check first, or why not" in told
    assert "MRN-A" in told
    assert (await admin.post(f"{address}/release")).status_code == 200
    assert "Check first" in text_of((await patient.get(f"{address}/report.pdf")).content)


async def test_the_clinicians_report_is_not_for_the_patient(site):
    _, patient, address = site
    answer = await patient.get(f"{address}/report.pdf?audience=clinician")
    assert answer.status_code == 403
    assert "audience=patient" in answer.json()["detail"]


async def test_it_names_models_and_says_what_it_is_not(site):
    admin, _, address = site
    told = text_of((await admin.get(f"{address}/report.pdf")).content)
    assert "trabecula-bone-density-risk" in told
    assert "not a medical device" in told


@pytest.mark.parametrize("language", ["en", "hi", "kn"])
async def test_the_answer_says_which_language_it_is_in(site, language):
    admin, _, address = site
    answer = await admin.get(f"{address}/report.pdf?language={language}")
    # English stands in where this machine has no font for the script; `fonts_for` says whether it has.
    assert answer.headers["content-language"] == (language if fonts_for(language) else "en")
    assert answer.headers["cache-control"] == "no-store"


async def test_another_language_is_a_422(site):
    admin, _, address = site
    assert (await admin.get(f"{address}/report.pdf?language=fr")).status_code == 422
