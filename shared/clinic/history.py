"""What the lists and single fields of a record say: diseases, medicines, blood, pregnancy. Unknown stays unknown."""

from collections.abc import Sequence

from shared.clinic.logic import Truth, any_of
from shared.contracts.record import ClinicalRecord, MedicalCondition, Medication

# Albumin-adjusted calcium, mmol/L. Outside this range it is low or high (Society for Endocrinology 2016).
CALCIUM_LOW_BELOW, CALCIUM_HIGH_ABOVE = 2.2, 2.6
BONE_DRUGS: tuple[Medication, ...] = (
    "oral_bisphosphonate",
    "iv_bisphosphonate",
    "denosumab",
    "teriparatide",
    "abaloparatide",
    "romosozumab",
    "raloxifene",
    "hormone_therapy",
)
BONE_DRUGS_BUT_HORMONES = tuple(drug for drug in BONE_DRUGS if drug not in ("raloxifene", "hormone_therapy"))
ANTIRESORPTIVES: tuple[Medication, ...] = ("oral_bisphosphonate", "iv_bisphosphonate", "denosumab")
CANCERS_IN_BONE: tuple[MedicalCondition, ...] = ("bone_metastases", "multiple_myeloma")
CANCERS: tuple[MedicalCondition, ...] = (
    "breast_cancer",
    "endometrial_cancer",
    "prostate_cancer",
    *CANCERS_IN_BONE,
    "other_cancer",
)


def named(listed: Sequence[str] | None, excluded: Sequence[str] | None, name: str) -> Truth:
    """Whether a list of the record names something: an empty list denies all, an exclusion denies one."""
    if listed is not None and name in listed:
        return True
    return False if listed == [] or name in (excluded or []) else None


def has(record: ClinicalRecord, *conditions: MedicalCondition) -> Truth:
    """Whether the record names at least one of the conditions."""
    return any_of(
        named(record.medical_conditions, record.medical_conditions_excluded, condition) for condition in conditions
    )


def takes(record: ClinicalRecord, *medications: Medication) -> Truth:
    """Whether the record names at least one of the medications as taken now."""
    return any_of(named(record.medications, record.medications_excluded, medication) for medication in medications)


def uses_oestrogen(record: ClinicalRecord) -> Truth:
    """Oestrogen now, by the field of its own or by the list of medicines; a yes of either is enough."""
    on_list = takes(record, "hormone_therapy")
    if on_list or record.gender_affirming_hormones == "oestrogen":
        return True
    return on_list if record.oestrogen_use is None else record.oestrogen_use


def ever_used_oestrogen(record: ClinicalRecord) -> Truth:
    """Oestrogen at any time; use now answers for the past as well."""
    return True if uses_oestrogen(record) else record.oestrogen_ever


def hypocalcaemia(record: ClinicalRecord) -> Truth:
    """Low serum calcium by the figure or by diagnosis. "None known" does not stand in for a measurement."""
    value = record.serum_calcium_mmol_per_l
    return True if has(record, "hypocalcaemia") else None if value is None else value < CALCIUM_LOW_BELOW


def hypercalcaemia(record: ClinicalRecord) -> Truth:
    """High serum calcium by the figure or by diagnosis. "None known" does not stand in for a measurement."""
    value = record.serum_calcium_mmol_per_l
    return True if has(record, "hypercalcaemia") else None if value is None else value > CALCIUM_HIGH_ABOVE


def cardiovascular_event(record: ClinicalRecord) -> Truth:
    """A myocardial infarction or stroke at any time."""
    if record.months_since_cardiovascular_event is not None:
        return True
    return has(record, "myocardial_infarction", "stroke")


def cancer_in_bone(record: ClinicalRecord) -> bool:
    """Whether metastases in bone or a myeloma are on the record: its fractures and density are not osteoporosis."""
    return bool(has(record, *CANCERS_IN_BONE))


def body_mass_index(weight_kg: float | None, height_cm: float | None) -> float | None:
    """Kilograms per square metre; None where either is not known."""
    return None if weight_kg is None or height_cm is None else weight_kg / (height_cm / 100) ** 2
