"""FRAX against the line that holds for the country: one table, and nothing dropped in silence."""

import pytest

from shared.clinic.frax import NOGG
from tests.unit.shared.clinic.readings import read


@pytest.mark.parametrize(
    ("age", "major", "hip", "standing"),
    [
        (50, 7.2, 0.9, "intermediate"), (50, 7.3, None, "over"), (54.9, None, 0.91, "over"),
        (50, 11.7, None, "very_high"), (55, 9.4, None, "intermediate"), (58, 15.0, 2.0, "over"),
        (58, 15.2, None, "very_high"), (60, 5.9, 0.7, "under"), (65, 16.5, None, "over"),
        (69, None, 3.4, "intermediate"), (70, 20.3, None, "over"), (88, None, 8.6, "very_high"),
    ],
)  # fmt: skip
def test_the_uk_by_age_with_and_without_dxa(age: float, major: float | None, hip: float | None, standing: str) -> None:
    fields = {"age": age, "frax_major": major, "frax_hip": hip, "frax_country": "uk"}
    for density in (None, [{"site": "total_hip", "value": -1.8}], [{"site": "total_hip", "value": 0.2}]):
        assert read(**fields, t_scores=density).frax.standing == standing


def test_very_high_is_1_6_times_the_intervention_threshold() -> None:
    for row in NOGG:
        assert row.major[2] == pytest.approx(1.6 * row.major[1], abs=0.1)
        assert row.hip[2] == pytest.approx(1.6 * row.hip[1], abs=0.1)


@pytest.mark.parametrize(
    ("t_score", "major", "hip", "standing"),
    [
        (-1.8, 20, 1, "over"), (-1.8, 5, 3, "over"), (-1.8, 19.9, 2.9, "under"), (-1.0, 20, 1, "over_outside"),
        (-2.5, 20, 1, "over"), (None, 20, 1, "over_outside"), (None, 19, 2, "under"),
    ],
)  # fmt: skip
def test_the_us_line_is_sourced_between_two_t_scores_only(
    t_score: float | None, major: float, hip: float, standing: str
) -> None:
    density = None if t_score is None else [{"site": "femoral_neck", "value": t_score}]
    assert read(frax_major=major, frax_hip=hip, frax_country="us", t_scores=density).frax.standing == standing


@pytest.mark.parametrize("country", ["india", "other", None])
@pytest.mark.parametrize(("major", "standing"), [(8.6, "no_line"), (8.5, "no_line_low")])
def test_elsewhere_no_line_is_sourced_and_the_answer_says_so(country: str | None, major: float, standing: str) -> None:
    found = read(age=67, frax_major=major, frax_country=country).frax
    assert found.standing == standing
    assert "no sourced FRAX threshold" in found.summary
    assert not found.treats


def test_no_frax_no_standing() -> None:
    assert read(frax_country="uk").frax is None


def test_under_50_the_uk_has_no_line_either() -> None:
    assert read(age=45, frax_major=12, frax_country="uk").frax.standing == "no_line"
