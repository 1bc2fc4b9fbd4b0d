"""The gate: is it a readable radiograph of a knee or a spine? If not, the reason in words."""

import numpy as np

from services.imaging.network import Anatomy, Content
from shared.problems import ImageRefused
from shared.radiograph import Radiograph

SMALLEST_SIDE = 160
# Below this spread of gray levels (of 255) there is nothing to see; the flattest labelled radiograph has 37.
SMALLEST_CONTRAST = 8.0
CURE = "Send one frontal radiograph of a knee, or of the spine."

WORDS: dict[Content, str] = {
    "chest": "It looks like a chest radiograph.",
    "hip": "It looks like a radiograph of the hip or pelvis.",
    "limb": "It looks like a radiograph of another limb.",
    "knee_implant": "It looks like a knee with an implant, which hides the joint and the bone.",
    "not_radiograph": "It does not look like a radiograph.",
}


def check_readable(radiograph: Radiograph) -> None:
    """Refuse what holds too little to judge.

    Raises:
        ImageRefused: `too_small` or `blank`.
    """
    width, height = radiograph.original_size
    if min(width, height) < SMALLEST_SIDE:
        raise ImageRefused(
            f"The image is {width} x {height} pixels; its short side needs {SMALLEST_SIDE} or more. "
            "Export it at full size.",
            reason="too_small",
        )
    low, high = np.percentile(radiograph.pixels, [1, 99])
    if high - low < SMALLEST_CONTRAST:
        raise ImageRefused(
            "The image is blank or exposed beyond reading: it is one shade of gray. Repeat the export.",
            reason="blank",
        )


def check_anatomy(anatomy: Anatomy) -> None:
    """Refuse what the network takes for anything but a knee or a spine.

    Raises:
        ImageRefused: `chest`, `hip`, `limb`, `knee_implant` or `not_radiograph`.
    """
    if anatomy.other < 0.5:
        return
    content = anatomy.likeliest_other
    raise ImageRefused(f"{WORDS[content]} {CURE}", reason=content, probability=round(anatomy.other, 3))
