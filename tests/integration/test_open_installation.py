"""TRABECULA_MODELS_OPEN: the whole system without weights that are for research only."""

import json

import pytest

from gateway.assessing.preflight import preflight
from gateway.embedded import in_process
from tests.conftest import open_gateway
from tests.integration.test_clinical_service import LIFESTYLE

RECORD = json.dumps({"age": 67, "gender": "female", "weight_kg": 58})


@pytest.fixture
async def open_api(settings, monkeypatch):
    monkeypatch.setenv("TRABECULA_MODELS_OPEN", "true")
    async with open_gateway(settings, in_process(settings.internal_key())) as client:
        yield client


async def test_a_spine_keeps_its_gate_and_anatomy_and_is_indeterminate(open_api, spine_jpeg):
    answer = await open_api.post("/v1/assessments", files={"image": ("spine.jpg", spine_jpeg)})
    assert answer.status_code == 201, answer.text
    imaging = answer.json()["imaging"]
    assert (imaging["anatomy"], imaging["indeterminate"]) == ("spine", True)
    assert "for research only" in imaging["summary"]
    assert "orientation_unchecked" in [warning["type"] for warning in answer.json()["warnings"]]


async def test_a_knee_is_told_and_not_graded_and_the_record_is_answered(open_api, knee_jpeg):
    files = {"image": ("knee.jpg", knee_jpeg), "clinical": (None, RECORD)}
    answer = (await open_api.post("/v1/assessments", files=files)).json()
    assert (answer["imaging"]["anatomy"], answer["imaging"]["indeterminate"]) == ("knee", True)
    assert answer["staging"] is None
    (not_graded,) = [warning for warning in answer["warnings"] if warning["component"] == "staging"]
    assert not_graded["reason"] == "research_only"
    assert "for research only" in not_graded["detail"]
    assert answer["clinical"]["probability"] > 0


async def test_the_questionnaire_of_unknown_licence_is_not_scored(open_api):
    parts = {"clinical": (None, json.dumps(LIFESTYLE)), "clinical_model": (None, "lifestyle")}
    answer = await open_api.post("/v1/assessments", files=parts)
    assert answer.status_code == 201, answer.text
    assert answer.json()["clinical"]["probability"] is None
    assert "unknown licence" in answer.json()["clinical"]["reason"]


async def test_the_cards_say_what_is_left_unused_and_preflight_agrees(open_api, settings):
    cards = {card["service"]: card for card in (await open_api.get("/v1/models")).json()["models"]}
    assert {"anatomy", "bone_spine_dxa", "knee_joints"} <= set(cards["imaging"]["left_unused"])
    assert cards["staging"]["left_unused"] == ["knee_joints"]
    context = open_api._transport.app.state.context
    steps = {step.name: step for step in await preflight(settings, context.database, context.services)}
    assert steps["licences of the models"].state == "done"


async def test_an_installation_that_is_not_open_says_what_is_for_research_only(shared_api):
    cards = {card["service"]: card for card in (await shared_api.get("/v1/models")).json()["models"]}
    assert cards["imaging"]["left_unused"] == []
    research = [use["part"] for use in cards["imaging"]["weights"] if use["research_only"]]
    assert "bone_spine_cut_out" in research
