"""What a result says first: to a patient and to a clinician."""

import pytest

from gateway.assessing.assessments import ReportContent
from gateway.assessing.measured import Estimate, Interval, Measured
from gateway.assessing.release import for_patient
from gateway.platform.language import LANGUAGES, translator_for
from gateway.reports.picture import heat_maps, study_link
from gateway.reports.result_view import MOST_ACTIONS, opening, result_view
from shared.contracts.film import FilmSource
from tests.unit.gateway.reports.test_report import EXAMPLE, MEASURED, changed

LINKS = [{"title": "Ask Apollo", "url": "https://apollo.example/"}]
DENSITY = {"who_class": "osteoporosis", "basis": "b", "t_score": -3, "date": "2026-05-03"}
DIAGNOSED = {
    "clinical": {"bone_density": DENSITY, "decided_by": "dxa", "category": "high"},
    "combined": {"category": "high", "diagnosis": {"who_class": "osteoporosis", "basis": "b", "date": "2026-05-03"}},
}


def view(assessment, audience="clinician", measured=MEASURED, language="en"):
    seen = for_patient(assessment, "at_once").assessment if audience == "patient" else assessment
    return result_view(translator_for(language), ReportContent(seen, audience, {}, measured=measured))


def test_a_measurement_leads_and_the_estimate_is_not_told():
    told = view(changed(**DIAGNOSED))
    assert told.headline.text == "Osteoporosis"
    assert told.headline.found_by == "By a bone density scan, 3 May 2026"
    assert "the measurement decides" in told.certainty.sentence
    assert not [line for line in told.headline.findings if "Chance" in line]


@pytest.mark.parametrize("category", ["low", "moderate", "high", None])
def test_a_patient_is_sent_to_a_doctor_and_a_clinician_is_not(category):
    case = changed(clinical={"category": category, "decided_by": None}, combined={"category": category})
    assert "doctor" not in view(case).headline.meaning
    if category != "low":
        assert "doctor" in view(case, "patient").headline.meaning


@pytest.mark.parametrize("rule", ["frax", "fracture", "glucocorticoids"])
def test_where_a_rule_decides_no_figure_of_the_estimate_is_told(rule):
    told = view(changed(clinical={"decided_by": rule, "category": "high"}))
    assert "The estimate is not used" in told.certainty.sentence


def test_without_a_figure_it_says_so():
    assert "It is not known how often" in view(EXAMPLE, measured=Measured()).certainty.sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_figures_stand_in_the_sentence_in_every_language(language):
    for answer in ("low", "moderate", "high"):
        for group in ("women_50", "women_65", "men_50", "men_65"):
            found = Measured(Estimate(group, answer, Interval(0.387, 0.301, 0.477)))
            for audience in ("patient", "clinician"):
                sentence = view(EXAMPLE, audience, found, language).certainty.sentence
                assert all(figure in sentence for figure in ("39", "30", "48")), sentence


def test_links_to_doctors_online_are_for_patients_alone_and_not_in_an_emergency():
    asked = {"advised": True, "urgency": "routine", "reason": "r", "patient_reason": "p", "links": LINKS}
    assert [link.title for link in view(changed(consult=asked), "patient").actions.links] == ["Ask Apollo"]
    assert not view(changed(consult=asked)).actions.links
    urgent = view(changed(consult={**asked, "urgency": "emergency"}), "patient").actions
    assert urgent.emergency is not None
    assert not urgent.links


def test_what_presses_is_the_first_of_at_most_three():
    pressing = {"advised": True, "urgency": "soon", "reason": "Decide soon. And more.", "patient_reason": "Go soon."}
    clinic, patient = (view(changed(consult=pressing), audience).actions.first for audience in ("clinician", "patient"))
    assert (clinic[0].due, clinic[0].text) == ("Within weeks:", "Decide soon. And more.")
    assert patient[0].text == "See a doctor within weeks."
    assert len(clinic) == len(patient) == MOST_ACTIONS


def test_an_opening_ends_at_a_point_that_is_no_decimal_and_is_short():
    assert opening("Take 1.5 units. Then more.") == "Take 1.5 units. Then more."
    assert opening(f"Take 1.5 units. {'Then more ' * 20}.") == "Take 1.5 units."
    assert opening("One only") == "One only."


def test_an_unclear_film_has_no_heat_map_of_the_bone():
    assert heat_maps(EXAMPLE) == ["staging", "imaging"]
    assert heat_maps(changed(imaging={"indeterminate": True})) == ["staging"]


def test_a_study_is_linked_where_there_is_a_viewer_and_a_uid():
    viewer = "https://pacs.example/viewer?StudyInstanceUIDs={study}"
    assert study_link(viewer, FilmSource(study_uid="1.2.3")) == "https://pacs.example/viewer?StudyInstanceUIDs=1.2.3"
    assert study_link(viewer, FilmSource(study_uid="1&x=<")) == viewer.replace("{study}", "1%26x%3D%3C")
    assert study_link(None, FilmSource(study_uid="1.2.3")) is None
    assert study_link(viewer, FilmSource()) is study_link(viewer, None) is None
