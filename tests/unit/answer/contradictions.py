"""Statements that must not meet in one answer, and facts that no two parts of it may disagree on."""

import re
from collections.abc import Callable, Iterator

from shared.clinic.density import OSTEOPOROSIS
from shared.clinic.drug_names import bone_drug_named
from tests.unit.answer.whole import Answer

IMPACT = re.compile(r"\bjog|\bjump|\bstamp", re.IGNORECASE)
# A time until the next scan stands in one place.
DXA_TIME = re.compile(r"(DXA|bone density)[^.]*\b(months|years)\b", re.IGNORECASE)
CATEGORY_FLOORS = ("consult.treatment_indicated", "consult.frax_without_line", "consult.glucocorticoids")
Check = Callable[[Answer], Iterator[str]]


def contradictions(answer: Answer) -> list[str]:
    """Every pair that meets in an answer though it must not, in words."""
    return [words for check in CHECKS for words in check(answer)]


def normal_beside_a_concern(a: Answer) -> Iterator[str]:
    if "follow_up.normal_without_dxa" not in a.ids:
        return
    if any(name.startswith("referral.dxa") for name in a.ids):
        yield "called normal, and DXA advised"
    if a.combined.category != "low" or a.combined.diagnosis or a.recommendation.consult.urgency in ("soon", "urgent"):
        yield "called normal beside a raised category, a diagnosis or a doctor soon"


def dxa_asked_for_that_is_on_record(a: Answer) -> Iterator[str]:
    current = all(reading.has_current_scan for reading in a.readings)
    if current and any(name.startswith("referral.dxa") for name in a.ids):
        yield "DXA advised, and a current one is on record"
    outdated = all(reading.scan_is_out_of_date for reading in a.readings)
    adult = a.record.age >= 18 and not a.record.pregnant and not any(r.cancer_in_bone for r in a.readings)
    if outdated and adult and not any(name.startswith("referral.dxa") for name in a.ids):
        yield "the scan on record is out of date, and no new one is advised"


def one_interval(a: Answer) -> Iterator[str]:
    rules = [item for item in a.items if item.id.startswith("follow_up.next_dxa")]
    due = a.recommendation.next_dxa
    if len(rules) > 1:
        yield "two times for the next scan"
    for item in rules:
        by = f"{round(due.by_months)} months" if due else "nothing"
        if due is None or by not in item.text:
            yield f"the next scan is told as {item.text!r} and as {due}"
    for item in a.items:
        if not item.id.startswith("follow_up.next_dxa") and DXA_TIME.search(item.text):
            yield f"{item.id} names a time for a scan"
    if any(name.startswith("referral.dxa") for name in a.ids) and due is None:
        yield "DXA advised, and no next scan"


def exercise_under_a_red_flag(a: Answer) -> Iterator[str]:
    exercise = [item.id for item in a.items if item.kind == "exercise"]
    if exercise and "follow_up.exercise_on_hold" in a.ids:
        yield "exercise suggested while it is on hold"
    if exercise and a.recommendation.consult.urgency == "emergency" and a.record.neurological_signs:
        yield "exercise suggested with a pressed spinal cord"


def impact_for_the_frail(a: Answer) -> Iterator[str]:
    impact = [item.id for item in a.items if IMPACT.search(item.text) or IMPACT.search(item.patient_text)]
    named = {"dementia", "frailty"} & set(a.record.medical_conditions or [])
    worn = a.staging is not None and a.staging.kl_grade >= 3
    if impact and (named or worn or (a.record.falls_past_year or 0) >= 2):
        yield f"impact exercise ({impact}) for somebody frail, falling or with a worn knee"
    if impact and "exercise.strength_without_impact" in a.ids:
        yield "impact exercise, and none"


def order_of_drugs(a: Answer) -> Iterator[str]:
    texts = [item.text for item in a.items if item.kind == "medication"]
    usual = any("usual first choice" in text for text in texts)
    if usual and any("one of the first choices at very high" in t or "is the first choice" in t for t in texts):
        yield "two first choices"
    taken = {"denosumab", "oral_bisphosphonate", "iv_bisphosphonate"} & set(a.record.medications or [])
    if taken and any("individual decision by fracture risk" in item.text for item in a.items):
        yield "treatment called an individual decision while a bone drug is taken"


