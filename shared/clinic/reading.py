"""A record as it is read: every derived fact once, by one sex, one policy and one day."""

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property

from shared.clinic import fractures, history, intervals, kidney, menopause
from shared.clinic.density import (
    NORMAL_FROM,
    OSTEOPOROSIS,
    OSTEOPOROSIS_TO,
    Densities,
    densities,
    lowest_by_other_method,
    scale_for,
)
from shared.clinic.frax import Frax, frax
from shared.clinic.glucocorticoids import AcrInputs, AcrRisk, Glucocorticoids, acr_risk, glucocorticoids
from shared.clinic.intervals import Course, Interval
from shared.clinic.logic import Truth, all_of, any_of
from shared.clinic.scores import Score
from shared.clinic.sex import sexes
from shared.clinic.signs import ScoreSigns
from shared.clinic.units import body_in_doubt, weight_if_pounds
from shared.contracts.findings import WhoClass
from shared.contracts.policy import ClinicPolicy
from shared.contracts.record import ClinicalRecord, Fracture, Sex

NOGG_WOMEN_AGE = 70
# Bone is lost fast, and a fracture counts as recent, within this time.
RECENT_FRACTURE_MONTHS = 24
# A fracture this long after a drug was begun counts as one on treatment (house).
ON_TREATMENT_MONTHS = 12
# Denosumab is due at 6 months; past 7 after two doses or more, rebound fractures threaten (label, ECTS 2020).
DENOSUMAB_LATE_MONTHS, DENOSUMAB_DOSES = 7, 2


