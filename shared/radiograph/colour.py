"""Colour of decoded pixels: gray by luma, how coloured a picture is, and the even cast of a photographed film."""

import cv2
import numpy as np

from shared.contracts.film import FilmWarning
from shared.radiograph.tones import Pixels

# Mean difference of the strongest and the weakest colour channel, in gray levels. Stored radiographs have 0, tinted
# screenshots of radiographs up to about 4; of photographs nineteen in twenty have more.
COLOUR_THRESHOLD = 8.0
# A light box, a lamp or the blue base of a film weakens a channel by up to a half; more is the colour of a thing.
WEAKEST_CHANNEL = 0.5
PHOTOGRAPHED = FilmWarning(
    type="photographed_film",
    detail="The picture has an even colour cast, as a photograph of a film or of a screen has: reflections and a "
    "slanted view may hide or distort bone. Send the digital original.",
)


def gray(pixels: Pixels) -> Pixels:
    """(height, width) as it is; uint8 or uint16 (height, width, 3) by the luma weights of ITU-R BT.601."""
    if pixels.ndim == 2:
        return pixels
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY))


def judged_colour(pixels: Pixels) -> tuple[bool, tuple[FilmWarning, ...]]:
    """Whether colour varies over the picture, and a warning where it had an even cast only.

    Light of one colour weakens each channel by one factor everywhere. With these factors divided out a photographed
    film is gray, and a photograph of anything else is not. Every fourth pixel is enough to see it.
    """
    if pixels.ndim == 2:
        return False, ()
    levels = pixels[::4, ::4].astype(np.float32) / (257.0 if pixels.dtype == np.uint16 else 1.0)
    if colour_of(levels) <= COLOUR_THRESHOLD:
        return False, ()
    strengths = np.array(cv2.mean(levels)[:3])
    if strengths.min() < WEAKEST_CHANNEL * strengths.max():
        return True, ()
    if colour_of(levels * (strengths.mean() / strengths)) > COLOUR_THRESHOLD:
        return True, ()
    return False, (PHOTOGRAPHED,)


def colour_of(pixels: Pixels) -> float:
    """Mean difference of the strongest and the weakest channel of (height, width, 3)."""
    red, green, blue = cv2.split(np.ascontiguousarray(pixels))  # NumPy takes ten times as long along a short axis
    strongest, weakest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return float(cv2.mean(cv2.subtract(strongest, weakest))[0])
