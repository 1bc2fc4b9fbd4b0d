"""The WHO class from DXA, and from a fracture, in words."""

from shared.clinic.density import BELOW_EXPECTED_TO
from shared.clinic.fractures import fragility
from shared.clinic.menopause import PREMENOPAUSAL_BELOW
from shared.clinic.reading import Reading
from shared.clinic.scores import Score
from shared.contracts.findings import BoneDensity, WhoClass

CLASS_WORDS: dict[WhoClass, str] = {
    "normal": "normal bone density (WHO)",
    "low_bone_mass": "low bone mass (WHO)",
    "osteoporosis": "osteoporosis (WHO)",
    "severe_osteoporosis": "severe osteoporosis (WHO)",
    "below_expected_for_age": "bone density below the expected range for age (ISCD)",
}


def classify_bone_density(reading: Reading) -> BoneDensity | None:
    """The class that DXA or a fracture gives, or None where the record holds neither a density nor such a fracture."""
    by_density = _by_density(reading)
    if not reading.rests_on_fracture:
        return by_density
    sites = " and ".join(reading.diagnostic_fracture_sites)
    basis = f"osteoporosis, by low-trauma fracture of the {sites}, whatever the T-score"
    if by_density is None:
        return BoneDensity(who_class="osteoporosis", basis=basis)
    return by_density.model_copy(update={"who_class": "osteoporosis", "basis": f"{basis}. DXA: {by_density.basis}"})


def _by_density(reading: Reading) -> BoneDensity | None:
    record, densities = reading.record, reading.densities
    if not (record.t_scores or record.z_scores or record.bmd):
        return None
    score = _scored(reading)
    return BoneDensity(
        who_class=reading.density_class,
        basis=_basis(reading),
        site=score.site if score else None,
        t_score=densities.lowest_t.value if densities.lowest_t else None,
        z_score=densities.lowest_z.value if densities.lowest_z else None,
        date=score.date if score else None,
    )


def _scored(reading: Reading) -> Score | None:
    earlier = reading.densities.earlier_osteoporosis
    return earlier if earlier and reading.densities.scale == "t" else reading.densities.deciding


def _basis(reading: Reading) -> str:
    densities = reading.densities
    if densities.scale == "t" and densities.earlier_osteoporosis is not None:
        return _earlier(reading, densities.earlier_osteoporosis)
    if densities.scale == "t" and densities.lowest_t is not None:
        return _t_words(reading, densities.lowest_t)
    if densities.scale == "z" and densities.lowest_z is not None:
        return _z_words(reading, densities.lowest_z)
    return _why_no_class(reading)


def _t_words(reading: Reading, t: Score) -> str:
    if (who_class := reading.density_class) is None:
        return f"no class: the T-score of {t.value:+g} at {_site(t)}{_dated(t)} may have lost its sign, or another has"
    broken = _fracture_words(reading) if who_class in ("osteoporosis", "severe_osteoporosis") else ""
    assumed = ""
    if reading.assumes_menopause:
        assumed = f"; menopausal status not given, taken as postmenopausal from {reading.policy.postmenopausal_from} on"
    return f"{CLASS_WORDS[who_class]}, by DXA{_dated(t)}: lowest T-score {t.value:g} at {_site(t)}{t.note}" + (
        broken + assumed
    )


def _earlier(reading: Reading, earlier: Score) -> str:
    newest = reading.densities.lowest_t
    now = f"; the newest lowest T-score is {newest.value:g}{_dated(newest)}" if newest else ""
    who_class = reading.density_class or "osteoporosis"
    return (
        f"{CLASS_WORDS[who_class]}, by an earlier DXA{_dated(earlier)}: T-score {earlier.value:g} at {_site(earlier)}"
        f"{now}. A diagnosis stays when a later score is better (AACE 2020, BHOF 2022)"
    )


def _fracture_words(reading: Reading) -> str:
    broken, record = reading.fragility_fractures, reading.record
    if broken:
        sites = " and ".join(sorted({fracture.site.replace("_", " ") for fracture in broken}))
        unstated = all(fragility(fracture, record.age) == "presumed" for fracture in broken)
        return f", with a {'fracture' if unstated else 'low-trauma fracture'} of the {sites}" + (
            " (trauma not stated, presumed low)" if unstated else ""
        )
    if record.prior_fractures is True:
        return "; severe if the earlier fracture was a low-trauma one (site and trauma not given)"
    return "; prior fractures not given" if record.prior_fractures is None else ""


def _z_words(reading: Reading, z: Score) -> str:
    below = z.value <= BELOW_EXPECTED_TO
    words = CLASS_WORDS["below_expected_for_age"] if below else "bone density within the expected range for age (ISCD)"
    return (
        f"{words}, by DXA{_dated(z)}: lowest Z-score {z.value:g} at {_site(z)}; no WHO class before menopause or in "
        "men under 50"
    ) + (
        f"; menopausal status not given, taken as premenopausal below {PREMENOPAUSAL_BELOW}"
        if reading.assumes_premenopause
        else ""
    )


def _why_no_class(reading: Reading) -> str:
    record, densities = reading.record, reading.densities
    if densities.lowest_t is None and densities.lowest_z is None:
        scores = [*(record.t_scores or []), *(record.z_scores or [])]
        if scores and all(score.method != "dxa" for score in scores):
            return "no class: the WHO classes are defined for DXA, not for ultrasound or another method"
        if scores:
            return (
                "no class: no score at femoral neck, total hip, lumbar spine or distal third of the radius that is "
                "not dated in the future"
            )
        return "no class: a T-score cannot be computed from this BMD without a known maker and site"
    if densities.scale == "unknown":
        return "no class: the menopausal status decides between T- and Z-score, and it is not given"
    if densities.scale == "z":
        return "no class: before menopause and in men under 50 a T-score gives none; the Z-score is needed"
    return "no class: after menopause and in men of 50 and over the T-score decides, and only a Z-score is given"


def _dated(score: Score) -> str:
    return f" of {score.date.isoformat()}" if score.date else ""


def _site(score: Score) -> str:
    return score.site.replace("_", " ")
