"""Which sex a record is read by. Where it is not settled, the record is read by both and the readings are compared."""

from shared.contracts.record import ClinicalRecord, Sex

BOTH: tuple[Sex, Sex] = ("female", "male")


def sexes(record: ClinicalRecord) -> tuple[Sex, ...]:
    """The sex to read by, or both.

    Reference data, menopause and drug licences are by sex; a gender that differs from the sex recorded at birth leaves
    open which of them fit, and so does gender-affirming treatment.
    """
    stated: Sex | None = record.gender if record.gender in BOTH else None
    at_birth = record.sex_recorded_at_birth
    if record.gender_affirming_hormones or (stated and at_birth and stated != at_birth):
        return BOTH
    settled = stated or at_birth
    return (settled,) if settled else BOTH
