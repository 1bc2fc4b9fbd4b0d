"""What the clinical record says of menopause, diseases, medicines and blood, with unknown kept unknown."""

from collections.abc import Callable
from typing import Any

from services.recommender import kidney
from services.recommender.case import Case
from services.recommender.logic import Truth, any_of
from shared.contracts.record import ClinicalRecord, MedicalCondition, Medication

# Our convention, for a clinician to confirm: from this age an unrecorded menopause and pregnancy are settled.
PAST_CHILDBEARING_AGE = 60
HYPOCALCAEMIA_BELOW_MMOL_PER_L = 2.2
HYPERCALCAEMIA_ABOVE_MMOL_PER_L = 2.6


def named(listed: list[Any] | None, excluded: list[Any] | None, name: str) -> Truth:
    """Whether a list of the record names something: an empty list denies all, an exclusion denies one."""
    if listed is not None and name in listed:
        return True
    return False if listed == [] or name in (excluded or []) else None


def has(record: ClinicalRecord, condition: MedicalCondition) -> Truth:
    """Whether the record names a medical condition."""
    return named(record.medical_conditions, record.medical_conditions_excluded, condition)


def takes(record: ClinicalRecord, medication: Medication) -> Truth:
    """Whether the record names a current medication."""
    return named(record.medications, record.medications_excluded, medication)


def postmenopausal(record: ClinicalRecord) -> Truth:
    """Whether the menopause is past; an unrecorded one is taken as past from 60."""
    if record.gender == "male":
        return False
    if record.menopausal_status is not None:
        return record.menopausal_status == "postmenopausal"
    return True if record.menopause_age is not None or record.age >= PAST_CHILDBEARING_AGE else None


def pregnant(record: ClinicalRecord) -> Truth:
    """Whether she is pregnant: the field if filled in, else settled by sex, age or menopause."""
    if record.pregnant is not None:
        return record.pregnant
    ruled_out = record.gender == "male" or record.age >= PAST_CHILDBEARING_AGE or postmenopausal(record)
    return False if ruled_out else None


def hypocalcaemia(record: ClinicalRecord) -> Truth:
    """Low serum calcium by the figure or by diagnosis. "None known" does not stand in for a measurement."""
    low = record.serum_calcium_mmol_per_l
    measured = None if low is None else low < HYPOCALCAEMIA_BELOW_MMOL_PER_L
    return True if has(record, "hypocalcaemia") else measured


def hypercalcaemia(record: ClinicalRecord) -> Truth:
    """High serum calcium by the figure or by diagnosis. "None known" does not stand in for a measurement."""
    high = record.serum_calcium_mmol_per_l
    measured = None if high is None else high > HYPERCALCAEMIA_ABOVE_MMOL_PER_L
    return True if has(record, "hypercalcaemia") else measured


def on_dialysis(case: Case) -> Truth:
    """Dialysis; an eGFR of 30 and over denies it where the record does not name it."""
    on_record = None if case.record is None else has(case.record, "dialysis")
    return False if on_record is None and case.egfr is not None and case.egfr >= 30 else on_record


def kidney_measures_disagree(case: Case) -> bool:
    """Whether clearance and eGFR, both known, fall on two sides of a label's cut-off. Otherwise they do not."""
    clearance, egfr = case.creatinine_clearance, case.egfr
    return clearance is not None and egfr is not None and kidney.measures_disagree(clearance, egfr)


def cardiovascular_event(record: ClinicalRecord) -> Truth:
    """A myocardial infarction or stroke at any time."""
    if record.months_since_cardiovascular_event is not None:
        return True
    return any_of([has(record, "myocardial_infarction"), has(record, "stroke")])


def takes_oestrogen(record: ClinicalRecord) -> Truth:
    """Current oestrogen, by the field of its own or by the list of medicines; either one is enough."""
    on_list = takes(record, "hormone_therapy")
    return True if on_list else on_list if record.oestrogen_use is None else record.oestrogen_use


def names(condition: MedicalCondition) -> Callable[[ClinicalRecord], Truth]:
    """A reader of whether the record names the condition."""
    return lambda record: has(record, condition)


def takes_any(*medications: Medication) -> Callable[[ClinicalRecord], Truth]:
    """A reader of whether the record names at least one of the medications."""
    return lambda record: any_of(takes(record, medication) for medication in medications)


def body_mass_index(record: ClinicalRecord) -> float | None:
    """Kilograms per square metre."""
    if record.weight_kg is None or record.height_cm is None:
        return None
    return record.weight_kg / (record.height_cm / 100) ** 2


def years_since_menopause(record: ClinicalRecord) -> float | None:
    """Years, from the age at the last period."""
    return None if record.menopause_age is None else record.age - record.menopause_age


def steroid_adjusted(frax: float | None, record: ClinicalRecord, factor: float) -> float | None:
    """FRAX in per cent, raised for prednisolone above 7.5 mg a day (ACR 2022); an unknown dose leaves it as it is."""
    if frax is None:
        return None
    return min(frax * factor, 100.0) if (record.glucocorticoid_mg_per_day or 0) > 7.5 else frax
