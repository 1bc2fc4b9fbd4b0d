"""What the record's fractures say, with unknown kept unknown: a list of some fractures does not deny others."""

from services.recommender.logic import Truth, any_of
from shared.contracts.record import ClinicalRecord, Fracture, FractureSite

ADULT_AGE = 18


def _of_adult_age(fracture: Fracture) -> bool:
    return fracture.age is None or fracture.age >= ADULT_AGE


def adult_fractures(record: ClinicalRecord) -> list[Fracture]:
    """The fractures that the record itemises, those of childhood left out."""
    listed = record.prior_fractures if isinstance(record.prior_fractures, list) else []
    return [fracture for fracture in listed if _of_adult_age(fracture)]


def any_fracture(record: ClinicalRecord) -> Truth:
    """Whether there has been any fracture, of whatever cause."""
    if isinstance(record.prior_fractures, list):
        return bool(record.prior_fractures)
    return record.prior_fractures


def low_trauma_at(record: ClinicalRecord, *sites: FractureSite) -> Truth:
    """Whether a low-trauma fracture has happened at one of the sites (at any site when none is named).

    Only "no fractures" denies it. A fracture of unknown cause at the site, a bare "yes", and a list that names
    other sites all leave it unknown.
    """
    if any_fracture(record) is False:
        return False
    known = [fracture.low_trauma for fracture in adult_fractures(record) if not sites or fracture.site in sites]
    return any_of([*known, None])


def several_low_trauma(record: ClinicalRecord, *sites: FractureSite) -> Truth:
    """Whether two or more low-trauma fractures are on the record, at the sites named or anywhere."""
    if any_fracture(record) is False:
        return False
    known = [f for f in adult_fractures(record) if f.low_trauma and (not sites or f.site in sites)]
    return True if len(known) >= 2 else None


def months_since_latest(record: ClinicalRecord, *sites: FractureSite, low_trauma: bool = True) -> float | None:
    """Months since the latest fracture, at most; None where there is none or no date.

    An age at the fracture gives whole years only, so the longest time that fits it is taken.
    """
    months = [
        _months_since(fracture, record.age)
        for fracture in adult_fractures(record)
        if (fracture.low_trauma or not low_trauma) and (not sites or fracture.site in sites)
    ]
    return min((value for value in months if value is not None), default=None)


def _months_since(fracture: Fracture, age_now: float) -> float | None:
    if fracture.months_ago is not None:
        return fracture.months_ago
    if fracture.age is None:
        return None
    return (int(age_now) - int(fracture.age) + 1) * 12.0


def unknown_cause_at_hip_or_vertebra(record: ClinicalRecord) -> bool:
    """Whether a hip or vertebral fracture is on the record of which nobody wrote how it came about."""
    return any(
        fracture.low_trauma is None and fracture.site in ("hip", "vertebra") for fracture in adult_fractures(record)
    )
