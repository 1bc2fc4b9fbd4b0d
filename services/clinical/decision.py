"""Which evidence decides the category: a fracture and DXA before FRAX, FRAX before the model's estimate."""

from dataclasses import dataclass
from typing import Literal

from services.clinical.bone_density import rests_on_fracture
from services.clinical.history import DIAGNOSTIC_SITES, fragility_fractures
from services.clinical.parameters import CutOffs
from shared.contracts.findings import BoneDensity, RiskCategory, WhoClass
from shared.contracts.record import ClinicalRecord, FractureSite

# BHOF 2022, United States: treated at or above, with T between -1.0 and -2.5.
FRAX_MAJOR_FROM, FRAX_HIP_FROM = 20.0, 3.0
# With low bone mass these call for treatment as well (Thai 2023 guideline, PMC10366425; BHOF 2022 likewise).
TREATED_WITH_LOW_BONE_MASS: frozenset[FractureSite] = frozenset({"proximal_humerus", "pelvis", "wrist"})
BY_CLASS: dict[WhoClass, RiskCategory] = {
    "normal": "low",
    "low_bone_mass": "moderate",
    "osteoporosis": "high",
    "severe_osteoporosis": "high",
    "below_expected_for_age": "moderate",
}


@dataclass(frozen=True)
class Decision:
    """The category, what it rests on, and the rule in words."""

    category: RiskCategory | None
    decided_by: Literal["model", "dxa", "fracture", "frax"] | None
    basis: str


def decide(
    record: ClinicalRecord, density: BoneDensity | None, probability: float | None, cut_offs: CutOffs
) -> Decision:
    """The category of one record.

    Args:
        record: the record.
        density: its class by DXA or fracture, if any.
        probability: the model's estimate, or None where no model applies.
        cut_offs: the model's category rule.
    """
    who_class = density.who_class if density else None
    if density is not None and who_class in ("osteoporosis", "severe_osteoporosis"):
        return Decision("high", "fracture" if rests_on_fracture(density) else "dxa", density.basis)
    broken = {fracture.site for fracture in fragility_fractures(record)}
    if broken & DIAGNOSTIC_SITES:
        return Decision("high", "fracture", "a hip or vertebral fracture; its trauma is not stated")
    if who_class == "low_bone_mass" and broken & TREATED_WITH_LOW_BONE_MASS:
        return Decision("high", "fracture", "low bone mass by DXA with a fragility fracture")
    if who_class not in ("normal", "below_expected_for_age") and _frax_over(record):
        return Decision("high", "frax", _frax_words(record))
    if density is not None and who_class is not None:
        category = BY_CLASS[who_class]
        return _at_least_moderate(Decision(category, "dxa", density.basis), broken)
    if probability is None:
        return Decision(None, None, "no model and no measurement applies")
    return _at_least_moderate(Decision(cut_offs.category(probability), "model", cut_offs.rule), broken)


def _at_least_moderate(decision: Decision, broken: set[FractureSite]) -> Decision:
    if broken and decision.category == "low":
        sites = ", ".join(sorted(broken))
        return Decision("moderate", "fracture", f"raised from low by a fragility fracture ({sites}); {decision.basis}")
    return decision


def _frax_over(record: ClinicalRecord) -> bool:
    if record.frax_country not in (None, "us"):
        return False
    return (record.frax_major or 0) >= FRAX_MAJOR_FROM or (record.frax_hip or 0) >= FRAX_HIP_FROM


def _frax_words(record: ClinicalRecord) -> str:
    country = "" if record.frax_country else "; the country of the FRAX model is not given"
    return f"FRAX at or over the US threshold of 20% major or 3% hip (BHOF 2022){country}"
