"""Bone density on the record: which scores count, the newest a site, and the class they give.

WHO 1994 as ISCD 2023 applies it: normal T >= -1.0, low bone mass between, osteoporosis T <= -2.5, severe with a
fragility fracture; lowest T of femoral neck, total hip, lumbar spine and the distal third of the radius, by DXA only.
Women before menopause and men under 50 get a Z-score instead: <= -2.0 is below the expected range for age. A diagnosis
made by an earlier scan stays when a later T-score is better (AACE 2020, BHOF 2022).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.clinic.logic import Truth
from shared.clinic.reference import t_score_of
from shared.clinic.scores import Score
from shared.contracts.findings import WhoClass
from shared.contracts.record import BoneSite, ClinicalRecord, DensityScore, Sex

DIAGNOSTIC_BONE_SITES: frozenset[BoneSite] = frozenset(
    {"femoral_neck", "total_hip", "lumbar_spine", "distal_third_radius"}
)
HIP_SITES: frozenset[BoneSite] = frozenset({"femoral_neck", "total_hip"})
NORMAL_FROM, OSTEOPOROSIS_TO, BELOW_EXPECTED_TO = -1.0, -2.5, -2.0
MEN_T_SCORE_AGE = 50
OSTEOPOROSIS: frozenset[WhoClass | None] = frozenset({"osteoporosis", "severe_osteoporosis"})

Scale = Literal["t", "z", "unknown"]


@dataclass(frozen=True)
class Densities:
    """The scores of one record as of one day."""

    scale: Scale
    t_scores: tuple[Score, ...]
    z_scores: tuple[Score, ...]
    earlier_osteoporosis: Score | None

    @property
    def lowest_t(self) -> Score | None:
        """The lowest current T-score."""
        return lowest(self.t_scores)

    @property
    def lowest_z(self) -> Score | None:
        """The lowest current Z-score."""
        return lowest(self.z_scores)

    @property
    def deciding(self) -> Score | None:
        """The score that the class rests on, or that would decide if it could."""
        return (self.lowest_z or self.lowest_t) if self.scale == "z" else (self.lowest_t or self.lowest_z)

    def who_class(self, fragility_fracture: bool) -> WhoClass | None:
        """The class by density alone; None where the scale's own score is not on the record."""
        if self.scale == "t" and self.earlier_osteoporosis is not None:
            return "severe_osteoporosis" if fragility_fracture else "osteoporosis"
        if self.scale == "t" and self.lowest_t is not None:
            return class_of(self.lowest_t.value, fragility_fracture)
        if self.scale == "z" and self.lowest_z is not None and self.lowest_z.value <= BELOW_EXPECTED_TO:
            return "below_expected_for_age"
        return None

    @property
    def unclassifiable_low(self) -> bool:
        """A low T- or Z-score that no class can be read from: it is never "low risk"."""
        low_t = self.lowest_t is not None and self.lowest_t.value <= OSTEOPOROSIS_TO
        low_z = self.lowest_z is not None and self.lowest_z.value <= BELOW_EXPECTED_TO
        if self.scale == "unknown":
            return low_t or low_z
        if self.scale == "z":
            return low_t and self.lowest_z is None
        return low_z and self.lowest_t is None and self.earlier_osteoporosis is None


def class_of(t_score: float, fragility_fracture: bool) -> WhoClass:
    """The WHO class of a T-score: -1.0 is still normal, -2.5 is already osteoporosis."""
    if t_score <= OSTEOPOROSIS_TO:
        return "severe_osteoporosis" if fragility_fracture else "osteoporosis"
    return "low_bone_mass" if t_score < NORMAL_FROM else "normal"


def scale_for(record: ClinicalRecord, sex: Sex, postmenopausal: Truth) -> Scale:
    """Which score the person is judged by: T after (or in transition to) menopause and in men of 50 and over."""
    if sex == "male":
        return "t" if record.age >= MEN_T_SCORE_AGE else "z"
    if record.menopausal_status == "perimenopausal":
        return "t"
    return "unknown" if postmenopausal is None else "t" if postmenopausal else "z"


def densities(record: ClinicalRecord, scale: Scale, as_of: dt.date) -> Densities:
    """The scores that count on a day."""
    printed = _usable(record.t_scores, as_of)
    known = {(score.site, score.date) for score in printed}
    # The printed T-score is the report's own; a computed one only fills a scan that has none.
    t_scores = [*printed, *(score for score in _computed(record, as_of) if (score.site, score.date) not in known)]
    newest_t = newest(t_scores)
    replaced = [score for score in t_scores if score not in newest_t and score.value <= OSTEOPOROSIS_TO]
    stays = lowest(newest_t)
    earlier = lowest(replaced) if stays is None or stays.value > OSTEOPOROSIS_TO else None
    return Densities(scale, newest_t, newest(_usable(record.z_scores, as_of)), earlier)


def lowest_by_other_method(record: ClinicalRecord, as_of: dt.date) -> float | None:
    """The lowest T-score that gives no WHO class: by ultrasound or another method, or of another site."""
    others = [score for score in record.t_scores or [] if not _gives_class(score) and not in_future(score.date, as_of)]
    return min((score.value for score in others), default=None)


def newest(scores: Iterable[Score]) -> tuple[Score, ...]:
    """The newest score of each site, one without a date being read as current; of several of one day, the lowest."""
    by_site: dict[BoneSite, Score] = {}
    for score in scores:
        kept = by_site.get(score.site)
        if kept is None or _key(score) > _key(kept):
            by_site[score.site] = score
    return tuple(by_site.values())


def lowest(scores: Sequence[Score]) -> Score | None:
    """The lowest of some scores."""
    return min(scores, key=lambda score: score.value, default=None)


def in_future(date: dt.date | None, as_of: dt.date) -> bool:
    """Whether a date lies after a day; one day of grace for the zones ahead of UTC."""
    return date is not None and date > as_of + dt.timedelta(days=1)


def _key(score: Score) -> tuple[dt.date, float]:
    return (score.date or dt.date.max, -score.value)


def _usable(scores: list[DensityScore] | None, as_of: dt.date) -> list[Score]:
    return [
        Score(score.site, score.value, score.date)
        for score in scores or []
        if _gives_class(score) and not in_future(score.date, as_of)
    ]


def _gives_class(score: DensityScore) -> bool:
    return score.method == "dxa" and score.site in DIAGNOSTIC_BONE_SITES


def _computed(record: ClinicalRecord, as_of: dt.date) -> list[Score]:
    scans = [scan for scan in record.bmd or [] if not in_future(scan.date, as_of)]
    derived = [t_score_of(scan) for scan in scans]
    return [score for score in derived if score is not None]
