"""Settings from labelled cases: found again where the truth is known, refused where they are too few or do not help."""

import numpy as np
import pytest

from gateway.assessing.site_settings import recalibrated
from gateway.evaluation.estimates import Bootstrap
from gateway.evaluation.pairs import BonePair, KneePair
from gateway.evaluation.site_fit import NotFitted, fit_grades, fit_operating_point, prevalence_of, threshold_for
from gateway.evaluation.table import TruthRow
from shared.contracts.base import ModelReference
from shared.contracts.findings import Knee
from tests.unit.gateway.assessing.test_site_settings import IMAGING, STAGING, film

BOOTSTRAP = Bootstrap(200, 0)


def row(number):
    return TruthRow(line=number + 2, file=f"{number}.png", patient=f"P{number}")


def graded(count, temperature, shift, seed=0):
    """Knees whose truth is drawn from the probabilities that a calibration makes of the network's."""
    random = np.random.default_rng(seed)
    pairs = []
    for number in range(count):
        centre = random.uniform(0, 4)
        weights = np.exp(-1.5 * (np.arange(5) - centre) ** 2) + 0.01
        given = [round(float(p), 4) for p in weights / weights.sum()]
        true = np.array(recalibrated(given, temperature, shift))
        knee = Knee(side="unknown", box=[0, 0, 9, 9], stage=0, probabilities=given, quality="good")
        pairs.append(KneePair(row(number), int(random.choice(5, p=true / true.sum())), knee))
    return pairs


def bones(sick, well, apart, seed=0):
    random = np.random.default_rng(seed)
    pairs = []
    for number in range(sick + well):
        has = number < sick
        score = 1 / (1 + np.exp(-random.normal(apart if has else 0)))
        pairs.append(BonePair(row(number), has, film(round(float(min(score, 0.89)), 4))))
    return pairs


def test_temperature_and_shift_are_found_again():
    found = fit_grades(graded(1500, 2.0, 1.0), STAGING, BOOTSTRAP)
    assert found.temperature == pytest.approx(2.0, rel=0.15)
    assert found.shift == pytest.approx(1.0, abs=0.2)
    assert (found.model, found.patients, found.knees) == (STAGING, 1500, 1500)
    assert found.log_loss_after < found.log_loss_before
    assert found.log_loss_difference.high < 0


def test_too_few_knees_are_refused_with_the_numbers():
    with pytest.raises(NotFitted, match="99 patients"):
        fit_grades(graded(99, 2.0, 1.0), STAGING, BOOTSTRAP)


def test_what_does_not_help_is_refused():
    with pytest.raises(NotFitted, match="not shown to help"):
        fit_grades(graded(150, 1.0, 0.0), STAGING, BOOTSTRAP)


def test_an_operating_point_reaches_what_was_wanted_out_of_fold():
    point = fit_operating_point("knee", bones(200, 300, 1.5), 0.9, BOOTSTRAP)
    assert point.sensitivity.low < 0.9 < point.sensitivity.high
    assert point.specificity.value < 0.9
    assert (point.model, point.patients_with, point.patients_without) == (IMAGING, 200, 300)


def test_too_few_people_and_chance_are_refused():
    with pytest.raises(NotFitted, match="49 patients with osteoporosis and 300 without"):
        fit_operating_point("knee", bones(49, 300, 1.5), 0.9, BOOTSTRAP)
    with pytest.raises(NotFitted, match="better than chance"):
        fit_operating_point("knee", bones(60, 60, 0.0), 0.9, BOOTSTRAP)
    with pytest.raises(NotFitted, match="0 patients"):
        fit_operating_point("spine", [], 0.9, BOOTSTRAP)


def test_the_threshold_calls_at_least_the_share_that_is_wanted():
    truth, score = np.array([True] * 10 + [False]), np.append(np.linspace(0.1, 1.0, 10), 0.5)
    assert threshold_for(truth, score, 0.9) == pytest.approx(0.2)
    assert threshold_for(truth, score, 0.91) == pytest.approx(0.1)
    assert threshold_for(truth, score, 0.5) == pytest.approx(0.6)


def test_a_prevalence_takes_two_hundred_patients():
    found = prevalence_of(bones(30, 170, 1.0))
    assert found.value == 0.15
    assert "30 of 200 patients" in found.basis
    with pytest.raises(NotFitted, match="199 patients"):
        prevalence_of(bones(30, 169, 1.0))


def test_the_model_is_named_as_it_is_given():
    other = ModelReference(name="staging", version="9")
    assert fit_grades(graded(400, 2.0, 1.0), other, BOOTSTRAP).model == other
