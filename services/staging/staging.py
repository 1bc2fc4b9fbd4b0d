"""From a radiograph to the Kellgren-Lawrence grade of each knee in it, the worse one at the top."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.staging.decision import median_grade
from services.staging.joint_space import joint_space
from services.staging.sides import NamedSide, name_sides, upside_down_beside
from shared.contracts.base import ModelReference
from shared.contracts.film import FilmWarning
from shared.contracts.findings import Knee, StagingFinding
from shared.contracts.joint_space import JointSpace, JointSpaceWithheld
from shared.inference import Scorer, Tensors
from shared.kl_grade import CONFIDENT, NO_CLEAR_GRADE, finding_of
from shared.problems import ImageRefused
from shared.radiograph import Radiograph
from shared.radiograph.detail import lack_of_detail, once
from shared.radiograph.heatmap import Box, Heat
from shared.radiograph.joints import THRESHOLD, KneeJoint, find_knees, joint_crop
from shared.radiograph.prepare import network_input

# A joint with less than this share of its frame in the picture is cut by the border.
WHOLE = 0.9
# A joint's distance from the knees that the network was measured on; of those, at most two in a hundred lie beyond.
UNLIKE = 1.0
UNLIKE_KNOWN = FilmWarning(
    type="unusual_picture",
    detail="The joint is unlike the knees that the grades were measured on, so the grade is uncertain.",
)
# What makes a joint's picture unfit, under the names by which a measurement is withheld.
LACKING: dict[str, JointSpaceWithheld] = {
    "few_pixels": "few_pixels",
    "blurred": "blurred",
    "heavy_compression": "heavy_compression",
    "unusual_picture": "joint_uncertain",
}


@dataclass(frozen=True)
class Reading:
    """What was found in a radiograph, and where each grade's evidence lies in each knee's box."""

    finding: StagingFinding
    warnings: list[FilmWarning]
    boxes: list[Box]
    heat: list[Heat]
    distances: list[float] = field(default_factory=list)


def stage(
    radiograph: Radiograph,
    network: Scorer,
    finder: Scorer,
    model: ModelReference,
    joints: Sequence[KneeJoint] | None = None,
) -> Reading:
    """Find the knee joints and grade each (Kellgren & Lawrence 1957); the gate has said that it is a knee.

    Args:
        radiograph: the right way round, as the gate has left it.
        joints: as imaging has found them in these very pixels; found here where nobody has.

    Raises:
        ImageRefused: `no_knee_joint`.
    """
    if joints is None:
        joints = find_knees(radiograph.pixels, finder, known_knee=True)
    if not joints:
        raise ImageRefused(
            "No knee joint was found in the radiograph. Send a frontal view with the joint line in the picture.",
            reason="no_knee_joint",
        )
    crops = [joint_crop(radiograph.pixels, joint.box) for joint in joints]
    outputs = network.score({"radiograph": np.concatenate([network_input(crop) for crop in crops])})
    probabilities = outputs["probabilities"].astype(np.float64)
    sides, odd = name_sides(radiograph, joints)
    away = distances(outputs, len(crops))
    lacks = [
        lack_of_detail(radiograph, joint.box, crop, "The grade is uncertain") or unlike(distance)
        for joint, crop, distance in zip(joints, crops, away, strict=True)
    ]
    odd += upside_down_beside(radiograph.pixels, joints, finder) + once(lacks)
    spaces = [
        joint_space(radiograph, joint, named.side, unfit_to_measure(joint, lack))
        for joint, named, lack in zip(joints, sides, lacks, strict=True)
    ]
    knees = [knee(*parts) for parts in zip(joints, sides, lacks, probabilities, spaces, strict=True)]
    heat = [evidence(maps, knee.stage) for maps, knee in zip(outputs["heat"], knees, strict=True)]
    return Reading(
        finding_of(knees, model), odd, [joint.box for joint in joints], heat, [round(float(d), 4) for d in away]
    )


def knee(
    joint: KneeJoint,
    named: NamedSide,
    lack: FilmWarning | None,
    probabilities: npt.NDArray[np.float64],
    space: JointSpace | None = None,
) -> Knee:
    """One knee's grade: the median, and `uncertain` with the reason where it is not to be relied on."""
    grade = int(median_grade(probabilities))
    note = lack.detail if lack else doubt(joint, float(probabilities.max()))
    return Knee.model_validate(
        {
            "side": named.side,
            "side_source": named.source,
            "box": [float(edge) for edge in joint.box],
            "stage": grade,
            "probabilities": [round(float(value), 4) for value in probabilities],
            "quality": "uncertain" if note else "good",
            "note": note,
            "joint_space": space,
        }
    )


def distances(outputs: Tensors, count: int) -> npt.NDArray[np.float64]:
    """How far each joint lies from the known knees; nothing is said by a network from before there was one."""
    return outputs["distance"][:, 0].astype(np.float64) if "distance" in outputs else np.zeros(count)


def unlike(distance: float) -> FilmWarning | None:
    """A warning of a joint that is unlike the known ones, or nothing."""
    return UNLIKE_KNOWN if distance > UNLIKE else None


def doubt(joint: KneeJoint, probability: float) -> str | None:
    """Why a grade is not to be relied on, or nothing."""
    if joint.visible < WHOLE:
        return "The joint is cut by the border of the picture."
    if joint.confidence < THRESHOLD:
        return "The joint is hard to make out. If no other knee is reported, one may have been missed."
    if probability < CONFIDENT:
        return NO_CLEAR_GRADE
    return None


def unfit_to_measure(joint: KneeJoint, lack: FilmWarning | None) -> JointSpaceWithheld | None:
    """Why a knee's joint space is not measured, or nothing: what makes a grade doubtful hides edges too."""
    if lack:
        return LACKING[lack.type]
    if joint.visible < WHOLE:
        return "joint_cut"
    return "joint_uncertain" if joint.confidence < THRESHOLD else None


def evidence(maps: npt.NDArray[np.float32], grade: int) -> Heat:
    """What speaks for this grade rather than for the others, by place: (height, width) of (height, width, 5)."""
    return np.asarray(maps[..., grade] - maps.mean(axis=-1), np.float32)
