"""A site's own settings, put on top of what the networks answered. Another version of a model is left as it is."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from shared.contracts.findings import (
    ClassifyAnswer,
    ImagingFinding,
    ImagingLabel,
    Knee,
    StageAnswer,
    StagingFinding,
    StandAlone,
    bone_summary,
    low_density_leads,
)
from shared.contracts.site_settings import GradeCalibration, OperatingPoint, SiteSettings
from shared.kl_grade import CONFIDENT, NO_CLEAR_GRADE, finding_of, median_grade

# Answers have four digits: what is written as 0 may have been half of the last.
EDGE = 5e-5


def applies(site: SiteSettings, imaging: ImagingFinding | None, staging: StagingFinding | None) -> bool:
    """Whether any of these findings is of a model that the settings were made for, and was answered with them."""
    graded = staging is not None and _calibration(site, staging) is not None
    return graded or (imaging is not None and not imaging.indeterminate and _changes(site, imaging))


def as_called(answer: ClassifyAnswer, site: SiteSettings | None) -> ClassifyAnswer:
    """What imaging answered, called at the site's operating point and with its prevalence.

    What is indeterminate stays so: an operating point is chosen among films whose bone can be read.
    """
    finding = answer.finding
    if site is None or finding.indeterminate or not _changes(site, finding):
        return answer
    return answer.model_copy(update={"finding": called(finding, site)})


def called(finding: ImagingFinding, site: SiteSettings) -> ImagingFinding:
    """One finding at the site's operating point and prevalence."""
    changed: dict[str, object] = {}
    if point := _operating_point(site, finding):
        label = label_at(finding, point.threshold)
        low = label != "normal" or low_density_leads(finding.bone)
        # The ratio was measured at the network's own operating point, and holds for no other.
        changed |= {"label": label, "summary": bone_summary(finding.anatomy, low), "likelihood_ratio": None}
    if site.prevalence:
        changed |= {"stand_alone": StandAlone.at(finding.bone.osteoporosis, site.prevalence.value)}
    return finding.model_copy(update=changed)


def label_at(finding: ImagingFinding, threshold: float) -> ImagingLabel:
    """How a film is called where osteoporosis is possible from this reading of the bone on."""
    if finding.bone.osteoporosis < threshold:
        return "normal"
    return "knee_osteoporosis" if finding.anatomy == "knee" else "spine_osteoporosis"


def as_calibrated(answer: StageAnswer, site: SiteSettings | None) -> StageAnswer:
    """What staging answered, with the site's calibration of its probabilities, and the grades that follow from them."""
    calibration = _calibration(site, answer.finding) if site else None
    if calibration is None:
        return answer
    knees = [_knee(knee, calibration) for knee in answer.finding.knees]
    return answer.model_copy(update={"finding": finding_of(knees, answer.finding.model)})


def recalibrated(probabilities: Sequence[float], temperature: float, shift: float) -> list[float]:
    """The five probabilities with the log odds of "grade k or more" shifted, then divided by the temperature."""
    return _moved(probabilities, lambda log_odds: (log_odds + shift) / temperature)


def restored(probabilities: Sequence[float], calibration: GradeCalibration) -> list[float]:
    """What the network had answered, from what was answered with a calibration; up to the rounding of answers."""
    return _moved(probabilities, lambda log_odds: log_odds * calibration.temperature - calibration.shift)


def _moved(probabilities: Sequence[float], move: Callable[[float], float]) -> list[float]:
    at_least = [1.0]
    for grade in range(1, len(probabilities)):
        share = min(1 - EDGE, max(EDGE, sum(probabilities[grade:])))
        at_least.append(1 / (1 + math.exp(-move(math.log(share / (1 - share))))))
    at_least.append(0.0)
    return [max(0.0, low - high) for low, high in pairwise(at_least)]


def _knee(knee: Knee, calibration: GradeCalibration) -> Knee:
    moved = recalibrated(knee.probabilities, calibration.temperature, calibration.shift)
    note = None if knee.note == NO_CLEAR_GRADE else knee.note
    note = note or (NO_CLEAR_GRADE if max(moved) < CONFIDENT else None)
    return knee.model_copy(
        update={
            "stage": median_grade(moved),
            "probabilities": [round(probability, 4) for probability in moved],
            "quality": "uncertain" if note else "good",
            "note": note,
        }
    )


def _calibration(site: SiteSettings, staging: StagingFinding) -> GradeCalibration | None:
    return site.grades if site.grades and site.grades.model == staging.model else None


def _operating_point(site: SiteSettings, imaging: ImagingFinding) -> OperatingPoint | None:
    fits = (p for p in site.operating_points if p.model == imaging.model and p.anatomy == imaging.anatomy)
    return next(fits, None)


def _changes(site: SiteSettings, imaging: ImagingFinding) -> bool:
    return site.prevalence is not None or _operating_point(site, imaging) is not None
