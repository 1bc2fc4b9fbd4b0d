"""What a film and a record come to together: the film never moves a category, and a measurement leads."""

import datetime as dt

import pytest

from gateway.assessing.combine import combine
from gateway.assessing.film import TOO_YOUNG, as_it_counts, read_at_age
from shared.contracts.base import ModelReference
from shared.contracts.findings import (
    BoneDensity,
    BoneProbabilities,
    ClassifyAnswer,
    ClassProbabilities,
    ClinicalFinding,
    ImagingFinding,
    LikelihoodRatio,
    Rendering,
    ScreeningScore,
    ScreeningScores,
)

MODEL = ModelReference(name="m", version="1")
NOT_APPLICABLE = ScreeningScore(applicable=False, reason="", population="", citation="")
SCORES = ScreeningScores(**dict.fromkeys(("ost", "osta", "orai", "osiris", "score", "mores"), NOT_APPLICABLE))
SCAN = "osteoporosis (WHO), by DXA: lowest T-score -2.9 at femoral neck"
NORMAL = {"normal": 0.8, "osteopenia": 0.1, "osteoporosis": 0.1}
LOW = {"normal": 0.2, "osteopenia": 0.6, "osteoporosis": 0.2}


def clinical(category, who_class=None, basis=SCAN, **more):
    density = BoneDensity(who_class=who_class, basis=basis, date=dt.date(2026, 5, 3)) if who_class else None
    parts = {"probability": None, "scores": SCORES, "bone_density": density, "model": MODEL}
    return ClinicalFinding(**parts | {"category": category, **more})


def ratio(low, high):
    return LikelihoodRatio(value=2.0, low=low, high=high, patients=300, basis="b")


def imaging(label="normal", indeterminate=False, bone=NORMAL, likelihood_ratio=None):
    return ImagingFinding(
        label=label, indeterminate=indeterminate, anatomy="knee", summary="w", model=MODEL,
        probabilities=ClassProbabilities(normal=1, spine_osteoporosis=0, knee_osteoporosis=0),
        bone=BoneProbabilities(**bone), likelihood_ratio=likelihood_ratio,
    )  # fmt: skip


@pytest.mark.parametrize(
    "film", [None, imaging(), imaging(bone=LOW), imaging("knee_osteoporosis"), imaging("spine_osteoporosis", True)]
)
@pytest.mark.parametrize("category", [None, "low", "moderate", "high"])
@pytest.mark.parametrize("who_class", [None, "normal", "low_bone_mass", "osteoporosis"])
def test_the_category_is_the_clinical_one_whatever_the_film(film, category, who_class):
    assert combine(film, clinical(category, who_class), 70).category == category


@pytest.mark.parametrize("film", [None, imaging(), imaging(bone=LOW), imaging("knee_osteoporosis")])
def test_a_film_alone_gives_no_category(film):
    combined = combine(film, None)
    assert (combined.category, combined.diagnosis, combined.probability_with_image) == (None, None, None)


@pytest.mark.parametrize("film", [imaging(bone=LOW), imaging("knee_osteoporosis")])
@pytest.mark.parametrize("record", [None, clinical(None)])
def test_a_film_that_shows_it_is_told_where_there_is_no_category(film, record):
    told = combine(film, record).basis[-1]
    assert told == "The radiograph of the knee shows possible low bone density; a film alone gives no category."


def test_the_basis_says_what_the_film_does_not_do():
    assert combine(imaging(), clinical("low")).basis[1] == (
        "The radiograph shows no sign of low bone density, which rules nothing out."
    )
    assert combine(imaging("knee_osteoporosis"), clinical("low")).basis == [
        "The clinical record gives the category low.",
        "The radiograph of the knee shows possible low bone density, which does not change the category.",
    ]
    assert "indeterminate" in combine(imaging(indeterminate=True), clinical("low")).basis[1]


