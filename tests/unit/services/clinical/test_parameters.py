"""What the training wrote beside the bone-density model, and what it answers."""

from pathlib import Path

import pytest

import services.clinical
from services.clinical.parameters import BoneDensityParameters, read_bone_density
from shared.clinic.expected import expected_t_scores
from shared.contracts.models import ModelCard
from shared.contracts.record import Sex

MODEL = Path(services.clinical.__file__).parent / "model"
SEXES: tuple[Sex, ...] = ("female", "male")


@pytest.fixture(scope="module")
def parameters() -> BoneDensityParameters:
    return read_bone_density(MODEL)


@pytest.mark.parametrize("sex", SEXES)
def test_each_sex_has_its_own_cut_offs_and_its_own_categories(parameters: BoneDensityParameters, sex: Sex) -> None:
    cut_offs = parameters.cut_offs[sex]
    assert 0 < cut_offs.low_below < cut_offs.high_from < 1
    assert cut_offs.category(cut_offs.low_below - 1e-6) == "low"
    assert cut_offs.category(cut_offs.low_below) == "moderate"
    assert cut_offs.category(cut_offs.high_from) == "high"


def test_the_same_probability_is_more_unusual_in_a_man(parameters: BoneDensityParameters) -> None:
    assert parameters.cut_offs["male"].category(0.10) == "high"
    assert parameters.cut_offs["female"].category(0.10) == "moderate"


@pytest.mark.parametrize(("sex", "who"), [("female", "women"), ("male", "men")])
def test_the_rule_tells_users_what_was_measured(parameters: BoneDensityParameters, sex: Sex, who: str) -> None:
    cut_offs = parameters.cut_offs[sex]
    held_out = cut_offs.held_out
    assert held_out is not None
    assert cut_offs.rule.startswith(f"{who}: low below {cut_offs.low_below:.1%}, high from {cut_offs.high_from:.1%};")
    for accuracy in (held_out.high, held_out.not_low):
        for share in (accuracy.sensitivity, accuracy.specificity):
            assert share.low <= share.value <= share.high
            assert f"{share.value:.0%}" in cut_offs.rule
    assert held_out.high.sensitivity.value < held_out.not_low.sensitivity.value
    assert "\n" not in cut_offs.rule


def test_averages_are_straight_lines_between_ages_and_flat_beyond(parameters: BoneDensityParameters) -> None:
    points = parameters.averages["female"]
    first, second, last = points[0], points[1], points[-1]
    assert [point.age for point in points] == sorted(point.age for point in points)
    assert parameters.average("female", first.age) == pytest.approx(first.probability)
    middle = parameters.average("female", (first.age + second.age) / 2)
    assert middle == pytest.approx((first.probability + second.probability) / 2)
    assert parameters.average("female", 40) == parameters.average("female", first.age)
    assert parameters.average("female", 97) == last.probability
    assert parameters.average("female", 67) > parameters.average("male", 67)
    assert parameters.population == "US adults, NHANES 2005-2014"


@pytest.mark.parametrize("sex", SEXES)
@pytest.mark.parametrize("site", ["femoral_neck", "total_hip", "lumbar_spine"])
def test_the_expected_t_score_knows_age_and_weight(sex: Sex, site: str) -> None:
    expected = expected_t_scores()[sex][site]
    assert expected.expected(65, 90) > expected.expected(65, 60)
    assert expected.expected(80, 70) == expected.expected(95, 70)
    assert -3 < expected.expected(80, None) < expected.expected(80, 120)
    assert expected.without_weight.sd > expected.sd > 0.5
    assert expected.sds_above(expected.expected(70, 70) + 2 * expected.sd, 70, 70) == pytest.approx(2)
    assert expected.sds_above(expected.expected(70, None), 70, None) == pytest.approx(0)


def test_the_hip_thins_with_age() -> None:
    for sex in SEXES:
        for weight_kg in (None, 70.0):
            hip = expected_t_scores()[sex]["total_hip"]
            assert hip.expected(80, weight_kg) < hip.expected(50, weight_kg)


def test_card_and_companions_are_of_one_version_and_tell_the_same_cut_offs(parameters: BoneDensityParameters) -> None:
    card = ModelCard.model_validate_json((MODEL / "card.json").read_bytes())
    assert (card.name, card.version) == (parameters.model.name, parameters.model.version)
    assert card.metrics["cut_offs"] == {sex: parameters.cut_offs[sex].model_dump() for sex in SEXES}