def no_drug_out_of_scope(a: Answer) -> Iterator[str]:
    drugs = [item.id for item in a.items if item.kind == "medication"]
    if drugs and (a.record.age < 18 or a.record.pregnant or any(reading.cancer_in_bone for reading in a.readings)):
        yield f"drugs ({drugs}) for a child, in pregnancy or with cancer in bone"


def category_beside_the_rest(a: Answer) -> Iterator[str]:
    category = a.combined.category
    if category != a.clinical.category:
        yield "two categories"
    treated = [
        item.id for item in a.items
        if item.kind == "medication" and not item.id.startswith(("medication.early_menopause", "medication.after_deno"))
    ]  # fmt: skip
    if category == "low" and treated:
        yield f"low risk, and drugs for osteoporosis: {treated}"
    for words in ("fracture risk on long-term", "a guideline treats such patients", "frax is raised; where no sourced"):
        if category == "low" and words in a.prose:
            yield f"low risk, and {words!r}"
    if any(reading.low_t_score for reading in a.readings) and category == "low":
        yield "low risk with a T-score of -2.5 or lower"


def one_class(a: Answer) -> Iterator[str]:
    classes = {reading.who_class for reading in a.readings}
    told = a.combined.diagnosis.who_class if a.combined.diagnosis else None
    if len(classes) == 1 and told != next(iter(classes)):
        yield f"the class is {classes} in the record and {told} in the diagnosis"
    if told in OSTEOPOROSIS and a.combined.category != "high":
        yield "osteoporosis, and not high"
    letter = " ".join(a.recommendation.letter.findings) if a.recommendation.letter else ""
    if told and letter and f"WHO class: {told.replace('_', ' ')}" not in letter:
        yield "the letter gives another class"


def doubt_never_reassures(a: Answer) -> Iterator[str]:
    types = {warning.type for warning in a.clinical.warnings}
    told = a.combined.diagnosis.who_class if a.combined.diagnosis else None
    if "sign_slip" in types and told == "normal":
        yield "normal bone density from a T-score whose sign is in doubt"
    used = {contribution.field for contribution in a.clinical.contributions or []}
    if (
        a.combined.category == "low"
        and any(r.body_in_doubt and (r.body_mass_index or 0) > 35 for r in a.readings)
        and used & {"weight_kg", "height_cm"}
    ):
        yield "low risk by an estimate made with a weight or height in doubt"


def glucocorticoids_once(a: Answer) -> Iterator[str]:
    levels = [level for level in ("very_high", "high", "moderate") if f"follow_up.acr_{level}" in a.ids]
    if len(levels) > 1:
        yield f"two levels on glucocorticoids: {levels}"
    if levels and all(reading.glucocorticoids.taken is not True for reading in a.readings):
        yield "a level on glucocorticoids that are not taken"


def films(a: Answer) -> Iterator[str]:
    if "no osteoporosis" in a.prose:
        yield "a film cannot rule osteoporosis out"
    if "shows possible low bone density" in a.prose and "shows no sign of low bone density" in a.prose:
        yield "two readings of one film"


def calcium(a: Answer) -> Iterator[str]:
    if "diet.calcium_review_first" in a.ids and any(name.startswith("diet.calcium_to_") for name in a.ids):
        yield "no supplement, and a gap to fill"


def patients_read_no_withheld_drug(a: Answer) -> Iterator[str]:
    for item in a.items:
        if item.kind != "medication" and bone_drug_named(item.patient_text):
            yield f"{item.id} names a bone drug to the patient"
    if bone_drug_named(a.recommendation.consult.patient_reason):
        yield "the consult block names a bone drug to the patient"


CHECKS: tuple[Check, ...] = (
    normal_beside_a_concern, dxa_asked_for_that_is_on_record, one_interval, exercise_under_a_red_flag,
    impact_for_the_frail, order_of_drugs, no_drug_out_of_scope, category_beside_the_rest, one_class,
    doubt_never_reassures, glucocorticoids_once, films, calcium, patients_read_no_withheld_drug,
)  # fmt: skip
