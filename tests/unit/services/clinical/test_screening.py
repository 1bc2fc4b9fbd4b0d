"""The published scores: published examples, boundaries, populations, and unknown that is never read as "no"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.clinical.screening import mores, orai, osiris, ost, osta, score, screening_scores
from shared.clinic import Reading
from tests.unit.shared.clinic.readings import read

FRACTURE = [{"site": "wrist", "low_trauma": True, "age": 60}]


def woman(age: float, weight: float | None = None, **more: object) -> Reading:
    return read(age=age, menopausal_status="postmenopausal", weight_kg=weight, **more)


def man(age: float, weight: float | None = None, **more: object) -> Reading:
    return read(age=age, gender="male", weight_kg=weight, **more)


@pytest.mark.parametrize(
    ("age", "weight", "value", "band", "refer"),
    [
        (70, 60, -2, "moderate", True),
        (60, 70, 2, "low", False),  # the boundary is with the low band
        (60, 69.9, 1, "moderate", True),
        (75, 60, -3, "moderate", True),
        (80, 60, -4, "high", True),
        (62, 60, 0, "moderate", True),  # -0.4 is truncated toward zero, not down to -1
    ],
)
def test_ost_in_women(age: float, weight: float, value: float, band: str, refer: bool) -> None:
    result = ost(woman(age, weight))
    assert (result.value, result.band, result.refer_for_dxa) == (value, band, refer)


def test_ost_in_men_has_a_cut_off_of_its_own() -> None:
    assert ost(man(60, 80)).refer_for_dxa is False
    assert ost(man(60, 79)).refer_for_dxa is True
    assert ost(man(49, 60)).reason == "made for men of 50 and over"


@pytest.mark.parametrize(
    ("age", "weight", "band", "refer"),
    [
        (60, 60, "low", False),
        (60, 56, "low", True),
        (60, 55, "moderate", True),
        (70, 50, "moderate", True),
        (75, 54, "high", True),
    ],
)
def test_osta_bands_at_the_printed_boundaries(age: float, weight: float, band: str, refer: bool) -> None:
    result = osta(woman(age, weight, ethnicity="asian"))
    assert (result.band, result.refer_for_dxa) == (band, refer)


def test_osta_takes_the_safer_of_two_truncations() -> None:
    result = osta(woman(61, 59, ethnicity="asian"))
    assert result.value == pytest.approx(-0.4)
    assert result.band == "low"
    assert result.refer_for_dxa is True
    assert "disagree" in (result.notes or "")


def test_osta_is_for_asian_women_and_a_fracture_overrides_its_low_group() -> None:
    assert osta(woman(60, 80, ethnicity="white")).reason == "made for Asian women"
    assert osta(woman(60, 80)).reason == "needs ethnicity"
    assert osta(woman(60, 80, ethnicity="asian")).refer_for_dxa is False
    assert osta(woman(60, 80, ethnicity="asian", prior_fractures=FRACTURE)).refer_for_dxa is True
    assert osta(woman(60, 80, ethnicity="asian", medications=["glucocorticoids"])).refer_for_dxa is True


@pytest.mark.parametrize(
    ("age", "weight", "oestrogen", "value"),
    [(55, 60, True, 8), (45, 59, True, 9), (75, 70, False, 17), (65, 69.9, False, 14), (54.9, 70, True, 0)],
)
def test_orai_examples(age: float, weight: float, oestrogen: bool, value: float) -> None:
    result = orai(woman(age, weight, oestrogen_use=oestrogen))
    assert result.value == value
    assert result.refer_for_dxa is (value >= 9)


@pytest.mark.parametrize(
    ("age", "weight", "fracture", "value", "band"),
    [
        (70, 60, True, -4, "high"),
        (60, 60, True, -2, "moderate"),
        (60, 72, False, 2, "low"),
        (60, 66, False, 1, "moderate"),
    ],
)
def test_osiris_examples(age: float, weight: float, fracture: bool, value: float, band: str) -> None:
    record = woman(age, weight, oestrogen_use=False, prior_fractures=FRACTURE if fracture else [])
    result = osiris(record)
    assert (result.value, result.band, result.refer_for_dxa) == (value, band, value <= 1)


def test_osiris_hormone_therapy_from_the_medications() -> None:
    assert osiris(woman(60, 60, medications=["hormone_therapy"], prior_fractures=False)).value == 2


def test_score_adds_up() -> None:
    # 5 + 4 (arthritis) + 4 (one wrist fracture) + 18 (sixties) + 1 (never oestrogen) - 13 (132 lb)
    record = woman(65, 60, medical_conditions=["rheumatoid_arthritis"], oestrogen_ever=False, prior_fractures=FRACTURE)
    assert score(record).value == 19


def test_score_counts_three_fractures_at_most_and_only_its_own_sites_after_45() -> None:
    known = {"medical_conditions": [], "oestrogen_ever": True}
    none = score(woman(65, 60, prior_fractures=[], **known)).value
    five = [{"site": "rib", "low_trauma": True, "age": 50}] * 5
    assert score(woman(65, 60, prior_fractures=five, **known)).value == none + 12
    early = [{"site": "wrist", "low_trauma": True, "age": 45}]
    assert score(woman(65, 60, prior_fractures=early, **known)).value == none
    assert score(woman(65, 60, prior_fractures=[{"site": "ankle", "low_trauma": True}], **known)).value == none
    violent = [{"site": "wrist", "low_trauma": False, "age": 50}]
    assert score(woman(65, 60, prior_fractures=violent, **known)).value == none


def test_no_race_can_lower_score() -> None:
    known = {"medical_conditions": [], "oestrogen_ever": True, "prior_fractures": False}
    black, white = (score(woman(65, 60, ethnicity=e, **known)) for e in ("black", "white"))
    assert black.value == white.value
    assert "as published it would give 5" in (black.notes or "")


@pytest.mark.parametrize(
    ("age", "weight", "copd", "value"),
    [(55.9, 81, False, 0), (56, 80, False, 7), (75, 70, True, 13), (60, 70, False, 9), (74.9, 80.1, True, 6)],
)
def test_mores_bands(age: float, weight: float, copd: bool, value: float) -> None:
    result = mores(man(age, weight, medical_conditions=["copd"] if copd else []))
    assert result.value == value
    assert result.refer_for_dxa is (value >= 6)


def test_unknown_is_not_no() -> None:
    record = woman(70, 60)
    assert osiris(record).reason == "needs oestrogen_use, prior_fractures"
    assert orai(record).reason == "needs oestrogen_use"
    assert score(record).reason == "needs medical_conditions, prior_fractures, oestrogen_ever"
    assert mores(man(70, 60)).reason == "needs medical_conditions"
    assert mores(man(70, 60, medical_conditions=["diabetes_type_2"])).reason == "needs medical_conditions"
    assert mores(man(70, 60, medical_conditions_excluded=["copd"])).value == 9
    # "Yes" alone says neither site nor trauma.
    assert osiris(woman(70, 60, oestrogen_use=False, prior_fractures=True)).applicable is False


def test_menopause_is_assumed_from_50_only_and_said() -> None:
    def of(age: int, **more: object) -> Reading:
        return read(age=age, weight_kg=60, **more)

    assert ost(of(49)).applicable is False
    assert "taken as postmenopausal" in (ost(of(50)).notes or "")
    assert ost(of(50, menopausal_status="premenopausal")).reason == "made for postmenopausal women"
    assert ost(of(45, menopause_age=44)).applicable is True


@given(age=st.floats(18, 110), weight=st.floats(20, 300), gender=st.sampled_from(["female", "male"]))
def test_every_record_gets_a_value_or_a_reason(age: float, weight: float, gender: str) -> None:
    scores = screening_scores(read(age=age, gender=gender, weight_kg=weight))
    for name in type(scores).model_fields:
        result = getattr(scores, name)
        assert (result.value is not None) is result.applicable
        assert (result.reason is None) is result.applicable
        assert result.citation


@given(age=st.floats(50, 100), weight=st.floats(35, 150), lighter=st.floats(0, 30), older=st.floats(0, 20))
def test_ost_never_rises_with_age_or_falls_with_weight(age: float, weight: float, lighter: float, older: float) -> None:
    now = ost(woman(age, weight)).value
    later = ost(woman(age + older, max(weight - lighter, 20))).value
    assert now is not None
    assert later is not None
    assert later <= now
