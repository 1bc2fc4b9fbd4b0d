"""The gate: is it a readable radiograph of a knee or a spine? If not, the reason in a sentence."""

import cv2
import numpy as np

from services.imaging.network import CONTENTS, Anatomy, Content
from shared.contracts.film import FilmWarning
from shared.problems import ImageRefused
from shared.radiograph import Radiograph
from shared.radiograph.prepare import GrayPixels
from shared.radiograph.tones import mean_and_spread, percentiles_of

SMALLEST_SIDE = 160
# Below this spread of gray levels (of 255) there is nothing to see; the flattest labelled radiograph has 37.
SMALLEST_CONTRAST = 8.0
# Spread of the Laplacian over that of the gray levels. The least sharp labelled picture has 0.023; three in four knee
# radiographs that were blurred by a hundredth of their long side have less than this.
LEAST_SHARPNESS = 0.020
SHARPNESS_SIDE = 512
# Share of the picture that is white: the labelled ones have at most 0.13; pages of text have more than half.
MOST_WHITE, WHITE = 0.5, 250
# Limits of `Anatomy.other`: from the first on a picture is refused, from the second on it is read but is unusual.
# docs/model-cards/imaging.md gives what they let through, of knees and spines and of pictures of other kinds.
UNKNOWN, UNUSUAL = 0.5, 0.25
# From this probability of an implant on, a knee that is read shows metal; of those without any the likest has 0.06.
METAL = 0.1
UNLIKE_KNOWN = FilmWarning(
    type="unusual_picture",
    detail="The picture is unlike most knees and spines that the network knows: weigh its reading with care.",
)
SHOWS_METAL = FilmWarning(
    type="hardware", detail="There seems to be metal at the knee, which the network has not learned to read beside."
)
CURE = "Send one frontal radiograph of a knee, or of the spine."

WORDS: dict[Content, str] = {
    "chest": "It looks like a chest radiograph.",
    "hip": "It looks like a radiograph of the hip or pelvis.",
    "limb": "It looks like a radiograph of another limb.",
    "knee_implant": "It looks like a knee with an implant, which hides the joint and the bone.",
    "not_radiograph": "It does not look like a radiograph but like a photograph, a drawing, or a page or report.",
    "knee_not_frontal": "It does not look like a frontal knee, but like a side view or a skyline view of one.",
    "knee_growing": "It looks like a knee with open growth plates; the network knows the bones of adults only.",
}


def check_readable(radiograph: Radiograph) -> None:
    """Refuse what holds too little to judge.

    Raises:
        ImageRefused: `too_small`, `blank` or `blurred`.
    """
    width, height = radiograph.original_size
    if min(width, height) < SMALLEST_SIDE:
        raise ImageRefused(
            f"The image is {width} x {height} pixels; its short side needs {SMALLEST_SIDE} or more. "
            "Export it at full size.",
            reason="too_small",
        )
    low, high = percentiles_of(radiograph.pixels, (1, 99))
    if high - low < SMALLEST_CONTRAST:
        raise ImageRefused(
            "The image is blank or exposed beyond reading: it is one shade of gray. Repeat the export.",
            reason="blank",
        )
    if sharpness(radiograph.pixels) < LEAST_SHARPNESS:
        raise ImageRefused("The image is blurred beyond use. Export it from its source at full size.", reason="blurred")


def check_not_white(radiograph: Radiograph) -> None:
    """Refuse a page or an overexposed picture; `radiograph` has bone bright, as far as it can be told.

    Raises:
        ImageRefused: `mostly_white`.
    """
    if (radiograph.pixels >= WHITE).mean() > MOST_WHITE:
        raise ImageRefused(
            "The image is mostly white: it is overexposed, or a page such as a DXA report. Send the radiograph itself.",
            reason="mostly_white",
        )


def sharpness(pixels: GrayPixels) -> float:
    """Spread of the Laplacian over that of the gray levels, at 512 pixels of the long side or fewer."""
    shrink = SHARPNESS_SIDE / max(pixels.shape)
    small = cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else pixels
    edges = cv2.Laplacian(cv2.GaussianBlur(small, (3, 3), 0).astype(np.float32), cv2.CV_32F)
    return mean_and_spread(edges)[1] / max(1.0, mean_and_spread(small)[1])


def check_anatomy(anatomy: Anatomy) -> None:
    """Refuse what the network takes for anything but a knee or a spine.

    Raises:
        ImageRefused: `chest`, `hip`, `limb`, `knee_implant`, `not_radiograph`, `knee_not_frontal` or `knee_growing`.
    """
    if anatomy.other < UNKNOWN:
        return
    content = anatomy.likeliest_other
    raise ImageRefused(f"{WORDS[content]} {CURE}", reason=content, probability=round(anatomy.other, 3))


def odd_content(anatomy: Anatomy) -> list[FilmWarning]:
    """What a reader has to know about a picture that is read though it is not quite what the network knows."""
    return [warning for odd, warning in ((is_unusual, UNLIKE_KNOWN), (shows_metal, SHOWS_METAL)) if odd(anatomy)]


def is_unusual(anatomy: Anatomy) -> bool:
    """Whether a picture that is read is so unlike the known knees and spines that its reader has to be told."""
    return UNUSUAL <= anatomy.other < UNKNOWN


def shows_metal(anatomy: Anatomy) -> bool:
    """Whether a knee that is read shows metal, such as screws or a plate. Much metal is found; a few screws seldom."""
    implant = float(anatomy.probabilities[CONTENTS.index("knee_implant")])
    return anatomy.knee > anatomy.spine and implant >= METAL