@dataclass(frozen=True)
class Reading:
    """One reading of one record.

    Attributes:
        record: as it was sent.
        sex: the sex it is read by; where the record leaves that open there are two readings.
        policy: what the site assumes.
        as_of: the day that dates are counted from.
        sex_is_settled: whether this is the only reading.
    """

    record: ClinicalRecord
    sex: Sex
    policy: ClinicPolicy
    as_of: dt.date
    sex_is_settled: bool = True

    # Menopause, hormones, medicines

    @cached_property
    def postmenopausal(self) -> Truth:
        return menopause.postmenopausal(self.record, self.sex, self.policy)

    @cached_property
    def assumes_menopause(self) -> bool:
        return menopause.assumes_menopause(self.record, self.sex, self.policy)

    @cached_property
    def assumes_premenopause(self) -> bool:
        return menopause.assumes_premenopause(self.record, self.sex)

    @cached_property
    def early_menopause(self) -> Truth:
        return menopause.early_menopause(self.record, self.sex)

    @cached_property
    def pregnant(self) -> Truth:
        return menopause.pregnant(self.record, self.sex)

    @cached_property
    def glucocorticoids(self) -> Glucocorticoids:
        return glucocorticoids(self.record)

    @cached_property
    def cancer_in_bone(self) -> bool:
        return history.cancer_in_bone(self.record)

    @cached_property
    def body_mass_index(self) -> float | None:
        return history.body_mass_index(self.record.weight_kg, self.record.height_cm)

    # Fractures

    @cached_property
    def low_trauma_fracture(self) -> Truth:
        return fractures.low_trauma_at(self.record)

    @cached_property
    def fragility_fractures(self) -> list[Fracture]:
        """Known and presumed ones; none where cancer in bone may be their cause."""
        return [] if self.cancer_in_bone else fractures.fragility_fractures(self.record)

    @cached_property
    def diagnostic_fracture_sites(self) -> list[str]:
        """Hip and vertebra, where a low-trauma fracture makes the diagnosis; none below 18 or with cancer in bone."""
        if self.record.age < fractures.ADULT_AGE or self.cancer_in_bone:
            return []
        known = fractures.fragility_fractures(self.record, presumed=False)
        return sorted({fracture.site for fracture in known if fracture.site in fractures.DIAGNOSTIC_SITES})

    @cached_property
    def recent_fracture(self) -> bool:
        """A low-trauma fracture of the past two years."""
        months = fractures.months_since_latest(self.record)
        return months is not None and months <= RECENT_FRACTURE_MONTHS

    @cached_property
    def fracture_on_treatment(self) -> Truth:
        """A low-trauma fracture after a year or more on a bisphosphonate, or while another bone drug is taken."""
        months = fractures.months_since_latest(self.record)
        on_drug = history.takes(self.record, *history.BONE_DRUGS_BUT_HORMONES)
        if months is None or not on_drug:
            return False if on_drug is False or self.low_trauma_fracture is False else None
        if self.record.bisphosphonate_years is not None:
            return self.record.bisphosphonate_years * fractures.MONTHS_A_YEAR - months >= ON_TREATMENT_MONTHS
        doses = self.record.denosumab_doses
        if doses is not None and history.takes(self.record, "denosumab"):
            return doses * 6 - months >= ON_TREATMENT_MONTHS
        return None

    # Bone density

    @cached_property
    def densities(self) -> Densities:
        scale = scale_for(self.record, self.sex, self.postmenopausal)
        return densities(self.record, scale, self.as_of)

    @cached_property
    def density_class(self) -> WhoClass | None:
        """The class by DXA alone; a score in doubt makes nobody's density normal."""
        who_class = self.densities.who_class(bool(self.fragility_fractures))
        return None if who_class == "normal" and self.doubtful_scores else who_class

    @cached_property
    def who_class(self) -> WhoClass | None:
        """The class by DXA, or by a low-trauma hip or vertebral fracture whatever the T-score."""
        by_density = self.density_class
        if by_density in OSTEOPOROSIS or not self.diagnostic_fracture_sites:
            return by_density
        return "osteoporosis"

    @cached_property
    def rests_on_fracture(self) -> bool:
        """Whether the diagnosis comes from a fracture, density alone not giving it."""
        return self.who_class in OSTEOPOROSIS and self.density_class not in OSTEOPOROSIS

    @cached_property
    def lowest_by_other_method(self) -> float | None:
        return lowest_by_other_method(self.record, self.as_of)

    @cached_property
    def low_by_other_method(self) -> bool:
        """A T-score under -1.0 by ultrasound or at another site: no class, and a reason to measure by DXA."""
        return self.lowest_by_other_method is not None and self.lowest_by_other_method < NORMAL_FROM

    @cached_property
    def osteoporosis_by_other_method(self) -> bool:
        """Such a T-score of -2.5 or lower: no diagnosis, and never a low risk."""
        return self.lowest_by_other_method is not None and self.lowest_by_other_method <= OSTEOPOROSIS_TO

    @cached_property
    def lowest_t(self) -> float | None:
        """The lowest current T-score."""
        return self.densities.lowest_t.value if self.densities.lowest_t else None

    @cached_property
    def lowest_z(self) -> float | None:
        """The lowest current Z-score."""
        return self.densities.lowest_z.value if self.densities.lowest_z else None

    @cached_property
    def signs(self) -> ScoreSigns:
        """The scores beside one another, by what can be expected of the person."""
        weight = None if self.body_in_doubt else self.record.weight_kg
        return ScoreSigns(self.densities, self.sex, self.record.age, weight)

    @cached_property
    def doubtful_scores(self) -> list[Score]:
        """T-scores whose sign is in doubt."""
        return self.signs.doubtful()

    @cached_property
    def density_in_doubt(self) -> bool:
        """Whether a doubtful score stands where a low one might: nothing then lowers a risk."""
        return bool(self.doubtful_scores) and self.who_class not in OSTEOPOROSIS

    # The next scan

    @cached_property
    def loses_bone_fast(self) -> bool:
        """Glucocorticoids, aromatase inhibitors, androgen deprivation, a recent fracture, or denosumab stopped."""
        drugs = history.takes(self.record, "aromatase_inhibitors", "androgen_deprivation")
        steroids = self.glucocorticoids.taken and self.glucocorticoids.long_term is not False
        return bool(drugs or steroids or self.recent_fracture or self.denosumab_late)

    @cached_property
    def scan_interval(self) -> Interval | None:
        """How long the scan on record holds, counted from the scan; None without one."""
        deciding = self.densities.deciding
        if deciding is None:
            return None
        return intervals.interval(
            Course(
                age=self.record.age,
                score=deciding.value,
                is_t_score=deciding in self.densities.t_scores,
                treated=bool(history.takes(self.record, *history.BONE_DRUGS)),
                fast_loss=self.loses_bone_fast,
                in_doubt=self.density_in_doubt,
            )
        )

    @cached_property
    def scan_is_out_of_date(self) -> bool:
        """Whether the newest scan is older than the interval that its own value allows."""
        deciding, allowed = self.densities.deciding, self.scan_interval
        return deciding is not None and allowed is not None and deciding.months_old(self.as_of) > allowed.by

    @cached_property
    def has_current_scan(self) -> bool:
        """Whether a bone density scan is on record that still holds."""
        return self.densities.deciding is not None and not self.scan_is_out_of_date

    @cached_property
    def next_scan(self) -> Interval | None:
        """When the next scan is due, from today; None without a scan on record."""
        deciding, allowed = self.densities.deciding, self.scan_interval
        if deciding is None or allowed is None:
            return None
        if self.scan_is_out_of_date:
            return Interval(0.0, intervals.DUE_NOW, "out_of_date")
        return allowed.counted_from(deciding.months_old(self.as_of))

    # Risk

    @cached_property
    def frax(self) -> Frax | None:
        return frax(self.record, self.policy, self.lowest_t)

    @cached_property
    def acr_risk(self) -> AcrRisk | None:
        """The level of ACR 2022 on glucocorticoids; None without long-term use."""
        known = AcrInputs(
            age=self.record.age,
            fracture=self.low_trauma_fracture,
            lowest_t=self.lowest_t,
            lowest_z=self.lowest_z,
            frax_major=self.record.frax_major,
            frax_hip=self.record.frax_hip,
        )
        return acr_risk(self.glucocorticoids, known)

    @cached_property
    def nogg_steroid_protection(self) -> Truth:
        """Whether NOGG 2024 protects the bones from the first steroid on: a fracture, a woman of 70, or the dose."""
        woman_of_70 = self.sex == "female" and self.record.age >= NOGG_WOMEN_AGE
        reason = any_of([self.low_trauma_fracture, woman_of_70, self.glucocorticoids.nogg_very_high])
        return all_of([self.glucocorticoids.taken, reason])

    @cached_property
    def denosumab_late(self) -> bool:
        """More than seven months since the last dose, after two doses or more (an unknown number is taken as two)."""
        months, doses = self.record.denosumab_last_dose_months_ago, self.record.denosumab_doses
        return months is not None and months > DENOSUMAB_LATE_MONTHS and (doses is None or doses >= DENOSUMAB_DOSES)

    @cached_property
    def zoledronate_followed(self) -> bool:
        """Whether a dated infusion of zoledronate came after the last dose of denosumab."""
        infusion, dose = self.record.zoledronate_months_ago, self.record.denosumab_last_dose_months_ago
        return infusion is not None and dose is not None and infusion < dose

    # Kidneys

    @cached_property
    def creatinine_clearance(self) -> float | None:
        """mL/min by Cockcroft-Gault, where creatinine and weight are known.

        With a weight that may be in pounds it is the lower of the two: no slip lets a drug past its limit.
        """
        record = self.record
        weight = weight_if_pounds(record) or record.weight_kg
        if record.creatinine_umol_per_l is None or weight is None:
            return None
        return kidney.creatinine_clearance(record.age, weight, record.creatinine_umol_per_l, self.sex == "female")

    @cached_property
    def body_in_doubt(self) -> bool:
        """Whether weight or height may be a slip of the unit or of the hand."""
        return body_in_doubt(self.record)

    def without_body(self) -> "Reading":
        """The same reading with weight and height unknown."""
        return replace(self, record=self.record.model_copy(update={"weight_kg": None, "height_cm": None}))

    @cached_property
    def egfr(self) -> float | None:
        """mL/min/1.73 m2: the laboratory's own figure, or CKD-EPI 2021 from the creatinine of an adult."""
        record = self.record
        if record.egfr_ml_per_min is not None:
            return record.egfr_ml_per_min
        if record.creatinine_umol_per_l is None or record.age < fractures.ADULT_AGE:
            return None
        return kidney.estimated_gfr(record.age, record.creatinine_umol_per_l, self.sex == "female")

    @cached_property
    def low_t_score(self) -> bool:
        """A current T-score of -2.5 or lower, classified or not."""
        return self.lowest_t is not None and self.lowest_t <= OSTEOPOROSIS_TO


def readings_of(record: ClinicalRecord, policy: ClinicPolicy, as_of: dt.date | None = None) -> tuple[Reading, ...]:
    """One reading, or one by each sex where the record leaves the sex open.

    Args:
        as_of: the day that dates are counted from; today (UTC) where absent.
    """
    day = as_of or dt.datetime.now(dt.UTC).date()
    possible = sexes(record)
    return tuple(Reading(record, sex, policy, day, len(possible) == 1) for sex in possible)
