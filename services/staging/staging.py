"""From a radiograph to the Kellgren-Lawrence grade of each knee in it, the worse one at the top."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shared.contracts.base import ModelReference
from shared.contracts.findings import KL_NAMES, STAGE_LABELS, Knee, StagingFinding
from shared.inference import Scorer
from shared.problems import ImageRefused
from shared.radiograph import Radiograph
from shared.radiograph.joints import THRESHOLD, KneeJoint, find_knees, joint_crop
from shared.radiograph.prepare import network_input

# A grade with less than this probability is called uncertain: readers themselves agree on half of the knees.
CONFIDENT = 0.5


def stage(radiograph: Radiograph, network: Scorer, finder: Scorer, model: ModelReference) -> StagingFinding:
    """Find the knee joints and grade each (Kellgren & Lawrence 1957); the gate has said that it is a knee.

    Raises:
        ImageRefused: `no_knee_joint`.
    """
    found = find_knees(radiograph.pixels, finder, radiograph.laterality, known_knee=True)
    if not found:
        raise ImageRefused(
            "No knee joint was found in the radiograph. Send a frontal view with the joint line in the picture.",
            reason="no_knee_joint",
        )
    inputs = np.concatenate([network_input(joint_crop(radiograph.pixels, joint.box)) for joint in found])
    probabilities = network.score({"radiograph": inputs})["probabilities"].astype(np.float64)
    return finding([knee(*parts) for parts in zip(found, probabilities, strict=True)], model)


def knee(joint: KneeJoint, probabilities: npt.NDArray[np.float64]) -> Knee:
    """One knee's grade: the likeliest one, and `uncertain` where that is not likely or the joint barely seen."""
    grade = int(probabilities.argmax())
    return Knee.model_validate(
        {
            "side": joint.side,
            "box": [float(edge) for edge in joint.box],
            "stage": grade,
            "probabilities": [round(float(value), 4) for value in probabilities],
            "quality": "good" if probabilities[grade] >= CONFIDENT and joint.confidence >= THRESHOLD else "uncertain",
        }
    )


def finding(knees: Sequence[Knee], model: ModelReference) -> StagingFinding:
    """The worse knee stands for the radiograph: the highest grade, then the higher mean grade."""
    worst = max(knees, key=lambda one: (one.stage, float(np.dot(one.probabilities, range(5)))))
    return StagingFinding(
        stage=worst.stage,
        label=STAGE_LABELS[worst.stage],
        kl_grade=worst.stage,
        kl_name=KL_NAMES[worst.stage],
        probabilities=worst.probabilities,
        knees=list(knees),
        model=model,
    )
