"""The WHO class from DXA, and from a fracture.

WHO 1994 as ISCD 2023 applies it: normal T >= -1.0, low bone mass between, osteoporosis T <= -2.5, severe with a
fragility fracture; lowest T of femoral neck, total hip, lumbar spine and the distal third of the radius, by DXA only.
Women before menopause and men under 50 get a Z-score instead: <= -2.0 is below the expected range for age. A
low-trauma hip or vertebral fracture is osteoporosis whatever the T-score (BHOF 2022, AACE 2020).
"""

from dataclasses import dataclass
from typing import Literal

from services.clinical.history import (
    DIAGNOSTIC_SITES,
    counts_as_postmenopausal,
    fragility,
    fragility_fractures,
    is_past_menopause,
)
from services.clinical.reference import t_score_of
from shared.contracts.findings import BoneDensity, WhoClass
from shared.contracts.record import BoneSite, ClinicalRecord, DensityScore

DIAGNOSTIC_BONE_SITES: frozenset[BoneSite] = frozenset(
    {"femoral_neck", "total_hip", "lumbar_spine", "distal_third_radius"}
)
NORMAL_FROM, OSTEOPOROSIS_TO, BELOW_EXPECTED_TO = -1.0, -2.5, -2.0
MEN_T_SCORE_AGE = 50
ADULT_AGE = 18

Scale = Literal["t", "z", "unknown"]
CLASS_WORDS: dict[WhoClass, str] = {
    "normal": "normal bone density (WHO)",
    "low_bone_mass": "low bone mass (WHO)",
    "osteoporosis": "osteoporosis (WHO)",
    "severe_osteoporosis": "severe osteoporosis (WHO)",
    "below_expected_for_age": "bone density below the expected range for age (ISCD)",
}


@dataclass(frozen=True)
class _Measured:
    site: BoneSite
    value: float
    note: str = ""


def classify_bone_density(record: ClinicalRecord) -> BoneDensity | None:
    """The class that DXA or a fracture gives, or None where the record holds neither a density nor such a fracture."""
    by_density = _by_density(record)
    if by_density is not None and by_density.who_class in ("osteoporosis", "severe_osteoporosis"):
        return by_density
    sites = sorted({f.site for f in fragility_fractures(record, presumed=False) if f.site in DIAGNOSTIC_SITES})
    if not sites or record.age < ADULT_AGE:
        return by_density
    basis = f"osteoporosis, by low-trauma fracture of the {' and '.join(sites)}, whatever the T-score"
    if by_density is None:
        return BoneDensity(who_class="osteoporosis", basis=basis)
    return by_density.model_copy(update={"who_class": "osteoporosis", "basis": f"{basis}. DXA: {by_density.basis}"})


def rests_on_fracture(density: BoneDensity) -> bool:
    """Whether the diagnosis comes from a fracture, the T-score being above -2.5 or not given."""
    diagnosed = density.who_class in ("osteoporosis", "severe_osteoporosis")
    return diagnosed and (density.t_score is None or density.t_score > OSTEOPOROSIS_TO)


def scale_for(record: ClinicalRecord) -> Scale:
    """Which score the person is judged by: T after (or in transition to) menopause and in men of 50 and over."""
    if record.gender == "male":
        return "t" if record.age >= MEN_T_SCORE_AGE else "z"
    if record.menopausal_status == "perimenopausal":
        return "t"
    past = counts_as_postmenopausal(record)
    if past is None:
        return "unknown"
    return "t" if past else "z"


def _by_density(record: ClinicalRecord) -> BoneDensity | None:
    if not (record.t_scores or record.z_scores or record.bmd):
        return None
    scale = scale_for(record)
    t, z = _lowest(_t_scores(record)), _lowest(_usable(record.z_scores))
    if scale == "t" and t is not None:
        return _who_class(record, t)
    if scale == "z" and z is not None:
        return _z_class(z, t)
    measured = t or z
    return BoneDensity(
        who_class=None,
        basis=_why_no_class(record, scale, t, z),
        site=measured.site if measured else None,
        t_score=t.value if t else None,
        z_score=z.value if z else None,
    )


