"""Cards of findings and rules: what is told when, and what never is."""

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest

from gateway.interop.cds.cards import EarlierFilm, Told, order_cards, view_cards
from gateway.interop.cds.orders import Chosen
from shared.contracts.assessment import Assessment, Warning
from tests.unit.gateway.interop.results import vignettes

ROOT = "https://trabecula.hospital.example"
ASSESSMENTS = {name: content.assessment for name, content in vignettes().items()}
FILM = EarlierFilm(UUID(int=7), dt.date(2026, 3, 2), "Possible low bone density, seen at the knee.", True)
DOWN = Warning(
    component="recommender", type="urn:trabecula:problem:service-unavailable", detail="recommender does not answer"
)


def told(name, **more):
    return Told(ASSESSMENTS[name], "p", ROOT, **more)


def everything(found: Told):
    every = Chosen(("oral_bisphosphonate", "denosumab", "anabolic", "romosozumab"), dxa=True)
    return [*view_cards(found), *order_cards(found, every)]


@pytest.mark.parametrize("name", ASSESSMENTS)
def test_whatever_was_found_cards_hold_what_the_standard_wants(name):
    for found in (told(name), told(name, film=FILM, stored=True, left_out=("Observation/1: <b>odd</b>",) * 20)):
        assert len(view_cards(found)) <= 3
        for card in everything(found):
            assert 1 <= len(card["summary"]) < 140
            assert card["indicator"] in ("info", "warning", "critical")
            assert "<b>" not in card["detail"]
            assert all(link["url"].startswith("https://") for link in card.get("links", []))
            kinds = [a["resource"]["resourceType"] for s in card.get("suggestions", []) for a in s["actions"]]
            assert set(kinds) <= {"ServiceRequest"}


@pytest.mark.parametrize("name", ASSESSMENTS)
def test_an_emergency_is_critical_and_comes_first(name):
    found = told(name)
    advice = found.assessment.recommendation
    if advice is not None and advice.consult.urgency == "emergency":
        assert view_cards(found)[0]["indicator"] == "critical"
        assert order_cards(found, Chosen(("denosumab",)))[0]["summary"].startswith("Emergency")


def test_what_is_blocked_is_never_less_than_critical():
    blocked = 0
    for name in ASSESSMENTS:
        advice = ASSESSMENTS[name].recommendation
        for item in advice.items if advice else ():
            if item.status == "blocked" and item.drug_class:
                cards = order_cards(told(name), Chosen((item.drug_class,)))
                assert "critical" in [card["indicator"] for card in cards], (name, item.id)
                blocked += 1
    assert blocked > 0


def without_rules(found: Told) -> Told:
    silent = {"recommendation": None, "clinical": None, "warnings": [DOWN], "status": "partial"}
    combined = found.assessment.combined.model_copy(update={"category": None, "diagnosis": None})
    assessment = Assessment.model_validate(
        found.assessment.model_copy(update={**silent, "combined": combined}).model_dump()
    )
    return replace(found, assessment=assessment)


def test_a_service_that_is_down_is_told_and_is_no_good_news():
    found = without_rules(told(next(iter(ASSESSMENTS))))
    for cards in (view_cards(found), order_cards(found, Chosen(("denosumab",)))):
        [card] = cards
        assert "out of order" in card["summary"]
        assert "recommender" in card["detail"]
