"""The report: one sheet whatever is on it, in the language asked for, its letters joined as they are read."""

import json
import re
from contextlib import closing
from pathlib import Path

import cv2
import pytest

import gateway.api.examples.assessments
from gateway.assessing.assessments import ReportContent
from gateway.assessing.measured import Estimate, Film, Grades, Interval, Measured
from gateway.assessing.release import for_patient
from gateway.reports import fonts
from gateway.reports.fonts import fonts_for
from gateway.reports.report import pdf_of
from gateway.reports.sheet import Sheet
from shared.contracts.assessment import Assessment
from shared.contracts.record import ClinicalRecord
from shared.contracts.risk import RiskRequest
from shared.radiograph.phantom import knee
from tests.pdf import text_of

EXAMPLE = Assessment.model_validate(json.loads(
    Path(gateway.api.examples.assessments.__file__).with_name("assessment.json").read_text(encoding="utf-8")
))  # fmt: skip
RECORD = {
    "age": 72, "gender": "female", "weight_kg": 48, "height_cm": 156, "smoking": "current", "glucocorticoid_months": 6,
    "t_scores": [{"site": "femoral_neck", "value": -2.9, "method": "dxa", "date": "2026-05-03"}],
    "bmd": [{"site": "total_hip", "g_per_cm2": 0.612, "device": "hologic", "date": "2026-05-03"}],
    "prior_fractures": [{"site": "hip", "age": 71, "low_trauma": True}, {"site": "wrist"}],
    "medications": ["glucocorticoids"],
}  # fmt: skip
MEASURED = Measured(
    Estimate("women_65", "high", Interval(0.387, 0.301, 0.477)),
    Film(Interval(0.656, 0.469, 0.8125), Interval(0.656, 0.576, 0.736)),
    Grades(0.75, 0.95),
)
FILM = cv2.imencode(".png", knee(size=(1200, 1000)))[1].tobytes()
NO_FONTS = "no font for Devanagari and Kannada is on this machine (apt install fonts-lohit-deva fonts-lohit-knda)"


def sheets(pdf):
    return len(re.findall(rb"/Type /Page\b", pdf))


def much():
    """An assessment with twice as many recommendations as the example has."""
    found = EXAMPLE.recommendation
    return EXAMPLE.model_copy(update={"recommendation": found.model_copy(update={"items": found.items * 2})})


@pytest.mark.parametrize("language", ["en", "hi", "kn"])
def test_the_patients_is_one_sheet_in_the_language_asked_for(language):
    if fonts_for(language) is None:
        pytest.skip(NO_FONTS)
    pdf, written = pdf_of(
        ReportContent(for_patient(EXAMPLE, "by_clinician").assessment, "patient", {}, withheld=True), language
    )
    assert (sheets(pdf), written) == (1, language)


@pytest.mark.parametrize("language", ["en", "hi", "kn"])
def test_the_clinicians_is_one_sheet_in_english(language):
    pdf, written = pdf_of(ReportContent(EXAMPLE, "clinician", {}), language)
    assert (sheets(pdf), written) == (1, "en")


def test_what_is_withheld_is_said_and_is_not_there():
    seen = for_patient(EXAMPLE, "by_clinician")
    withheld = words_on(ReportContent(seen.assessment, "patient", {}, withheld=seen.withheld))
    assert "once a clinician has released it" in withheld
    assert "Check first" not in withheld
    shown = for_patient(EXAMPLE, "at_once")
    assert "once a clinician has released it" not in words_on(ReportContent(shown.assessment, "patient", {}))


def test_the_joint_space_is_on_the_clinicians_sheet_alone():
    assert "Minimal joint space" in words_on(ReportContent(EXAMPLE, "clinician", {}))
    seen = for_patient(EXAMPLE, "at_once")
    assert "joint space" not in words_on(ReportContent(seen.assessment, "patient", {})).lower()


def test_a_long_one_is_set_smaller():
    pdf, _ = pdf_of(ReportContent(much(), "clinician", {}), "en")
    assert sheets(pdf) == 1


def test_without_a_font_it_is_in_english_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path),))
    fonts._files.cache_clear()
    try:
        pdf, written = pdf_of(ReportContent(EXAMPLE, "patient", {}, withheld=True), "kn")
    finally:
        fonts._files.cache_clear()
    assert (sheets(pdf), written) == (1, "en")


@pytest.mark.parametrize(("language", "word"), [("hi", "निर्णय"), ("kn", "ಸಾಂದ್ರತೆಯ")])
def test_letters_are_joined_in_a_line_that_begins_in_latin(language, word):
    """A shaper left to guess takes the first letters' script for the whole line and joins nothing of the rest."""
    found = fonts_for(language)
    if found is None:
        pytest.skip(NO_FONTS)
    with closing(Sheet(found, 10)) as sheet:
        pdf = sheet.pdf
        joined = pdf.get_string_width(f"DXA {word}") - pdf.get_string_width("DXA ")
        assert joined == pytest.approx(pdf.get_string_width(word), abs=0.01)
        pdf.set_text_shaping(False)
        assert pdf.get_string_width(word) > joined * 1.1


def changed(**parts):
    """The example with other parts: `consult`, `clinical`, `combined`, `imaging`."""
    document = json.loads(EXAMPLE.model_dump_json())
    document["recommendation"]["consult"] |= parts.pop("consult", {})
    for name, part in parts.items():
        document[name] |= part
    return Assessment.model_validate(document)


