"""WHO classes at their boundaries, who is judged by which score, and fractures that decide."""

import pytest

from services.clinical.bone_density import classify_bone_density
from shared.clinic.reference import t_score_of
from shared.contracts.findings import BoneDensity
from shared.contracts.record import DensityMeasurement
from tests.unit.shared.clinic.readings import read


def t(value: float, site: str = "femoral_neck", method: str = "dxa") -> dict[str, object]:
    return {"site": site, "value": value, "method": method}


def classified(**more: object) -> BoneDensity:
    found = classify_bone_density(read(**more))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("value", "who_class"),
    [
        (-0.99, "normal"),
        (-1.0, "normal"),
        (-1.01, "low_bone_mass"),
        (-2.49, "low_bone_mass"),
        (-2.5, "osteoporosis"),
        (-2.51, "osteoporosis"),
    ],
)
def test_who_boundaries(value: float, who_class: str) -> None:
    assert classified(t_scores=[t(value)], prior_fractures=[]).who_class == who_class


def test_a_wrist_fracture_makes_it_severe() -> None:
    found = classified(t_scores=[t(-2.7)], prior_fractures=[{"site": "wrist", "low_trauma": True}])
    assert found.who_class == "severe_osteoporosis"
    assert found.basis.startswith("severe osteoporosis (WHO), by DXA")
    unstated = classified(t_scores=[t(-2.7)], prior_fractures=[{"site": "wrist"}])
    assert unstated.who_class == "severe_osteoporosis"
    assert "trauma not stated" in unstated.basis


@pytest.mark.parametrize(
    "fractures",
    [
        [{"site": "wrist", "low_trauma": False}],
        [{"site": "hand_or_foot", "low_trauma": True}],
        [{"site": "wrist", "age": 12}],
        [],
        False,
        True,
        None,
    ],
)
def test_other_fractures_do_not_make_it_severe(fractures: object) -> None:
    assert classified(t_scores=[t(-2.7)], prior_fractures=fractures).who_class == "osteoporosis"


def test_the_lowest_allowed_site_decides() -> None:
    scores = [t(-1.2), t(-2.6, "lumbar_spine"), t(-3.5, "calcaneus"), t(-3.1, "trochanter"), t(-4, "total_hip", "qct")]
    found = classified(t_scores=scores)
    assert (found.site, found.t_score) == ("lumbar_spine", -2.6)
    assert classified(t_scores=[t(-2.6, "distal_third_radius")]).who_class == "osteoporosis"


def test_ultrasound_gives_no_class() -> None:
    found = classified(t_scores=[t(-3.4, "calcaneus", "ultrasound")])
    assert found.who_class is None
    assert "ultrasound" in found.basis
    assert classified(t_scores=[t(-3.4, "femoral_neck", "ultrasound")]).who_class is None


@pytest.mark.parametrize(
    ("age", "gender", "status", "scale"),
    [
        (45, "female", "premenopausal", "z"),
        (47, "female", "perimenopausal", "t"),
        (45, "female", "postmenopausal", "t"),
        (45, "female", None, "unknown"),
        (50, "female", None, "t"),
        (49.9, "male", None, "z"),
        (50, "male", None, "t"),
    ],
)
def test_who_is_judged_by_which_score(age: float, gender: str, status: str | None, scale: str) -> None:
    assert read(age=age, gender=gender, menopausal_status=status).densities.scale == scale


def test_z_scores_before_menopause_and_in_young_men() -> None:
    young = {"age": 40, "gender": "male"}
    assert classified(**young, t_scores=[t(-3)]).who_class is None
    assert classified(**young, z_scores=[t(-2.0)]).who_class == "below_expected_for_age"
    within = classified(**young, z_scores=[t(-1.9)], t_scores=[t(-3)])
    assert within.who_class is None
    assert "within the expected range" in within.basis
    assert classified(age=48, menopausal_status="premenopausal", t_scores=[t(-2.6)]).who_class is None
    assert "menopausal status" in classified(age=45, t_scores=[t(-2.6)]).basis


@pytest.mark.parametrize("site", ["hip", "vertebra"])
def test_a_low_trauma_hip_or_spine_fracture_is_osteoporosis_whatever_the_t_score(site: str) -> None:
    broken = [{"site": site, "low_trauma": True}]
    assert classified(t_scores=[t(0.3)], prior_fractures=broken).who_class == "osteoporosis"
    assert classified(prior_fractures=broken).who_class == "osteoporosis"
    assert "whatever the T-score" in classified(t_scores=[t(0.3)], prior_fractures=broken).basis
    assert classify_bone_density(read(prior_fractures=[{"site": site}])) is None
    assert classified(t_scores=[t(-2.7)], prior_fractures=broken).who_class == "severe_osteoporosis"


def test_nothing_measured_gives_nothing() -> None:
    assert classify_bone_density(read()) is None


@pytest.mark.parametrize(
    ("site", "bmd", "expected"),
    [
        ("femoral_neck", 0.558, -2.5),
        ("femoral_neck", 0.738, -1.0),
        ("total_hip", 0.637, -2.5),
        ("total_hip", 0.820, -1.0),
        ("lumbar_spine", 0.772, -2.5),
        ("lumbar_spine", 0.937, -1.0),
    ],
)
def test_published_bmd_cut_offs_on_hologic(site: str, bmd: float, expected: float) -> None:
    found = t_score_of(DensityMeasurement(site=site, g_per_cm2=bmd, device="hologic"))
    assert found is not None
    assert found.value == pytest.approx(expected, abs=0.006)


def test_no_t_score_without_maker_and_site() -> None:
    for site, device in (
        ("femoral_neck", None),
        ("lumbar_spine", "ge_lunar"),
        ("total_hip", "norland"),
        ("knee", "hologic"),
    ):
        assert t_score_of(DensityMeasurement(site=site, g_per_cm2=0.5, device=device)) is None
    assert classified(bmd=[{"site": "femoral_neck", "g_per_cm2": 0.5}]).who_class is None
    lunar = t_score_of(DensityMeasurement(site="femoral_neck", g_per_cm2=0.7, device="ge_lunar"))
    assert lunar is not None
    assert lunar.value == pytest.approx(-2.43, abs=0.01)


def test_the_printed_t_score_is_preferred_to_a_computed_one() -> None:
    both = {
        "t_scores": [t(-1.5)],
        "bmd": [{"site": "femoral_neck", "g_per_cm2": 0.5, "device": "hologic"}],
    }
    assert classified(**both).t_score == -1.5
    computed = classified(bmd=both["bmd"])
    assert computed.who_class == "osteoporosis"
    assert "NHANES III" in computed.basis
