"""The WHO class from the DXA scores of the record, for the case that the clinical service gave none."""

from shared.contracts.findings import WhoClass
from shared.contracts.record import BoneSite, ClinicalRecord, DensityScore

# ISCD 2023 and AACE 2020: no other site, and never ultrasound, makes a diagnosis.
DIAGNOSTIC_SITES: frozenset[BoneSite] = frozenset(
    {"femoral_neck", "total_hip", "lumbar_spine", "distal_third_radius"}
)  # fmt: skip


def lowest_score(scores: list[DensityScore] | None) -> float | None:
    """The lowest DXA score at a diagnostic site.

    All dates count: a diagnosis of osteoporosis stays when a later T-score is better (AACE 2020, BHOF 2022).
    """
    values = [score.value for score in scores or [] if score.method == "dxa" and score.site in DIAGNOSTIC_SITES]
    return min(values, default=None)


def t_score_applies(record: ClinicalRecord) -> bool | None:
    """Whether WHO classes apply: women in or after the menopausal transition and men from 50 (ISCD 2023)."""
    if record.gender == "male":
        return record.age >= 50
    if record.menopausal_status is not None:
        return record.menopausal_status != "premenopausal"
    return True if record.age >= 50 or record.menopause_age is not None else None


def who_class(record: ClinicalRecord, low_trauma_fracture: bool | None) -> WhoClass | None:
    """The class of the lowest score: -1.0 is still normal, -2.5 is already osteoporosis.

    Args:
        record: the clinical record.
        low_trauma_fracture: whether a low-trauma fracture is on the record; with T <= -2.5 it makes it severe.
    """
    applies = t_score_applies(record)
    if applies is None:
        return None
    if not applies:
        lowest_z = lowest_score(record.z_scores)
        return "below_expected_for_age" if lowest_z is not None and lowest_z <= -2.0 else None
    lowest_t = lowest_score(record.t_scores)
    if lowest_t is None:
        return None
    if lowest_t <= -2.5:
        return "severe_osteoporosis" if low_trauma_fracture else "osteoporosis"
    return "low_bone_mass" if lowest_t < -1.0 else "normal"
