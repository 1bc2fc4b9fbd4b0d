"""The clinical service over HTTP, as the gateway calls it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.clinical.app import create_app
from services.clinical.settings import Settings as ClinicalSettings
from shared import internal_token
from shared.contracts.findings import ClinicalFinding
from shared.contracts.models import ModelCard

SECRET = "a secret of this test, long enough to be one"
LIFESTYLE = {
    "age": 35, "gender": "female", "hormonal_changes": "normal", "family_history": True, "ethnicity": "asian",
    "body_weight": "underweight", "calcium_intake": "low", "vitamin_d_intake": "sufficient",
    "physical_activity": "sedentary", "smoking": True, "alcohol_consumption": "none", "medical_conditions": "none",
    "medications": "none", "prior_fractures": False,
}  # fmt: skip


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(ClinicalSettings(internal_secret=SECRET, _env_file=None))
    async with app.router.lifespan_context(app):
        headers = {internal_token.HEADER: internal_token.issue(SECRET, "clinical")}
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://clinical", headers=headers) as made:
            yield made


async def test_two_fields_get_an_answer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/risk", json={"record": {"age": 67, "gender": "female"}})
    assert answer.status_code == 200, answer.text
    finding = ClinicalFinding.model_validate(answer.json())
    assert finding.probability is not None
    assert finding.model.name == "trabecula-bone-density-risk"


async def test_t_score_and_wrist_fracture_say_severe(client: httpx.AsyncClient) -> None:
    record = {
        "age": 67,
        "gender": "female",
        "t_scores": [{"site": "femoral_neck", "value": -2.7}],
        "prior_fractures": [{"site": "wrist", "low_trauma": True}],
    }
    body = (await client.post("/v1/risk", json={"record": record, "clinical_model": "bone_density"})).json()
    assert body["bone_density"]["who_class"] == "severe_osteoporosis"
    assert "severe osteoporosis (WHO), by DXA" in body["bone_density"]["basis"]
    assert (body["category"], body["decided_by"]) == ("high", "dxa")


async def test_the_questionnaire_is_selected_by_name(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/risk", json={"record": LIFESTYLE, "clinical_model": "lifestyle"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["model"]["name"] == "trabecula-lifestyle"
    assert body["warnings"][0]["type"] == "synthetic_training_data"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"record": {"age": 150, "gender": "female"}}, "age"),
        ({"record": {"age": 67, "gender": "female", "weight_kg": -4}}, "weight_kg"),
        ({"record": {"gender": "female"}}, "age"),
        ({"record": {"age": 67, "gender": "female", "menopause_age": 70}}, "menopause_age"),
        ({"record": {"age": 67, "gender": "female"}, "clinical_model": "lifestyle"}, "hormonal_changes"),
        ({"record": {"age": 67, "gender": "female"}, "clinical_model": "frax"}, "clinical_model"),
    ],
)
async def test_impossible_bodies_name_the_field(client: httpx.AsyncClient, body: dict[str, object], field: str) -> None:
    answer = await client.post("/v1/risk", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert any(error["field"].endswith(field) for error in answer.json()["errors"])


async def test_a_batch_keeps_its_order(client: httpx.AsyncClient) -> None:
    records = [{"age": age, "gender": "female"} for age in (30, 45, 60, 75)]
    body = (await client.post("/v1/risk/batch", json={"records": records})).json()
    probabilities = [finding["probability"] for finding in body["findings"]]
    assert probabilities[0] is None
    assert probabilities[1:] == sorted(probabilities[1:])
    assert (await client.post("/v1/risk/batch", json={"records": []})).status_code == 422


async def test_both_cards_name_their_data_and_their_limits(client: httpx.AsyncClient) -> None:
    default = ModelCard.model_validate((await client.get("/v1/model")).json())
    seed = ModelCard.model_validate((await client.get("/v1/model/lifestyle")).json())
    assert default.metrics["held_out"]["osteoporosis"]["all"]["gain_over_ost"]["value"] > 0.02
    assert default.metrics["held_out"]["calibration, 50 and over"]["osteoporosis"]["ece"]["value"] < 0.03
    assert any("synthetic" in limit for limit in seed.limits)
    assert "test_age_only" in seed.metrics


async def test_only_the_gateway_is_answered(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/v1/risk", json={"record": {"age": 67, "gender": "female"}}, headers={internal_token.HEADER: "forged"}
    )
    assert answer.status_code == 401
    assert (await client.get("/health/ready", headers={internal_token.HEADER: ""})).status_code == 200
