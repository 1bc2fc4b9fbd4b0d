"""The recommender over HTTP: what it needs, what it answers, and what stops its start."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.recommender import SHIPPED_RULES, BrokenRules
from services.recommender.app import create_app
from services.recommender.settings import Settings as RecommenderSettings
from shared.internal_token import HEADER, issue

SECRET = "a secret of the tests, long enough"
PATIENT = {"age": 72, "gender": "female", "t_scores": [{"site": "femoral_neck", "value": -2.8}]}


@pytest.fixture(scope="module")
async def service() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(RecommenderSettings(internal_secret=SECRET, country="GB", _env_file=None))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {HEADER: issue(SECRET, "recommender")}
        async with httpx.AsyncClient(transport=transport, base_url="http://recommender", headers=headers) as client:
            yield client


async def test_it_recommends(service: httpx.AsyncClient) -> None:
    answer = await service.post("/v1/recommendations", json={"record": PATIENT})
    assert answer.status_code == 200
    first = answer.json()["items"][0]
    assert (first["drug_class"], first["status"]) == ("oral_bisphosphonate", "check_first")
    assert "egfr_ml_per_min" in first["checks"]
    assert "Check eGFR" in first["text"]


async def test_an_empty_case_gets_an_empty_answer(service: httpx.AsyncClient) -> None:
    answer = (await service.post("/v1/recommendations", json={})).json()
    assert answer["items"] == []
    assert answer["consult"]["advised"] is False
    assert any("111" in link["title"] for link in answer["consult"]["links"])


async def test_its_card_counts_what_waits_for_a_clinician(service: httpx.AsyncClient) -> None:
    card = (await service.get("/v1/model")).json()
    assert card["service"] == "recommender"
    assert card["metrics"]["needs clinician sign-off"] > 0
    assert card["version"] == (await service.post("/v1/recommendations", json={})).json()["rules"]["version"]


async def test_it_answers_its_gateway_only(service: httpx.AsyncClient) -> None:
    answer = await service.post("/v1/recommendations", json={}, headers={HEADER: issue(SECRET, "imaging")})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_broken_request_names_the_field(service: httpx.AsyncClient) -> None:
    answer = await service.post("/v1/recommendations", json={"record": {**PATIENT, "age": "old"}})
    assert answer.status_code == 422
    assert "age" in answer.text


def test_a_broken_rule_stops_the_start(tmp_path: Path) -> None:
    for file in SHIPPED_RULES.glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    diet = tmp_path / "50-diet.yaml"
    diet.write_text(diet.read_text(encoding="utf-8").replace("below: 1200", "below: much"), encoding="utf-8")
    with pytest.raises(BrokenRules, match=r"^50-diet.yaml: diet.calcium_to_1200: condition"):
        create_app(RecommenderSettings(internal_secret=SECRET, rules_dir=tmp_path, _env_file=None))


def test_the_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRABECULA_COUNTRY", "US")
    monkeypatch.setenv("TRABECULA_CONSULT_LINKS", '[{"title": "Our clinic", "url": "https://clinic.example.org"}]')
    monkeypatch.setenv("TRABECULA_GUIDANCE_URLS", '{"falls": "https://clinic.example.org/falls"}')
    settings = RecommenderSettings(internal_secret=SECRET, _env_file=None)
    assert settings.country == "US"
    assert settings.consult_links[0].title == "Our clinic"
    assert settings.guidance_urls["falls"].endswith("/falls")
