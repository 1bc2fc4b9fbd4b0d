"""What the record's fractures say, with unknown kept unknown: a list of some fractures does not deny others.

A fracture before 18 makes no adult osteoporosis. Hands, feet, fingers, toes, face and skull are left out of every
published definition of a fragility fracture.
"""

from typing import Literal

from shared.clinic.logic import Truth, any_of
from shared.contracts.record import ClinicalRecord, Fracture, FractureSite

ADULT_AGE, PRESUMED_FROM_AGE = 18, 40
TYPICAL_SITES: frozenset[FractureSite] = frozenset({"hip", "vertebra", "wrist", "proximal_humerus", "pelvis"})
EXCLUDED_SITES: frozenset[FractureSite] = frozenset({"hand_or_foot"})
# A low-trauma fracture here is osteoporosis whatever the T-score (BHOF 2022, AACE 2020).
DIAGNOSTIC_SITES: frozenset[FractureSite] = frozenset({"hip", "vertebra"})
# With low bone mass a fracture here calls for treatment as well.
TREATED_WITH_LOW_BONE_MASS: frozenset[FractureSite] = frozenset({"proximal_humerus", "pelvis", "wrist"})
MONTHS_A_YEAR = 12

Fragility = Literal["yes", "presumed", "no"]


def age_at(fracture: Fracture, age_now: float) -> float | None:
    """Years at the fracture, from its age or from how long ago it was."""
    if fracture.age is not None:
        return fracture.age
    return None if fracture.months_ago is None else max(0.0, age_now - fracture.months_ago / MONTHS_A_YEAR)


def fragility(fracture: Fracture, age_now: float) -> Fragility:
    """Whether one fracture is a fragility fracture of adult life.

    "presumed" is a typical site in an adult of 40 or over, or at an age not given, whose trauma nobody stated.
    """
    age = age_at(fracture, age_now)
    childhood = age_now < ADULT_AGE or (age is not None and age < ADULT_AGE)
    if childhood or fracture.low_trauma is False or fracture.site in EXCLUDED_SITES:
        return "no"
    if fracture.low_trauma:
        return "yes"
    young = age is not None and age < PRESUMED_FROM_AGE
    return "no" if young or fracture.site not in TYPICAL_SITES else "presumed"


def listed(record: ClinicalRecord) -> list[Fracture]:
    """The fractures that the record itemises; none where it only says yes or no."""
    return record.prior_fractures if isinstance(record.prior_fractures, list) else []


def adult_fractures(record: ClinicalRecord) -> list[Fracture]:
    """The itemised fractures, those of childhood left out."""
    ages = ((fracture, age_at(fracture, record.age)) for fracture in listed(record))
    return [fracture for fracture, age in ages if age is None or age >= ADULT_AGE]


def fragility_fractures(record: ClinicalRecord, *, presumed: bool = True) -> list[Fracture]:
    """The itemised fragility fractures, with or without the presumed ones."""
    wanted = {"yes", "presumed"} if presumed else {"yes"}
    return [fracture for fracture in listed(record) if fragility(fracture, record.age) in wanted]


def any_fracture(record: ClinicalRecord) -> Truth:
    """Whether there has been any fracture, of whatever cause."""
    return bool(listed(record)) if isinstance(record.prior_fractures, list) else record.prior_fractures


def all_described(record: ClinicalRecord) -> bool:
    """Whether the record itemises fractures and says of each how it came about and when."""
    described = (
        fracture.low_trauma is not None and age_at(fracture, record.age) is not None for fracture in listed(record)
    )
    return bool(listed(record)) and all(described)


def low_trauma_at(record: ClinicalRecord, *sites: FractureSite) -> Truth:
    """Whether a low-trauma fracture of adult life has happened at one of the sites (anywhere when none is named).

    Only "no fractures" denies it. A fracture of unknown cause, a bare "yes", and a list that names other sites all
    leave it unknown. Hands and feet never count.
    """
    if any_fracture(record) is False:
        return False
    fractures = [fracture for fracture in adult_fractures(record) if not sites or fracture.site in sites]
    return any_of([*(fracture.low_trauma and fracture.site not in EXCLUDED_SITES for fracture in fractures), None])


def has_fragility_fracture(record: ClinicalRecord) -> Truth:
    """Any fragility fracture, presumed ones included; None where the record is silent or says a bare "yes"."""
    if record.prior_fractures is None or record.prior_fractures is True:
        return None
    return bool(fragility_fractures(record))


def several_low_trauma(record: ClinicalRecord, *sites: FractureSite) -> Truth:
    """Whether two or more low-trauma fractures of adult life are on the record, at the sites named or anywhere."""
    if any_fracture(record) is False:
        return False
    known = [
        fracture for fracture in fragility_fractures(record, presumed=False) if not sites or fracture.site in sites
    ]
    return True if len(known) >= 2 else None


def unknown_cause_at_hip_or_vertebra(record: ClinicalRecord) -> bool:
    """Whether an adult hip or vertebral fracture is on the record of which nobody wrote how it came about."""
    return any(
        fracture.low_trauma is None and fracture.site in DIAGNOSTIC_SITES for fracture in adult_fractures(record)
    )


def months_since_latest(record: ClinicalRecord, *sites: FractureSite, low_trauma: bool = True) -> float | None:
    """Months since the latest adult fracture, at most; None where there is none or no date.

    An age at the fracture gives whole years only, so the longest time that fits it is taken.
    """
    months = [
        months_since(fracture, record.age)
        for fracture in adult_fractures(record)
        if (fracture.low_trauma or not low_trauma) and (not sites or fracture.site in sites)
    ]
    return min((value for value in months if value is not None), default=None)


def months_since(fracture: Fracture, age_now: float) -> float | None:
    """Months since one fracture, at most."""
    if fracture.months_ago is not None:
        return fracture.months_ago
    if fracture.age is None:
        return None
    return (int(age_now) - int(fracture.age) + 1) * float(MONTHS_A_YEAR)
