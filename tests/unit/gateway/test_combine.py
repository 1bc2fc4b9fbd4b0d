import pytest

from gateway.assessments.combine import combine
from shared.contracts.base import ModelReference
from shared.contracts.findings import (
    BoneDensity,
    BoneProbabilities,
    ClassProbabilities,
    ClinicalFinding,
    ImagingFinding,
    ScreeningScore,
    ScreeningScores,
)

MODEL = ModelReference(name="m", version="1")
NOT_APPLICABLE = ScreeningScore(applicable=False, reason="", population="", citation="")
SCORES = ScreeningScores(**dict.fromkeys(("ost", "osta", "orai", "osiris", "score", "mores"), NOT_APPLICABLE))


def clinical(category, who_class=None):
    density = BoneDensity(who_class=who_class, basis="T-score") if who_class else None
    return ClinicalFinding(probability=None, category=category, scores=SCORES, bone_density=density, model=MODEL)


def imaging(label="normal", indeterminate=False):
    return ImagingFinding(
        label=label, indeterminate=indeterminate, anatomy="knee", words="", model=MODEL,
        probabilities=ClassProbabilities(normal=1, spine_osteoporosis=0, knee_osteoporosis=0),
        bone=BoneProbabilities(normal=1, osteopenia=0, osteoporosis=0),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("image", "record", "category"),
    [
        (None, None, None),
        (imaging(), None, None),
        (imaging("knee_osteoporosis"), None, "moderate"),
        (imaging("knee_osteoporosis", indeterminate=True), None, None),
        (None, clinical("low"), "low"),
        (imaging(), clinical("high"), "high"),  # a radiograph never lowers
        (imaging("knee_osteoporosis"), clinical("low"), "moderate"),
        (imaging("spine_osteoporosis"), clinical("moderate"), "high"),
        (imaging("spine_osteoporosis", indeterminate=True), clinical("low"), "low"),
        (imaging("knee_osteoporosis"), clinical(None), "moderate"),
        (imaging("knee_osteoporosis"), clinical("low", "normal"), "low"),  # DXA decides
        (imaging("knee_osteoporosis"), clinical("moderate", "low_bone_mass"), "moderate"),
        (imaging(), clinical("high", "low_bone_mass"), "high"),  # FRAX over its threshold, or a fracture
    ],
)
def test_the_stated_rule(image, record, category):
    assert combine(image, record).category == category


def test_the_basis_says_what_decided():
    assert combine(imaging("knee_osteoporosis"), clinical("low")).basis == [
        "The clinical record gives the category low.",
        "The radiograph of the knee shows osteoporosis and raises the category by one step.",
    ]
    assert "cannot be higher" in combine(imaging("knee_osteoporosis"), clinical("high")).basis[1]
    assert "alone gives the category moderate" in combine(imaging("knee_osteoporosis"), None).basis[0]
    assert "low bone mass" in combine(None, clinical("high", "low_bone_mass")).basis[0]