def words_on(report, language="en"):
    return text_of(pdf_of(report, language)[0])


@pytest.mark.parametrize("audience", ["patient", "clinician"])
def test_an_emergency_comes_before_everything_else(audience):
    links = [{"title": "Ask Apollo", "url": "https://apollo.example/"}]
    now = {"advised": True, "urgency": "emergency", "reason": "Cord compression.", "links": links}
    told = words_on(ReportContent(changed(consult=now), audience, {}, emergency_number="108"))
    leads = "Overall" if audience == "patient" else "Impression"
    assert told.index("Call 108 now") < told.index("Cord compression.") < told.index(leads)
    assert "Ask Apollo" not in told


def test_both_sheets_tell_what_is_odd_about_the_record():
    odd = [{"field": "weight_kg", "type": "implausible_value", "detail": "a BMI of 91; check the units"}]
    made = changed(clinical={"warnings": odd})
    assert "Weight: This value is unusual. Please check it." in words_on(ReportContent(made, "patient", {}))
    assert "Weight: a BMI of 91; check the units" in words_on(ReportContent(made, "clinician", {}))


def test_the_chance_stands_beside_the_average_until_a_diagnosis_leads():
    comparison = {"of_same_age_and_sex": 0.1, "population": "US adults"}
    told = words_on(
        ReportContent(changed(combined={"comparison": comparison}, clinical={"probability": 0.2}), "patient", {})
    )
    assert "Chance of osteoporosis in a bone density scan: 20%" in told
    assert "more than the average of people of the same age and sex, 10% (US adults)" in told
    density = {"who_class": "osteoporosis", "basis": "b", "t_score": -3, "date": "2026-05-03"}
    found = {"category": "high", "diagnosis": {"who_class": "osteoporosis", "basis": "b", "date": "2026-05-03"}}
    for audience in ("patient", "clinician"):
        told = words_on(ReportContent(changed(combined=found, clinical={"bone_density": density}), audience, {}))
        assert "Osteoporosis By a bone density scan, 3 May 2026. High risk" in told
        assert "Chance of osteoporosis" not in told
        assert "A bone density scan is advised" not in told


def test_where_the_sex_is_open_both_readings_are_told():
    readings = [
        {"sex": "female", "probability": 0.22, "category": "high"},
        {"sex": "male", "probability": 0.05, "category": "low"},
    ]
    told = words_on(ReportContent(changed(clinical={"probability": None, "readings": readings}), "patient", {}))
    assert "Female: 22% (High risk)" in told
    assert "Male: 5.0% (Low risk)" in told


def test_an_unclear_film_has_no_percentages():
    made = changed(imaging={"indeterminate": True, "summary": "Indeterminate: too young."})
    told = words_on(ReportContent(made, "clinician", {}))
    assert "no clear answer" in told
    assert "Indeterminate: too young." in told
    assert "The network's probabilities" not in told
    assert "The network's probabilities" in words_on(ReportContent(EXAMPLE, "clinician", {}))


def test_the_picture_is_on_the_sheet_with_a_box_and_its_grade_and_no_heat_map():
    pictures = dict.fromkeys(("preview", "imaging", "staging"), FILM)
    for audience in ("patient", "clinician"):
        with_film, _ = pdf_of(ReportContent(EXAMPLE, audience, pictures), "en")
        assert len(re.findall(rb"/Subtype /Image\b", with_film)) == 1
        assert "Knee: grade 1" in text_of(with_film)


@pytest.mark.parametrize("audience", ["patient", "clinician"])
@pytest.mark.parametrize("language", ["en", "hi", "kn"])
def test_a_full_record_with_a_film_is_one_sheet(language, audience):
    if fonts_for(language) is None:
        pytest.skip(NO_FONTS)
    assessment = for_patient(EXAMPLE, "at_once").assessment if audience == "patient" else EXAMPLE
    risk = RiskRequest(record=ClinicalRecord.model_validate(RECORD))
    pdf, _ = pdf_of(ReportContent(assessment, audience, {"preview": FILM}, risk=risk, measured=MEASURED), language)
    assert sheets(pdf) == 1


def test_the_clinician_can_file_it():
    filed = RiskRequest(record=ClinicalRecord.model_validate(RECORD))
    told = words_on(ReportContent(EXAMPLE, "clinician", {}, risk=filed, measured=MEASURED))
    for line in (
        "Female, 72 years, 48 kg, 156 cm, BMI 19.7", "Femoral neck (hip) T-score \N{MINUS SIGN}2.9 DXA 3 May 2026",
        "Total hip 0.612 g/cm² DXA, Hologic 3 May 2026", "Hip at 71 (low trauma); Wrist (trauma not stated)",
        "smoking: Now", "glucocorticoid 6 months", "medications: Steroid tablets", "View and quality: no warning.",
        "Of 100 women of 65 and over in a US survey with this answer, about 39 (30 to 48) had osteoporosis",
        "of 100 films with osteoporosis it finds 66; of 100 without, it calls 34 wrongly", "signature",
    ):  # fmt: skip
        assert line in told, line
    assert "72 years" not in words_on(ReportContent(EXAMPLE, "patient", {}, risk=filed))
