"""Facts read off the findings of imaging, staging and the clinical service."""

from collections.abc import Callable
from typing import get_args

from services.recommender.case import Case
from services.recommender.facts import Fact, Value
from services.recommender.record_facts import record_facts
from shared.components import SERVICES
from shared.contracts.findings import Appearance, RecordWarningType, RiskCategory, WhoClass
from shared.contracts.recommendation import DrugClass

VALUES_IN_DOUBT: frozenset[RecordWarningType] = frozenset(
    {"implausible_value", "sign_slip", "wrong_unit", "future_date", "contradiction", "unclassified"}
)
# What a request may bring: the finding of each service that has one, and the record.
PARTS = (*(service.name for service in SERVICES if service.finding), "record")


def screening_score_refers(case: Case) -> bool | None:
    """Whether a published screening score that applies asks for DXA; None without one that applies."""
    if case.clinical is None:
        return None
    scores = case.clinical.scores
    answers = [
        score.refer_for_dxa
        for score in (scores.ost, scores.osta, scores.orai, scores.osiris, scores.score, scores.mores)
        if score.applicable and score.refer_for_dxa is not None
    ]
    return any(answers) if answers else None


def knee_grade_uncertain(case: Case) -> bool | None:
    """Whether every knee on the film was graded with low confidence."""
    if case.staging is None:
        return None
    return bool(case.staging.knees) and all(knee.quality == "uncertain" for knee in case.staging.knees)


def _oral_and_iv_blocked(case: Case) -> bool:
    return case.statuses.get("oral_bisphosphonate") == case.statuses.get("iv_bisphosphonate") == "blocked"


def record_warned(case: Case) -> bool | None:
    """Whether a value of the record was warned of, so that nothing is called normal before somebody has looked."""
    if case.clinical is None:
        return None
    return any(warning.type in VALUES_IN_DOUBT for warning in case.clinical.warnings)


def _every_class_blocked(case: Case) -> bool:
    return bool(case.statuses) and all(status == "blocked" for status in case.statuses.values())


def finding_facts() -> dict[str, Fact]:
    """All facts of the findings, by name. Their `fields` name the part of the request that would settle them."""
    scores = ("t_scores",)
    facts = [
        Fact("who_class", "word", lambda case: case.who_class, scores, get_args(WhoClass)),
        Fact("density_class", "word", lambda case: case.density_class, scores, get_args(WhoClass)),
        Fact("lowest_t_score", "number", lambda case: case.lowest_t_score, scores),
        Fact("image_bone", "word", _appearance, ("imaging",), get_args(Appearance)),
        Fact("kl_grade", "number", lambda case: case.staging.kl_grade if case.staging else None, ("staging",)),
        Fact("knee_grade_uncertain", "yes_no", knee_grade_uncertain, ("staging",)),
        Fact("record_warned", "yes_no", record_warned, ("clinical",)),
        Fact("clinical_category", "word", _category, ("clinical",), get_args(RiskCategory)),
        Fact("screening_score_refers", "yes_no", screening_score_refers, ("clinical",)),
        Fact("bisphosphonates_blocked", "yes_no", _oral_and_iv_blocked, (), needs_drug_statuses=True),
        Fact("doctor_soon", "yes_no", lambda case: case.urgency not in (None, "routine"), (), needs_drug_statuses=True),
        Fact("every_offered_class_blocked", "yes_no", _every_class_blocked, (), needs_drug_statuses=True),
    ]
    parts = [Fact(f"has_{part}", "yes_no", _given(part), (part,)) for part in PARTS]
    offered = [
        Fact(f"offered.{drug}", "yes_no", _offered(drug), (), needs_drug_statuses=True) for drug in get_args(DrugClass)
    ]
    return {fact.name: fact for fact in (*facts, *parts, *offered)}


def _appearance(case: Case) -> Value:
    """How the bone looks on the radiograph, in one word. Never a T-score, never a diagnosis."""
    return case.imaging.appearance if case.imaging else None


def _category(case: Case) -> Value:
    return case.clinical.category if case.clinical else None


def _given(part: str) -> Callable[[Case], Value]:
    return lambda case: getattr(case.request, part) is not None


def _offered(drug_class: DrugClass) -> Callable[[Case], Value]:
    return lambda case: case.statuses.get(drug_class, "blocked") != "blocked"


REGISTRY: dict[str, Fact] = {**record_facts(), **finding_facts()}
