"""How well the finder does on pictures that it was not built on, measured through the function that serves."""

from typing import Any

import keras
import numpy as np

from shared.inference import Scorer, Tensors
from shared.radiograph.joints import INPUT, JOINT_LINE_SHARE, PLATEAU_SHARE, KneeJoint, find_knees
from shared.radiograph.training.annotations import Case

Z95 = 1.96
NEAR = 0.10  # of the joint's width: the figure that is reported


class KerasScorer:
    """Scores the network while it is being trained."""

    def __init__(self, model: keras.Model) -> None:
        self.model = model

    def score(self, inputs: Tensors) -> dict[str, Any]:
        """See `Scorer`."""
        outputs: dict[str, Any] = self.model.predict_on_batch(inputs[INPUT])
        return outputs


def figures(cases: list[Case], scorer: Scorer) -> dict[str, Any]:
    """Found and missed joints of the legs, whole crops, and false finds, with the files behind each miss."""
    joints = {case.file: find_knees(case.pixels, scorer) for case in cases}
    legs = [case for case in cases if case.table == "knee_bone"]
    crops = [case for case in cases if case.table == "knee_kl"]
    others = [case for case in cases if case.table not in ("knee_bone", "knee_kl")]
    errors = {
        f"{case.file} {n}": error for case in legs for n, error in enumerate(joint_errors(case, joints[case.file]))
    }
    distances = np.minimum([distance for distance, _ in errors.values()], 1.0)  # a joint not found at all counts as 1
    scales = np.array([scale for distance, scale in errors.values() if distance < 1.0])
    return {
        "radiographs": len(legs),
        "joints": len(errors),
        "found_within_10_per_cent": share(distances <= NEAR),
        "found_within_10_per_cent_interval": interval(int((distances <= NEAR).sum()), len(distances)),
        "found_within_20_per_cent": share(distances <= 2 * NEAR),
        "median_distance_in_joint_widths": rounded(np.median(distances)) if len(distances) else None,
        "median_width_error": rounded(np.median(np.abs(scales - 1))) if len(scales) else None,
        "median_width_ratio": rounded(np.median(scales)) if len(scales) else None,
        "false_joints_in_leg_radiographs": sum(max(0, len(joints[case.file]) - len(case.joints)) for case in legs),
        "misses": sorted(name for name, (distance, _) in errors.items() if distance > NEAR),
        "crops": len(crops),
        "crops_taken_whole": share([is_whole(joints[case.file], case) for case in crops]),
        "crops_without_a_joint": sum(not joints[case.file] for case in crops),
        "pictures_without_a_knee": len(others),
        "of_these_with_a_false_joint": share([bool(joints[case.file]) for case in others]),
        "false_joints": sorted(case.file for case in others if joints[case.file]),
    }


def joint_errors(case: Case, joints: list[KneeJoint]) -> list[tuple[float, float]]:
    """(distance to the nearest find in joint widths, its width over the true one) for each joint of a case."""
    errors = []
    for x, y, width in case.joints:
        boxes = [(bx + bw / 2 - x, by + bh * JOINT_LINE_SHARE - y, bw) for bx, by, bw, bh in (f.box for f in joints)]
        candidates = [(float(np.hypot(dx, dy) / width), across * PLATEAU_SHARE / width) for dx, dy, across in boxes]
        errors.append(min(candidates, default=(float("inf"), 1.0)))
    return errors


def is_whole(joints: list[KneeJoint], case: Case) -> bool:
    """A joint crop was recognised as one."""
    height, width = case.pixels.shape
    return [joint.box for joint in joints] == [(0, 0, width, height)]


def judged(cases: list[Case], scorer: Scorer) -> float:
    """One figure to choose the best epoch by: joints near and of the right width, whole crops, no false finds."""
    result = figures(cases, scorer)
    distance, width = (result[name] for name in ("median_distance_in_joint_widths", "median_width_error"))
    return float(
        result["found_within_10_per_cent"]
        + result["found_within_20_per_cent"]
        + 0.5 * result["crops_taken_whole"]
        - result["of_these_with_a_false_joint"]
        - 0.5 * (1.0 if distance is None else distance)
        - (1.0 if width is None else width)
    )


def interval(successes: int, trials: int) -> list[float] | None:
    """95% interval of a share (Wilson 1927); none without trials."""
    if not trials:
        return None
    middle = (successes + Z95**2 / 2) / (trials + Z95**2)
    half = Z95 / (trials + Z95**2) * np.sqrt(successes * (trials - successes) / trials + Z95**2 / 4)
    return [rounded(middle - half), rounded(middle + half)]


def share(values: Any) -> float:
    """Share of true values; zero where there are none."""
    return rounded(np.mean(values)) if len(values) else 0.0


def rounded(value: Any) -> float:
    """Four decimals are more than the sample carries."""
    return round(float(value), 4)