def _usable(scores: list[DensityScore] | None) -> list[_Measured]:
    return [_Measured(s.site, s.value) for s in scores or [] if s.method == "dxa" and s.site in DIAGNOSTIC_BONE_SITES]


def _t_scores(record: ClinicalRecord) -> list[_Measured]:
    printed = _usable(record.t_scores)
    known = {score.site for score in printed}
    # The printed T-score is the report's own; a computed one only fills a site that has none.
    derived = [t_score_of(m) for m in record.bmd or [] if m.site not in known]
    return printed + [_Measured(d.site, d.value, f", computed against {d.source}") for d in derived if d is not None]


def _lowest(scores: list[_Measured]) -> _Measured | None:
    return min(scores, key=lambda score: score.value, default=None)


def _who_class(record: ClinicalRecord, t: _Measured) -> BoneDensity:
    who_class: WhoClass = "normal" if t.value >= NORMAL_FROM else "low_bone_mass"
    fracture_words = ""
    if t.value <= OSTEOPOROSIS_TO:
        broken = fragility_fractures(record)
        who_class = "severe_osteoporosis" if broken else "osteoporosis"
        fracture_words = _fracture_words(record)
    assumed = ""
    if record.gender == "female" and record.menopausal_status is None and is_past_menopause(record) is None:
        assumed = "; menopausal status not given, taken as postmenopausal from 50 on"
    basis = f"{CLASS_WORDS[who_class]}, by DXA: lowest T-score {t.value:g} at {_site(t.site)}{t.note}"
    return BoneDensity(who_class=who_class, basis=basis + fracture_words + assumed, site=t.site, t_score=t.value)


def _fracture_words(record: ClinicalRecord) -> str:
    broken = fragility_fractures(record)
    if broken:
        sites = " and ".join(sorted({_site(f.site) for f in broken}))
        unstated = all(fragility(f) == "presumed" for f in broken)
        return f", with a {'fracture' if unstated else 'low-trauma fracture'} of the {sites}" + (
            " (trauma not stated, presumed low)" if unstated else ""
        )
    if record.prior_fractures is True:
        return "; severe if the earlier fracture was a low-trauma one (site and trauma not given)"
    return "; prior fractures not given" if record.prior_fractures is None else ""


def _z_class(z: _Measured, t: _Measured | None) -> BoneDensity:
    below = z.value <= BELOW_EXPECTED_TO
    words = CLASS_WORDS["below_expected_for_age"] if below else "bone density within the expected range for age (ISCD)"
    return BoneDensity(
        who_class="below_expected_for_age" if below else None,
        basis=f"{words}, by DXA: lowest Z-score {z.value:g} at {_site(z.site)}; no WHO class before menopause "
        "or in men under 50",
        site=z.site,
        z_score=z.value,
        t_score=t.value if t else None,
    )


def _why_no_class(record: ClinicalRecord, scale: Scale, t: _Measured | None, z: _Measured | None) -> str:
    if t is None and z is None:
        scores = [*(record.t_scores or []), *(record.z_scores or [])]
        if scores and all(score.method != "dxa" for score in scores):
            return "no class: the WHO classes are defined for DXA, not for ultrasound or another method"
        if scores:
            return "no class: none of the sites is femoral neck, total hip, lumbar spine or distal third of the radius"
        return "no class: a T-score cannot be computed from this BMD without a known maker and site"
    if scale == "unknown":
        return "no class: under 50 the menopausal status decides between T- and Z-score, and it is not given"
    if scale == "z":
        return "no class: before menopause and in men under 50 a T-score gives none; the Z-score is needed"
    return "no class: after menopause and in men of 50 and over the T-score decides, and only a Z-score is given"


def _site(site: str) -> str:
    return site.replace("_", " ")
