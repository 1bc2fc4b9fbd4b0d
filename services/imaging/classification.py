"""From a radiograph to the three classes: anatomy times bone, never anatomy alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.imaging.gate import check_anatomy, check_not_white, check_readable, odd_content
from services.imaging.network import Anatomy, BoneReading, look, read_bone
from services.imaging.open_network import NOTHING_CLOSED, Closed
from services.imaging.regions import Regions, bone_regions
from services.imaging.tags import BodyPart, check_view, odd_tags
from services.imaging.upright import correction, judged
from services.imaging.writing import writing
from shared.contracts.base import ModelReference
from shared.contracts.film import FilmWarning
from shared.contracts.findings import (
    BoneProbabilities,
    ClassProbabilities,
    ImagingFinding,
    ImagingLabel,
    LikelihoodRatio,
    StandAlone,
    bone_summary,
    low_density_leads,
)
from shared.contracts.models import ModelCard
from shared.inference import Scorer
from shared.problems import ImageRefused
from shared.radiograph import Radiograph
from shared.radiograph.detail import lack_of_detail, once
from shared.radiograph.prepare import GrayPixels
from shared.radiograph.upright import Correction, corrected

# Under this lead of the first class over the second, the answer is called indeterminate.
CLEAR_LEAD = 0.1
TOO_LITTLE: dict[BodyPart, str] = {
    "knee": "Too little of the thigh bone and shin bone beside the joint is in the picture.",
    "spine": "The network has not learned bone density from uncut spine radiographs.",
}
# Where the card has what a reading adds to the record, by anatomy.
RATIOS = "likelihood_ratio_given_record"
Ratios = Mapping[str, LikelihoodRatio]


@dataclass(frozen=True)
class Reading:
    """What was found in a radiograph, and what it was found in: the radiograph the right way round."""

    radiograph: Radiograph
    finding: ImagingFinding
    warnings: list[FilmWarning]
    regions: Regions
    bone: BoneReading


def ratios_of(card: ModelCard) -> Ratios:
    """The likelihood ratios that a model's card gives; a model that was never judged with the record has none."""
    return {anatomy: LikelihoodRatio.model_validate(ratio) for anatomy, ratio in card.metrics.get(RATIOS, {}).items()}


def classify(
    radiograph: Radiograph,
    network: Scorer,
    finder: Scorer,
    model: ModelReference,
    ratios: Ratios,
    prevalence: float | None = None,
    closed: Closed = NOTHING_CLOSED,
) -> Reading:
    """Gate, put upright and classify one radiograph.

    Args:
        network: of this service. finder: of knee joints.
        ratios: by anatomy, from the model's card.
        prevalence: of osteoporosis, for the probability that the film alone gives; none is given without it.
        closed: what an open installation does not read, and why.

    Raises:
        ImageRefused: not a readable knee or spine radiograph; `reason` says why.
    """
    check_readable(radiograph)
    if radiograph.coloured:
        raise ImageRefused(
            "The image is in colour, so it is a photograph or a screenshot. Export the radiograph itself.",
            reason="coloured",
        )
    first_look = judged(radiograph.pixels, look(radiograph.pixels, network), network)
    done = correction(first_look)
    radiograph = corrected(radiograph, done)
    check_not_white(radiograph)  # only now: an inverted radiograph is mostly white until it is put right
    anatomy = first_look.anatomy if done == Correction() else look(radiograph.pixels, network).anatomy
    check_anatomy(anatomy)
    site = site_of(anatomy)
    check_view(radiograph, site)
    regions = bone_regions(radiograph.pixels, anatomy, finder)
    crops = regions.crops(radiograph.pixels)
    bone = read_bone(crops, regions.site, network)
    lacks = lacking(radiograph, regions, crops)
    why = lacks[0].detail if lacks else TOO_LITTLE[site] if not regions.enough else None
    why = closed.sites.get(regions.site, why)
    found = finding(anatomy, bone.probabilities, why, done, model, ratios, prevalence)
    odd = [*closed.warnings, *odd_tags(radiograph, site), *odd_content(anatomy), *writing(radiograph.pixels), *lacks]
    return Reading(radiograph, found, [*radiograph.warnings, *odd], regions, bone)


def site_of(anatomy: Anatomy) -> BodyPart:
    """The likelier of the two sites that are read."""
    return "knee" if anatomy.knee >= anatomy.spine else "spine"


def lacking(radiograph: Radiograph, regions: Regions, crops: Sequence[GrayPixels]) -> list[FilmWarning]:
    """What the frames around the knees lack for a bone reading; the limits were found on knees alone."""
    if regions.site != "knee":
        return []
    says = "How the bone looks is uncertain"
    return once(lack_of_detail(radiograph, *part, says) for part in zip(regions.boxes, crops, strict=True))


def finding(
    anatomy: Anatomy,
    bone: npt.NDArray[np.float64],
    why_not: str | None,
    done: Correction,
    model: ModelReference,
    ratios: Ratios | None = None,
    prevalence: float | None = None,
) -> ImagingFinding:
    """p(site osteoporosis) = p(site) x p(osteoporosis), the sites renormalised over knee and spine.

    Args:
        bone: probabilities of normal, osteopenia and osteoporosis.
        why_not: why the picture does not show what the bone readout needs, in a sentence; nothing where it does.
        ratios: what a reading adds to the record, by anatomy.
        prevalence: of osteoporosis, for what the film alone says.
    """
    knee = anatomy.knee / (anatomy.knee + anatomy.spine)
    normal, osteopenia, osteoporosis = (float(value) for value in bone / bone.sum())
    classes: dict[ImagingLabel, float] = {
        "spine_osteoporosis": (1 - knee) * osteoporosis,
        "knee_osteoporosis": knee * osteoporosis,
    }
    classes = {"normal": 1 - sum(classes.values()), **classes}
    label = max(classes, key=lambda name: classes[name])
    first, second = sorted(classes.values())[:-3:-1]
    indeterminate = why_not is not None or first - second < CLEAR_LEAD
    probabilities = BoneProbabilities(
        normal=round(normal, 4), osteopenia=round(osteopenia, 4), osteoporosis=round(osteoporosis, 4)
    )
    site = site_of(anatomy)
    return ImagingFinding(
        label=label,
        indeterminate=indeterminate,
        probabilities=ClassProbabilities(**{name: round(value, 4) for name, value in classes.items()}),
        anatomy=site,
        bone=probabilities,
        summary=summary(site, indeterminate, why_not, low=label != "normal" or low_density_leads(probabilities)),
        turned_degrees=done.turned_degrees,
        inverted=done.inverted,
        stand_alone=None if indeterminate or prevalence is None else StandAlone.at(osteoporosis, prevalence),
        likelihood_ratio=(ratios or {}).get(site),
        model=model,
    )


def summary(site: BodyPart, indeterminate: bool, why_not: str | None, low: bool) -> str:
    """The sentence for people. `low`: osteoporosis or osteopenia is likelier than normal bone.

    It never says that there is no osteoporosis, nor that there is: a radiograph shows neither.
    """
    if why_not:
        return f"Indeterminate. {why_not} DXA is advised where bone density matters."
    if indeterminate:
        return "Indeterminate: the network does not favour one answer clearly. DXA is advised."
    return bone_summary(site, low)
