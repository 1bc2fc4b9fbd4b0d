"""Cases for the recommender's tests, written short: {image: osteoporosis, kl: 2, risk: high, record: {...}}."""

from typing import Any

from services.recommender import load_rules, recommend
from services.recommender.rule_set import RuleSet
from shared.contracts.base import ModelReference
from shared.contracts.findings import (
    KL_NAMES,
    STAGE_LABELS,
    BoneDensity,
    BoneProbabilities,
    ClassProbabilities,
    ClinicalFinding,
    ImagingFinding,
    Knee,
    ScreeningScore,
    ScreeningScores,
    StagingFinding,
)
from shared.contracts.recommendation import RecommendationRequest, RecommendationSet
from shared.contracts.record import ClinicalRecord

RULES: RuleSet = load_rules()
MODEL = ModelReference(name="test", version="1")

# A record that answers every question a drug's limits ask, and answers it with "no".
CLEARED: dict[str, Any] = {
    "medical_conditions": [],
    "medications": [],
    "prior_fractures": False,
    "oestrogen_use": False,
    "pregnant": False,
    "egfr_ml_per_min": 80.0,
    "serum_calcium_mmol_per_l": 2.35,
    "vitamin_d_25oh_nmol_per_l": 75.0,
}
WOMAN_72 = {"age": 72.0, "gender": "female", "menopausal_status": "postmenopausal", "menopause_age": 66.0}
# The two halves of the label "normal": bone that looks normal, and bone that looks thin.
BONE = {"osteoporosis": (0.1, 0.2, 0.7), "low_bone_mass": (0.3, 0.5, 0.2), "normal": (0.8, 0.1, 0.1)}


def dxa(value: float, site: str = "femoral_neck", **more: Any) -> list[dict[str, Any]]:
    return [{"site": site, "value": value, **more}]


def image(looks: str, anatomy: str = "knee") -> ImagingFinding:
    normal, osteopenia, osteoporosis = BONE.get(looks, (0.4, 0.2, 0.4))
    label = f"{anatomy}_osteoporosis" if looks == "osteoporosis" else "normal"
    sites = {"knee": 0.0, "spine": 0.0, anatomy: osteoporosis}
    return ImagingFinding(
        label=label,
        indeterminate=looks == "indeterminate",
        probabilities=ClassProbabilities(
            normal=1 - osteoporosis, spine_osteoporosis=sites["spine"], knee_osteoporosis=sites["knee"]
        ),
        anatomy=anatomy,
        bone=BoneProbabilities(normal=normal, osteopenia=osteopenia, osteoporosis=osteoporosis),
        summary=f"The bone looks {looks}.",
        model=MODEL,
    )


def stage(grade: int, quality: str = "good") -> StagingFinding:
    probabilities = [1.0 if grade == other else 0.0 for other in range(5)]
    knee = Knee(side="left", box=[0, 0, 10, 10], stage=grade, probabilities=probabilities, quality=quality)
    return StagingFinding(
        stage=grade,
        label=STAGE_LABELS[grade],
        kl_grade=grade,
        kl_name=KL_NAMES[grade],
        probabilities=probabilities,
        knees=[knee],
        model=MODEL,
    )


def clinical(
    risk: str | None = None, refers: bool | None = None, who: str | None = None, t: float | None = None
) -> ClinicalFinding:
    silent = ScreeningScore(applicable=False, reason="not asked", population="none", citation="none")
    ost = ScreeningScore(applicable=True, refer_for_dxa=refers, population="women", citation="none")
    scores = dict.fromkeys(("osta", "orai", "osiris", "score", "mores"), silent)
    density = BoneDensity(who_class=who, basis="DXA", t_score=t) if who else None
    return ClinicalFinding(
        probability=None,
        category=risk,
        scores=ScreeningScores(ost=silent if refers is None else ost, **scores),
        bone_density=density,
        model=MODEL,
    )


def case(short: dict[str, Any]) -> RecommendationRequest:
    """A request from its short form; `cleared: true` fills in everything that a drug's limits ask for."""
    finding = {key: short[key] for key in ("risk", "refers", "who", "t") if key in short}
    record = short.get("record")
    if record is not None and short.get("cleared"):
        record = {**CLEARED, **record}
    return RecommendationRequest(
        imaging=image(short["image"]) if "image" in short else None,
        staging=stage(short["kl"], short.get("quality", "good")) if "kl" in short else None,
        clinical=clinical(**finding) if finding else None,
        record=None if record is None else ClinicalRecord.model_validate(record),
    )


def answer(short: dict[str, Any], rules: RuleSet = RULES) -> RecommendationSet:
    return recommend(case(short), rules)


def answer_for(**record: Any) -> RecommendationSet:
    """The answer for a record, everything else cleared."""
    return answer({"record": record, "cleared": True})


def drugs(found: RecommendationSet) -> dict[str, str]:
    return {item.drug_class: item.status for item in found.items if item.drug_class and item.status}


def ids(found: RecommendationSet) -> set[str]:
    return {item.id for item in found.items}
