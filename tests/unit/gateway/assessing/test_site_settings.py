"""What a site puts on top of the networks: probabilities and grades, the call of a film, and what is left alone."""

import datetime as dt

import numpy as np
import pytest

from gateway.assessing.site_settings import applies, as_calibrated, called, recalibrated, restored
from services.staging.decision import median_grade as median_of_arrays
from shared.contracts.base import ModelReference
from shared.contracts.findings import (
    BoneProbabilities,
    ClassProbabilities,
    ImagingFinding,
    Knee,
    LikelihoodRatio,
    StageAnswer,
)
from shared.contracts.site_settings import GradeCalibration, Measured, OperatingPoint, Prevalence, SiteSettings
from shared.kl_grade import NO_CLEAR_GRADE, finding_of, median_grade

IMAGING, STAGING = ModelReference(name="imaging", version="1"), ModelReference(name="staging", version="1")
FIGURE = Measured(value=0.9, low=0.8, high=0.95)
CALIBRATION = GradeCalibration(
    model=STAGING, temperature=1.6, shift=0.7, patients=100, knees=200, log_loss_before=1.0, log_loss_after=0.9,
    log_loss_difference=FIGURE,
)  # fmt: skip


def settings(**parts):
    return SiteSettings(version="1", made_at=dt.datetime.now(dt.UTC), table_sha256="0", **parts)


def point(threshold, model=IMAGING):
    return OperatingPoint(
        model=model, anatomy="knee", wanted_sensitivity=0.9, threshold=threshold, patients_with=50,
        patients_without=50, sensitivity=FIGURE, specificity=FIGURE,
    )  # fmt: skip


def film(osteoporosis=0.4, indeterminate=False):
    return ImagingFinding(
        label="normal" if osteoporosis < 0.5 else "knee_osteoporosis", indeterminate=indeterminate,
        probabilities=ClassProbabilities(normal=1 - osteoporosis, spine_osteoporosis=0, knee_osteoporosis=osteoporosis),
        anatomy="knee",
        bone=BoneProbabilities(normal=0.9 - osteoporosis, osteopenia=0.1, osteoporosis=osteoporosis),
        summary="", model=IMAGING,
        likelihood_ratio=LikelihoodRatio(value=2, low=1.1, high=3, patients=100, basis="x"),
    )  # fmt: skip


def knees(*distributions):
    found = [
        Knee(side=side, box=[0, 0, 9, 9], stage=median_grade(p), probabilities=list(p), quality="good")
        for side, p in zip(("right", "left"), distributions, strict=False)
    ]
    return StageAnswer(finding=finding_of(found, STAGING))


def test_no_shift_and_a_temperature_of_one_change_nothing():
    probabilities = [0.1, 0.2, 0.4, 0.2, 0.1]
    assert recalibrated(probabilities, 1.0, 0.0) == pytest.approx(probabilities)


def test_a_calibration_can_be_taken_back():
    random = np.random.default_rng(3)
    for probabilities in random.dirichlet(np.ones(5), 50):
        moved = recalibrated(list(probabilities), CALIBRATION.temperature, CALIBRATION.shift)
        assert sum(moved) == pytest.approx(1)
        assert min(moved) >= 0
        assert restored(moved, CALIBRATION) == pytest.approx(probabilities, abs=2e-3)


def test_one_median_for_arrays_and_lists():
    for probabilities in np.random.default_rng(1).dirichlet(np.ones(5), 200).round(4):
        assert median_grade(list(probabilities)) == int(median_of_arrays(probabilities))


def test_grades_follow_from_the_moved_probabilities_and_the_worse_knee_leads():
    answer = knees((0.1, 0.45, 0.4, 0.05, 0), (0.6, 0.3, 0.1, 0, 0))
    assert answer.finding.stage == 1
    moved = as_calibrated(answer, settings(grades=CALIBRATION.model_copy(update={"shift": 1.5, "temperature": 1.0})))
    assert [knee.stage for knee in moved.finding.knees] == [2, 1]
    assert (moved.finding.stage, moved.finding.kl_name) == (2, "mild")
    flat = as_calibrated(answer, settings(grades=CALIBRATION.model_copy(update={"temperature": 3.0})))
    assert (flat.finding.knees[0].quality, flat.finding.knees[0].note) == ("uncertain", NO_CLEAR_GRADE)


def test_a_film_is_called_from_the_sites_threshold_on():
    lower = settings(operating_points=[point(0.3)])
    found = called(film(0.4), lower)
    assert (found.label, found.appearance) == ("knee_osteoporosis", "osteoporosis")
    assert found.summary.startswith("Possible low bone density")
    # A ratio that was measured at another operating point does not hold for this one.
    assert found.likelihood_ratio is None
    higher = called(film(0.6), settings(operating_points=[point(0.7)]))
    # The site does not call it osteoporosis; that osteoporosis leads is no lack of signs either.
    assert (higher.label, higher.appearance) == ("normal", "low_bone_mass")
    assert called(film(0.5), settings(prevalence=Prevalence(value=0.2, basis="x"))).stand_alone.probability == 0.2


def test_another_version_and_what_is_indeterminate_are_left_alone():
    other = settings(operating_points=[point(0.3, ModelReference(name="imaging", version="2"))])
    assert called(film(), other) == film()
    assert not applies(other, film(), None)
    assert not applies(settings(operating_points=[point(0.3)]), film(indeterminate=True), None)
    of_other = CALIBRATION.model_copy(update={"model": ModelReference(name="staging", version="2")})
    answer = knees((0.1, 0.45, 0.4, 0.05, 0))
    assert as_calibrated(answer, settings(grades=of_other)) == answer
    assert as_calibrated(answer, None) == answer
    assert applies(settings(grades=CALIBRATION), None, answer.finding)