def test_a_measured_class_is_a_diagnosis_and_is_told_once():
    combined = combine(None, clinical("high", "osteoporosis", category_basis=SCAN))
    assert combined.diagnosis.model_dump() == {"who_class": "osteoporosis", "basis": SCAN, "date": dt.date(2026, 5, 3)}
    assert combined.basis == ["Osteoporosis (WHO), by DXA: lowest T-score -2.9 at femoral neck."]
    unnamed = combine(None, clinical("high", "severe_osteoporosis", basis="by DXA and a fracture"))
    assert unnamed.basis[0] == "Severe osteoporosis, by DXA and a fracture."


def test_a_rule_behind_the_category_stands_beside_the_class():
    record = clinical("high", "low_bone_mass", "low bone mass (WHO), by DXA", category_basis="FRAX at or over 20%")
    assert combine(None, record).basis == [
        "Low bone mass (WHO), by DXA.",
        "The clinical record gives the category high (FRAX at or over 20%).",
    ]
    raised = clinical("moderate", "normal", "normal (WHO)", category_basis="raised by a fracture; normal (WHO)")
    assert combine(None, raised).basis[1] == "The clinical record gives the category moderate (raised by a fracture)."


@pytest.mark.parametrize(
    ("film", "probability", "age", "expected"),
    [
        (imaging(bone=LOW, likelihood_ratio=ratio(1.2, 3.0)), 0.2, 60, 1 / 3),  # odds 1/4 x 2 = 1/2
        (imaging("knee_osteoporosis", likelihood_ratio=ratio(1.2, 3.0)), 1.0, 50, 1.0),
        (imaging(bone=LOW, likelihood_ratio=ratio(0.8, 3.0)), 0.2, 60, None),  # the interval holds one
        (imaging(likelihood_ratio=ratio(1.2, 3.0)), 0.2, 60, None),  # the film shows nothing
        (imaging("knee_osteoporosis", True, likelihood_ratio=ratio(1.2, 3.0)), 0.2, 60, None),
        (imaging(bone=LOW, likelihood_ratio=ratio(1.2, 3.0)), 0.2, 49.9, None),
        (imaging(bone=LOW, likelihood_ratio=ratio(1.2, 3.0)), 0.2, None, None),
        (imaging(bone=LOW, likelihood_ratio=ratio(1.2, 3.0)), None, 60, None),
        (imaging(bone=LOW), 0.2, 60, None),
    ],
)
def test_only_a_ratio_that_adds_something_moves_the_probability(film, probability, age, expected):
    combined = combine(film, clinical("moderate", probability=probability), age)
    assert combined.probability_with_image == (None if expected is None else pytest.approx(expected))
    assert combined.category == "moderate"
    assert ("likelihood ratio 2" in combined.basis[-1]) is (expected is not None)


def test_the_estimate_stands_beside_the_average_of_named_people():
    told = {"average_of_age_and_sex": 0.13, "population": "US adults"}
    assert combine(None, clinical("high", probability=0.2, **told)).comparison.model_dump() == {
        "of_same_age_and_sex": 0.13, "population": "US adults",
    }  # fmt: skip
    assert combine(None, clinical("high", **told)).comparison is None
    assert combine(None, clinical("high", probability=0.2)).comparison is None


def test_below_fifty_the_film_tells_nothing_of_bone():
    film = imaging("knee_osteoporosis", likelihood_ratio=ratio(1.2, 3.0))
    young = read_at_age(film, 49)
    assert (young.indeterminate, young.summary, young.possibly_low) == (True, TOO_YOUNG, False)
    assert TOO_YOUNG == "Indeterminate: the network was not shown to read bone density below 50 years of age."
    assert read_at_age(film, 50) is film
    assert read_at_age(film, None) is film


def test_an_indeterminate_reading_has_no_heat_map():
    seen = ClassifyAnswer(
        finding=imaging("knee_osteoporosis"), preview=Rendering(png_base64="p"), heatmap=Rendering(png_base64="h")
    )
    assert as_it_counts(seen, 60) == seen
    young = as_it_counts(seen, 40)
    assert (young.heatmap, young.preview) == (None, seen.preview)
