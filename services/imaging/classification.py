"""From a radiograph to the three classes: anatomy times bone, never anatomy alone."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.imaging.gate import check_anatomy, check_readable
from services.imaging.network import Anatomy, look
from shared.contracts.base import ModelReference
from shared.contracts.findings import BoneProbabilities, ClassProbabilities, ImagingFinding, ImagingLabel
from shared.inference import Scorer
from shared.problems import ImageRefused
from shared.radiograph import Radiograph
from shared.radiograph.joints import find_knees, joint_crop
from shared.radiograph.prepare import GrayPixels

# Under this lead of the first class over the second, the answer is called indeterminate.
CLEAR_LEAD = 0.1


def classify(radiograph: Radiograph, network: Scorer, finder: Scorer, model: ModelReference) -> ImagingFinding:
    """Gate and classify one radiograph.

    For a knee the bone head sees the joint (the mean over both, where two are seen), for a spine the whole picture.

    Raises:
        ImageRefused: not a readable knee or spine radiograph; `reason` says why.
    """
    check_readable(radiograph)
    knees = [joint_crop(radiograph.pixels, knee.box) for knee in find_knees(radiograph.pixels, finder)]
    anatomy, bone = look([radiograph.pixels, *knees], network)
    check_anatomy(anatomy)
    if radiograph.coloured:
        raise ImageRefused(
            "The image is in colour, so it is a photograph or a screenshot. Export the radiograph itself.",
            reason="coloured",
        )
    return finding(anatomy, bone_of(anatomy, bone, knees), model)


def bone_of(anatomy: Anatomy, bone: npt.NDArray[np.float64], knees: Sequence[GrayPixels]) -> npt.NDArray[np.float64]:
    """The bone probabilities (3,) of the pictures that show the bone best."""
    if anatomy.knee >= anatomy.spine and knees:
        return np.asarray(bone[1:].mean(axis=0), np.float64)
    return np.asarray(bone[0], np.float64)


def finding(anatomy: Anatomy, bone: npt.NDArray[np.float64], model: ModelReference) -> ImagingFinding:
    """p(site osteoporosis) = p(site) x p(osteoporosis), the sites renormalised over knee and spine."""
    knee = anatomy.knee / (anatomy.knee + anatomy.spine)
    normal, osteopenia, osteoporosis = (float(value) for value in bone / bone.sum())
    classes: dict[ImagingLabel, float] = {
        "spine_osteoporosis": (1 - knee) * osteoporosis,
        "knee_osteoporosis": knee * osteoporosis,
    }
    classes = {"normal": 1 - sum(classes.values()), **classes}
    label = max(classes, key=lambda name: classes[name])
    unlabelled = anatomy.spine > anatomy.knee and anatomy.likeliest_spine == "spine_radiograph"
    first, second = sorted(classes.values())[:-3:-1]
    indeterminate = unlabelled or first - second < CLEAR_LEAD
    return ImagingFinding(
        label=label,
        indeterminate=indeterminate,
        probabilities=ClassProbabilities(**{name: round(value, 4) for name, value in classes.items()}),
        anatomy="knee" if knee >= 0.5 else "spine",
        bone=BoneProbabilities(
            normal=round(normal, 4), osteopenia=round(osteopenia, 4), osteoporosis=round(osteoporosis, 4)
        ),
        words=words(label, indeterminate, unlabelled, leads=osteopenia > max(normal, osteoporosis)),
        model=model,
    )


def words(label: ImagingLabel, indeterminate: bool, unlabelled: bool, leads: bool) -> str:
    """The sentence for people. `leads`: osteopenia is the likeliest of the bone classes."""
    if unlabelled:
        return "Indeterminate: the network has not learned bone density from uncut spine radiographs."
    if indeterminate:
        return "Indeterminate: the network does not favour one answer clearly."
    if label == "knee_osteoporosis":
        return "Osteoporosis likely, seen at the knee. Bone density needs to be measured (DXA)."
    if label == "spine_osteoporosis":
        return "Osteoporosis likely, seen at the spine. Bone density needs to be measured (DXA)."
    return "Low bone mass likely, no osteoporosis." if leads else "No osteoporosis seen."
