"""Three-valued facts read from the record: yes, no, or None where nobody said. Absent is never "no"."""

from collections.abc import Sequence
from typing import Literal

from shared.contracts.record import ClinicalRecord, Fracture, FractureSite, MedicalCondition, Medication

# Hands, feet, fingers, toes, face and skull are left out of every published definition of a fragility fracture;
# ankle and lower leg are counted only where the record itself says low trauma.
TYPICAL_SITES: frozenset[FractureSite] = frozenset({"hip", "vertebra", "wrist", "proximal_humerus", "pelvis"})
EXCLUDED_SITES: frozenset[FractureSite] = frozenset({"hand_or_foot"})
DIAGNOSTIC_SITES: frozenset[FractureSite] = frozenset({"hip", "vertebra"})
ADULT_FRAGILITY_AGE = 40
USUAL_MENOPAUSE_AGE = 50

Fragility = Literal["yes", "presumed", "no"]


def has_condition(record: ClinicalRecord, *names: MedicalCondition) -> bool | None:
    """Whether any of the named conditions is present; None where the record does not say."""
    return _listed(names, record.medical_conditions, record.medical_conditions_excluded)


def takes(record: ClinicalRecord, *names: Medication) -> bool | None:
    """Whether any of the named medications is taken; None where the record does not say."""
    return _listed(names, record.medications, record.medications_excluded)


def _listed(names: tuple[str, ...], present: Sequence[str] | None, excluded: Sequence[str] | None) -> bool | None:
    if present is not None and any(name in present for name in names):
        return True
    if present is not None and not present:
        return False
    if excluded is not None and all(name in excluded for name in names):
        return False
    return None


def takes_glucocorticoids(record: ClinicalRecord) -> bool | None:
    """Whether glucocorticoids are taken now, from the list or from a stated dose."""
    if record.glucocorticoid_mg_per_day is not None:
        return record.glucocorticoid_mg_per_day > 0
    return takes(record, "glucocorticoids")


def uses_oestrogen(record: ClinicalRecord) -> bool | None:
    """Current oestrogen therapy."""
    if record.oestrogen_use is not None:
        return record.oestrogen_use
    return takes(record, "hormone_therapy")


def ever_used_oestrogen(record: ClinicalRecord) -> bool | None:
    """Oestrogen therapy at any time; current use answers for the past as well."""
    if record.oestrogen_ever is None and uses_oestrogen(record):
        return True
    return record.oestrogen_ever


def is_past_menopause(record: ClinicalRecord) -> bool | None:
    """Whether a woman's periods have stopped; None where nobody said, and for men."""
    if record.gender == "male":
        return None
    if record.menopausal_status is not None:
        return record.menopausal_status == "postmenopausal"
    if record.menopause_age is not None or has_condition(record, "premature_menopause"):
        return True
    return None


def counts_as_postmenopausal(record: ClinicalRecord) -> bool | None:
    """For rules on postmenopausal women: the stated status, else yes from 50 on (a stated assumption), else None."""
    stated = is_past_menopause(record)
    if stated is None and record.gender == "female" and record.age >= USUAL_MENOPAUSE_AGE:
        return True
    return stated


def fragility(fracture: Fracture) -> Fragility:
    """Whether one fracture is a fragility fracture.

    "presumed" is a typical site in an adult of 40 or over, or of unstated age, whose trauma nobody stated.
    """
    if fracture.low_trauma is False or fracture.site in EXCLUDED_SITES:
        return "no"
    if fracture.low_trauma:
        return "yes"
    childhood_or_youth = fracture.age is not None and fracture.age < ADULT_FRAGILITY_AGE
    return "no" if childhood_or_youth or fracture.site not in TYPICAL_SITES else "presumed"


def fractures(record: ClinicalRecord) -> list[Fracture]:
    """The fractures the record lists; none where it only says yes or no."""
    return record.prior_fractures if isinstance(record.prior_fractures, list) else []


def fragility_fractures(record: ClinicalRecord, *, presumed: bool = True) -> list[Fracture]:
    """The listed fractures that are fragility fractures, with or without the presumed ones."""
    wanted = {"yes", "presumed"} if presumed else {"yes"}
    return [fracture for fracture in fractures(record) if fragility(fracture) in wanted]


def has_fragility_fracture(record: ClinicalRecord) -> bool | None:
    """Any fragility fracture; None where the record is silent, or says "yes" without site and trauma."""
    if record.prior_fractures is None or record.prior_fractures is True:
        return None
    return bool(fragility_fractures(record))
