"""How often answers were right: from the card of the version that answered, and from no other."""

import json
from pathlib import Path

import pytest

import gateway.api.examples.assessments
from gateway.assessing.measured import NOT_MEASURED, MeasuredFigures
from shared.contracts.assessment import Assessment
from shared.contracts.models import ModelCard
from shared.contracts.record import ClinicalRecord
from shared.contracts.risk import RiskRequest
from shared.problems import ServiceUnavailable

EXAMPLE = json.loads(Path(gateway.api.examples.assessments.__file__).with_name("assessment.json").read_text("utf-8"))
ROOT = Path(__file__).parents[4]
SERVICES = ("imaging", "staging", "clinical", "recommender")


class Shelf:
    """Services that answer with the shipped cards, or not at all."""

    def __init__(self, down=False):
        self.down, self.asked = down, 0

    def all(self):
        return SERVICES

    async def cards(self, name):
        self.asked += 1
        if self.down:
            raise ServiceUnavailable("down", retry_after_s=1)
        return [ModelCard.model_validate_json((ROOT / f"services/{name}/model/card.json").read_text("utf-8"))]


def asked(age=67, gender="female"):
    return RiskRequest(record=ClinicalRecord(age=age, gender=gender))


def changed(**parts):
    return Assessment.model_validate({**EXAMPLE, **{name: {**EXAMPLE[name], **part} for name, part in parts.items()}})


def current(**parts):
    """The example, answered by the very versions that are shipped."""
    for name in ("imaging", "staging", "clinical"):
        card = json.loads((ROOT / f"services/{name}/model/card.json").read_text("utf-8"))
        parts[name] = {"model": {"name": card["name"], "version": card["version"]}, **parts.get(name, {})}
    return changed(**parts)


async def test_figures_are_the_cards_own():
    found = await MeasuredFigures(Shelf()).of(current(), asked())
    card = json.loads((ROOT / "services/clinical/model/card.json").read_text("utf-8"))
    group = card["metrics"]["categories"]["held_out"]["women of 65 and over"]["answers"]
    assert found.estimate.share.value == group["moderate or high"]["ppv"][0]
    assert (found.estimate.group, found.estimate.answer) == ("women_65", "moderate")
    imaging = json.loads((ROOT / "services/imaging/model/card.json").read_text("utf-8"))["metrics"]
    assert found.film.sensitivity.value == imaging["within_knees"]["sensitivity"]["value"]


async def test_another_version_has_no_figures_and_neither_has_a_service_that_is_down():
    old = {"model": {"name": "trabecula-bone-density-risk", "version": "0.0.1"}}
    assert (await MeasuredFigures(Shelf()).of(current(clinical=old), asked())).estimate is None
    assert await MeasuredFigures(Shelf(down=True)).of(current(), asked()) == NOT_MEASURED


async def test_a_card_is_fetched_once():
    shelf = Shelf()
    figures = MeasuredFigures(shelf)
    for _ in range(3):
        await figures.of(current(), asked())
    assert shelf.asked == 3, "one card of each of three services"


@pytest.mark.parametrize(
    ("risk", "part"),
    [
        (asked(age=40), {}), (asked(gender="unknown"), {}), (asked(), {"decided_by": "dxa"}), (None, {}),
        (asked(), {"category": None}),
    ],
)  # fmt: skip
async def test_people_unlike_those_who_were_judged_have_no_figure(risk, part):
    assert (await MeasuredFigures(Shelf()).of(current(clinical=part), risk)).estimate is None


async def test_an_unclear_film_has_none_and_an_unsure_grade_its_own():
    found = await MeasuredFigures(Shelf()).of(current(imaging={"indeterminate": True}), asked())
    assert found.film is None
    card = json.loads((ROOT / "services/staging/model/card.json").read_text("utf-8"))["metrics"]["uncertain"]
    assert found.grades.right == card["accuracy_of_the_uncertain"]
    good = [{**knee, "quality": "good"} for knee in EXAMPLE["staging"]["knees"]]
    sure = await MeasuredFigures(Shelf()).of(current(staging={"knees": good}), asked())
    assert sure.grades.right == card["accuracy_of_the_others"]
    assert sure.grades.within_one is not None
