"""Glucocorticoids as one fact, from the dose or the list of medicines, and the risk that ACR 2022 gives to it.

ACR 2022 (doi 10.1002/art.42646) is written for adults on 2.5 mg of prednisolone a day or more for over three months.
From 40 it uses FRAX and T-scores; below 40 FRAX is not valid and the Z-score stands in.
"""

from dataclasses import dataclass
from typing import Literal

from shared.clinic.history import takes
from shared.clinic.logic import Truth
from shared.contracts.record import ClinicalRecord

AcrRisk = Literal["very_high", "high", "moderate", "low"]
LONG_TERM_MG, LONG_TERM_MONTHS = 2.5, 3
# Above this dose ACR raises FRAX: major by 15 %, hip by 20 %.
FRAX_RAISED_ABOVE_MG, MAJOR_FACTOR, HIP_FACTOR = 7.5, 1.15, 1.2
VERY_HIGH_DOSE_MG, VERY_HIGH_DOSE_MONTHS = 30, 1
# NOGG 2024: very high risk, and bone protection from the first day.
NOGG_MG, NOGG_MONTHS = 7.5, 3
UNDER_40_MG, UNDER_40_MONTHS, UNDER_40_Z = 7.5, 6, -3.0
ACR_AGE = 40


@dataclass(frozen=True)
class Glucocorticoids:
    """What the record says of them.

    Attributes:
        taken: now; a dose above zero or the list's yes is enough.
        mg_per_day: prednisolone equivalent; None where not known.
        months: for how long; None where not known.
        contradiction: the dose and the list say different things; the more careful reading, taken, holds.
    """

    taken: Truth
    mg_per_day: float | None
    months: float | None
    contradiction: bool

    @property
    def long_term(self) -> Truth:
        """2.5 mg a day or more for over three months, the exposure that ACR 2022 is written for."""
        return self.at_least(LONG_TERM_MG, LONG_TERM_MONTHS, over=True)

    @property
    def nogg_very_high(self) -> Truth:
        """7.5 mg a day or more for three months or more (NOGG 2024)."""
        return self.at_least(NOGG_MG, NOGG_MONTHS)

    def at_least(self, mg: float, months: float, *, over: bool = False) -> Truth:
        """Whether this dose was taken for this time (for over this time with `over`)."""
        if not self.taken:
            return self.taken
        if self.mg_per_day is not None and self.mg_per_day < mg:
            return False
        long_enough = None
        if self.months is not None:
            long_enough = self.months > months if over else self.months >= months
        return False if long_enough is False else None if self.mg_per_day is None else long_enough


def glucocorticoids(record: ClinicalRecord) -> Glucocorticoids:
    """The one reading of dose, duration and list."""
    dose, listed = record.glucocorticoid_mg_per_day, takes(record, "glucocorticoids")
    if dose is None:
        return Glucocorticoids(listed, None, record.glucocorticoid_months if listed is not False else None, False)
    taken = dose > 0 or bool(listed)
    contradiction = (dose > 0 and listed is False) or (dose == 0 and listed is True)
    return Glucocorticoids(taken, dose if dose > 0 else None, record.glucocorticoid_months, contradiction)


def raised(frax: float | None, taken: Glucocorticoids, factor: float) -> float | None:
    """FRAX in per cent, raised for a dose above 7.5 mg a day; an unknown dose leaves it as it is."""
    if frax is None or (taken.mg_per_day or 0) <= FRAX_RAISED_ABOVE_MG:
        return frax
    return min(frax * factor, 100.0)


@dataclass(frozen=True)
class AcrInputs:
    """What the ACR table asks for beside the exposure."""

    age: float
    fracture: Truth
    lowest_t: float | None
    lowest_z: float | None
    frax_major: float | None
    frax_hip: float | None


def acr_risk(taken: Glucocorticoids, known: AcrInputs) -> AcrRisk | None:
    """The level of ACR 2022; None without the exposure, or where a missing value might make it more than "low"."""
    very_high_dose = taken.at_least(VERY_HIGH_DOSE_MG, VERY_HIGH_DOSE_MONTHS, over=True)
    if not taken.long_term and not very_high_dose:
        return None
    if known.fracture or very_high_dose:
        return "very_high"
    return _from_40(taken, known) if known.age >= ACR_AGE else _under_40(taken, known)


def _from_40(taken: Glucocorticoids, known: AcrInputs) -> AcrRisk | None:
    t = known.lowest_t
    major, hip = raised(known.frax_major, taken, MAJOR_FACTOR), raised(known.frax_hip, taken, HIP_FACTOR)
    if _reaches(major, 30) or _reaches(hip, 4.5) or (t is not None and t <= -3.5):
        return "very_high"
    if _reaches(major, 20) or _reaches(hip, 3) or (t is not None and t <= -2.5):
        return "high"
    if _reaches(major, 10) or (hip is not None and hip > 1) or (t is not None and t <= -1.0):
        return "moderate"
    return None if t is None and major is None and hip is None else "low"


def _under_40(taken: Glucocorticoids, known: AcrInputs) -> AcrRisk | None:
    if known.lowest_z is None:
        return None
    exposed = taken.at_least(UNDER_40_MG, UNDER_40_MONTHS)
    return "moderate" if known.lowest_z < UNDER_40_Z and exposed else "low"


def _reaches(value: float | None, line: float) -> bool:
    return value is not None and value >= line
