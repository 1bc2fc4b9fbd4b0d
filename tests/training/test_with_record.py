"""The model of radiograph and record is judged out of fold, beside each of its parts."""

import numpy as np
import pytest

from services.imaging.training.cases import Case
from services.imaging.training.likelihood import likelihood_ratio
from services.imaging.training.with_record import with_record
from shared.contracts.findings import LikelihoodRatio

pytestmark = pytest.mark.training
PIXELS = np.zeros((8, 8), np.uint8)


@pytest.fixture
def patients(tmp_path):
    """Sixty patients, of whom the old ones have osteoporosis; the first one's age is not known."""
    ages = np.arange(30, 90)
    lines = ["Patient Id,Gender,Age,Weight (KG)"]
    lines += [f"P{age} ,{'female' if age % 2 else 'male'},{'' if age == 30 else age},70" for age in ages]
    (tmp_path / "knee_bone_patients.csv").write_text("\n".join(lines))
    return tmp_path, [
        Case(PIXELS, 0, 2 if age > 65 else 1, None, "knee_bone", f"knee_bone/x/P{age}.jpg", f"P{age}") for age in ages
    ]


def probabilities(cases, random):
    told = random.uniform(0.05, 0.95, len(cases))
    return np.stack([(1 - told) / 2, (1 - told) / 2, told], axis=1)[np.newaxis]


def test_each_part_is_judged_by_itself(patients):
    data, cases = patients
    found = with_record(data, cases, probabilities(cases, np.random.default_rng(1)), seed=0)["knees_with_the_record"]
    assert (found["patients"], found["with_osteoporosis"]) == (59, 24)
    assert found["auc_age_alone"]["value"] == 1.0
    assert found["auc_record_model"]["value"] > 0.98
    assert 0.3 < found["auc_radiograph_alone"]["value"] < 0.7
    assert found["auc_record_and_radiograph_model"]["value"] > 0.9


def test_without_the_patients_table_there_is_no_such_figure(tmp_path, patients):
    _, cases = patients
    empty = tmp_path / "empty"
    empty.mkdir()
    assert with_record(empty, cases, probabilities(cases, np.random.default_rng(1)), seed=0) is None


def test_what_is_served_is_the_ratio_of_possible_low_bone_density(patients):
    data, cases = patients
    figures = with_record(data, cases, probabilities(cases, np.random.default_rng(1)), seed=0)
    ratio = LikelihoodRatio.model_validate(figures["likelihood_ratio_given_record"]["knee"])
    ratios = figures["knees_with_the_record"]["likelihood_ratio_of_readings_given_the_record"]
    assert ratio.value == pytest.approx(ratios["possible_low_bone_density"]["value"], abs=0.006)
    assert ratio.low < ratio.value < ratio.high
    assert ratio.patients == 59
    assert "not DXA" in ratio.basis


def test_a_ratio_is_what_the_reading_adds_to_the_odds_of_the_record():
    record = np.full(400, np.log(0.25))  # odds of one in four: a fifth is ill
    twice = np.arange(400) < 400 / 3  # a third is ill: odds of one in two
    found = likelihood_ratio(twice, record)
    assert found["value"] == pytest.approx(2.0, abs=0.02)
    assert 1.5 < found["low"] < 2 < found["high"] < 2.6
    assert likelihood_ratio(twice[:40], record[:40]) is None
    nothing = likelihood_ratio(np.arange(400) < 80, record)
    assert nothing["low"] < 1 < nothing["high"]
