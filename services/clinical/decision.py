"""Which evidence decides the category: DXA and fractures before FRAX and steroids, these before the model's estimate.

A category is never lowered by what is in doubt: an old scan, a T-score whose sign is in question, or one that no class
can be read from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from services.clinical.parameters import CutOffs
from shared.clinic.density import OSTEOPOROSIS
from shared.clinic.fractures import (
    DIAGNOSTIC_SITES,
    TREATED_WITH_LOW_BONE_MASS,
    unknown_cause_at_hip_or_vertebra,
)
from shared.clinic.reading import Reading
from shared.contracts.findings import BoneDensity, RiskCategory, WhoClass

BY_CLASS: dict[WhoClass, RiskCategory] = {
    "normal": "low",
    "low_bone_mass": "moderate",
    "osteoporosis": "high",
    "severe_osteoporosis": "high",
    "below_expected_for_age": "moderate",
}
RANK: dict[RiskCategory | None, int] = {None: 0, "low": 1, "moderate": 2, "high": 3}
DecidedBy = Literal["model", "dxa", "fracture", "frax", "glucocorticoids"]


@dataclass(frozen=True)
class Decision:
    """The category, what it rests on, and the rule in words."""

    category: RiskCategory | None
    decided_by: DecidedBy | None
    basis: str


def decide(reading: Reading, density: BoneDensity | None, probability: float | None, cut_offs: CutOffs) -> Decision:
    """The category of one reading.

    Args:
        density: its class by DXA or fracture, if any, in words.
        probability: the model's estimate, or None where no model applies.
        cut_offs: the model's category rule for this sex.
    """
    treated = next(_treated(reading, density), None)
    if treated is not None:
        return treated
    estimate = None if probability is None else Decision(cut_offs.category(probability), "model", cut_offs.rule)
    return _raised(_measured(reading, density, estimate), [*_at_least_moderate(reading)])


def highest(decisions: list[Decision]) -> Decision:
    """The decision with the highest category, the first of equals."""
    return max(decisions, key=lambda decision: RANK[decision.category])


def _treated(reading: Reading, density: BoneDensity | None) -> Iterator[Decision]:
    """What makes the category high by itself, the firmest evidence first."""
    broken = {fracture.site for fracture in reading.fragility_fractures}
    if density is not None and reading.who_class in OSTEOPOROSIS:
        yield Decision("high", "fracture" if reading.rests_on_fracture else "dxa", density.basis)
    if broken & DIAGNOSTIC_SITES:
        yield Decision("high", "fracture", "a hip or vertebral fracture; its trauma is not stated")
    if reading.who_class == "low_bone_mass" and broken & TREATED_WITH_LOW_BONE_MASS:
        yield Decision("high", "fracture", "low bone mass by DXA with a fragility fracture")
    if (frax := reading.frax) and (frax.treats or (frax.standing == "over_outside" and reading.lowest_t is None)):
        very = " (very high)" if frax.standing == "very_high" else ""
        yield Decision("high", "frax", f"FRAX at or over the line{very}: {frax.summary}")
    if reading.acr_risk in ("very_high", "high"):
        level = reading.acr_risk.replace("_", " ")
        yield Decision("high", "glucocorticoids", f"{level} fracture risk on glucocorticoids (ACR 2022)")
    if reading.glucocorticoids.nogg_very_high:
        yield Decision(
            "high", "glucocorticoids", "prednisolone of 7.5 mg a day or more for three months (very high, NOGG 2024)"
        )


def _measured(reading: Reading, density: BoneDensity | None, estimate: Decision | None) -> Decision:
    """The class of a measurement; one in doubt or out of date counts only where it is the higher of the two."""
    by_class = None
    if density is not None and reading.who_class is not None:
        by_class = Decision(BY_CLASS[reading.who_class], "dxa", density.basis)
    if by_class is not None and not (reading.density_in_doubt or reading.scan_is_out_of_date):
        return by_class
    decisions = [decision for decision in (estimate, by_class) if decision is not None]
    return highest(decisions) if decisions else Decision(None, None, "no model and no measurement applies")


def _at_least_moderate(reading: Reading) -> Iterator[tuple[DecidedBy, str]]:
    """What keeps a category from being low."""
    broken = sorted({fracture.site.replace("_", " ") for fracture in reading.fragility_fractures})
    if broken:
        yield "fracture", f"a fragility fracture ({', '.join(broken)})"
    if unknown_cause_at_hip_or_vertebra(reading.record):
        yield "fracture", "a hip or vertebral fracture of which nobody wrote how it came about"
    if reading.frax and reading.frax.concerns:
        yield "frax", f"FRAX: {reading.frax.summary}"
    steroids = reading.glucocorticoids
    open_risk = reading.acr_risk is None and steroids.long_term
    if reading.acr_risk == "moderate" or open_risk or reading.nogg_steroid_protection:
        yield "glucocorticoids", "glucocorticoids (moderate by ACR 2022, not yet assessed, or treated by NOGG 2024)"
    if reading.densities.unclassifiable_low:
        yield "dxa", "a low T- or Z-score that gives no class without the other or the menopausal status"
    if reading.low_t_score:
        yield "dxa", "a T-score of -2.5 or lower"
    if reading.osteoporosis_by_other_method and reading.density_class is None:
        yield "dxa", "a T-score of -2.5 or lower by a method or at a site that gives no class"
    if reading.density_in_doubt:
        yield "dxa", "a T-score whose sign is in doubt, which cannot lower a category"


def _raised(decision: Decision, reasons: list[tuple[DecidedBy, str]]) -> Decision:
    """The decision, raised to moderate where a reason forbids less."""
    if not reasons or RANK[decision.category] >= RANK["moderate"]:
        return decision
    by, why = reasons[0]
    return Decision("moderate", by, f"at least moderate: {why}; {decision.basis}")
