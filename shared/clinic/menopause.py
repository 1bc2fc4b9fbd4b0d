"""Menopause and pregnancy, stated or assumed. What is assumed depends on the site's policy, and answers say so."""

from shared.clinic.history import has
from shared.clinic.logic import Truth
from shared.contracts.policy import ClinicPolicy
from shared.contracts.record import ClinicalRecord, Sex

# Our convention, for a clinician to confirm: from this age pregnancy is ruled out unless the record says otherwise.
PAST_CHILDBEARING_AGE = 60
EARLY_MENOPAUSE_BELOW, USUAL_MENOPAUSE_AGE = 45, 51
# Likewise ours: below the age of a premature menopause it has not come unless the record says so.
PREMENOPAUSAL_BELOW = 40


def stated_past_menopause(record: ClinicalRecord, sex: Sex) -> Truth:
    """Whether the record itself settles that a woman's periods have stopped; None where it does not, and for men."""
    if sex == "male":
        return None
    if record.menopausal_status is not None:
        return record.menopausal_status == "postmenopausal"
    if record.menopause_age is not None or has(record, "premature_menopause") or record.gonadectomy:
        return True
    return False if record.pregnant or record.breastfeeding else None


def assumes_menopause(record: ClinicalRecord, sex: Sex, policy: ClinicPolicy) -> bool:
    """Whether the menopause is taken as past by age alone, because nobody recorded it."""
    by_age = policy.postmenopausal_from is not None and record.age >= policy.postmenopausal_from
    return sex == "female" and stated_past_menopause(record, sex) is None and by_age


def assumes_premenopause(record: ClinicalRecord, sex: Sex) -> bool:
    """Whether the menopause is taken as still to come by age alone, because nobody recorded it."""
    return sex == "female" and record.age < PREMENOPAUSAL_BELOW and stated_past_menopause(record, sex) is None


def postmenopausal(record: ClinicalRecord, sex: Sex, policy: ClinicPolicy) -> Truth:
    """Whether the menopause is past: as stated, else as assumed by age, else unknown. Never in men."""
    if sex == "male" or assumes_premenopause(record, sex):
        return False
    return True if assumes_menopause(record, sex, policy) else stated_past_menopause(record, sex)


def years_since_menopause(record: ClinicalRecord) -> float | None:
    """Years, from the age at the last period."""
    return None if record.menopause_age is None else record.age - record.menopause_age


def early_menopause(record: ClinicalRecord, sex: Sex) -> Truth:
    """A last period before 45, or a premature menopause by diagnosis."""
    if sex == "male":
        return False
    if has(record, "premature_menopause"):
        return True
    if record.menopause_age is not None:
        return record.menopause_age < EARLY_MENOPAUSE_BELOW
    if stated_past_menopause(record, sex) and record.age < EARLY_MENOPAUSE_BELOW:
        return True
    return None


def pregnant(record: ClinicalRecord, sex: Sex) -> Truth:
    """Whether she is pregnant: the field if filled in, else settled by sex, age or a stated menopause."""
    if record.pregnant is not None:
        return record.pregnant
    ruled_out = sex == "male" or record.age >= PAST_CHILDBEARING_AGE or stated_past_menopause(record, sex)
    return False if ruled_out else None
