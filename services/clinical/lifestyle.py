"""The seed system's model: a questionnaire in categories without units, scored as it was there, and explained.

Its data look synthetic (everyone over 40 is positive), which the answer says each time. The model is a sum over fields
(boosted stumps), so that each contribution is exact.
"""

from math import exp

import numpy as np

from services.clinical.parameters import LifestyleParameters
from shared.contracts.base import ModelReference
from shared.contracts.findings import ClinicalFinding, Contribution, RecordWarning, ScreeningScore, ScreeningScores
from shared.contracts.risk import LifestyleRecord
from shared.inference import Scorer

# The answers that count as 1; every other answer of the field is 0, and ethnicity has a column for each but one.
POSITIVE: dict[str, str | bool] = {
    "gender": "male",
    "hormonal_changes": "postmenopausal",
    "family_history": True,
    "body_weight": "underweight",
    "calcium_intake": "low",
    "vitamin_d_intake": "insufficient",
    "physical_activity": "sedentary",
    "smoking": True,
    "alcohol_consumption": "moderate",
    "medications": "corticosteroids",
    "prior_fractures": True,
}
SEVERAL: dict[str, tuple[str, ...]] = {
    "ethnicity": ("african_american", "asian"),
    "medical_conditions": ("hyperthyroidism", "rheumatoid_arthritis"),
}
COLUMNS: tuple[str, ...] = (
    "age",
    *POSITIVE,
    *(f"{field}={answer}" for field, answers in SEVERAL.items() for answer in answers),
)
FLAW = (
    "The data behind this model look synthetic: everyone over 40 is positive and age alone scores as well as the "
    "whole questionnaire. Use the bone-density model for any decision."
)
CLOSED = (
    "Indeterminate: the questionnaire model was learned from data of unknown licence, and this installation runs "
    "without weights that are for research only. Use the bone-density model."
)
CITATION = "see the bone-density model's answer"


def columns_of(record: LifestyleRecord) -> dict[str, float]:
    """The model's inputs of one questionnaire, by column name."""
    columns = {"age": float(record.age)}
    columns |= {field: float(getattr(record, field) == answer) for field, answer in POSITIVE.items()}
    for field, answers in SEVERAL.items():
        columns |= {f"{field}={answer}": float(getattr(record, field) == answer) for answer in answers}
    return columns


def find_lifestyle(record: LifestyleRecord, scorer: Scorer, parameters: LifestyleParameters) -> ClinicalFinding:
    """The finding for a questionnaire.

    Raises:
        ServiceUnavailable: the scorer's runtime is on another machine and does not answer.
    """
    own, reference = columns_of(record), parameters.reference
    fields = list(LifestyleRecord.model_fields)
    changed = [reference | {name: own[name] for name in _columns_of_field(field)} for field in fields]
    rows = np.array([[row[name] for name in COLUMNS] for row in [own, reference, *changed]], dtype=np.float32)
    scored = scorer.score({"x": rows})["probabilities"].astype(np.float64)[:, -1]
    effects = dict(zip(fields, scored[2:] - scored[1], strict=True))
    probability = 1 / (1 + exp(-float(scored[0])))
    category = parameters.cut_offs.category(probability)
    return ClinicalFinding(
        probability=probability,
        category=category,
        category_basis=parameters.cut_offs.rule,
        decided_by="model",
        conclusion=f"The questionnaire model's estimate is {probability:.1%}. {FLAW}",
        scores=_no_scores(),
        reference=parameters.reference_words,
        reference_log_odds=float(scored[1]),
        contributions=_contributions(record, effects),
        warnings=[RecordWarning(field="clinical_model", type="synthetic_training_data", detail=FLAW)],
        model=parameters.model,
    )


def without_lifestyle(model: ModelReference) -> ClinicalFinding:
    """The answer of an installation that runs without weights for research only: none, and why."""
    return ClinicalFinding(probability=None, category=None, reason=CLOSED, scores=_no_scores(), model=model)


def _columns_of_field(field: str) -> list[str]:
    return [f"{field}={answer}" for answer in SEVERAL[field]] if field in SEVERAL else [field]


def _contributions(record: LifestyleRecord, effects: dict[str, float]) -> list[Contribution]:
    listed = [
        Contribution(field=f, value=getattr(record, f), effect=float(e), summary=_summary(record, f, float(e)))
        for f, e in effects.items()
    ]
    return sorted(listed, key=lambda item: -abs(item.effect))


def _summary(record: LifestyleRecord, field: str, effect: float) -> str:
    value = getattr(record, field)
    shown = ("yes" if value else "no") if isinstance(value, bool) else str(value).replace("_", " ")
    name = field.replace("_", " ")
    if abs(effect) < 0.005:
        return f"{name} {shown}: no effect on this estimate"
    return f"{name} {shown}: {'raises' if effect > 0 else 'lowers'} the estimate (odds x {exp(effect):.2g})"


def _no_scores() -> ScreeningScores:
    none = ScreeningScore(
        applicable=False,
        reason="the questionnaire has no weight in kilograms; use the clinical record",
        population="see the clinical record's answer",
        citation=CITATION,
    )
    return ScreeningScores(ost=none, osta=none, orai=none, osiris=none, score=none, mores=none)
