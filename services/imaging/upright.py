"""Putting a picture the right way: bone bright, head up. What is unclear is refused, never read the wrong way round."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from services.imaging.network import Look
from shared.problems import ImageRefused
from shared.radiograph import Radiograph

Degrees = Literal[0, 90, 180, 270]
DEGREES: tuple[Degrees, ...] = (0, 90, 180, 270)
# From this probability on a picture is taken for turned or inverted; the other way round it needs as much.
SURE = 0.8


@dataclass(frozen=True)
class Correction:
    """What was done to a picture: turned back by so many degrees counter-clockwise, its tones inverted."""

    turned_degrees: Degrees = 0
    inverted: bool = False


def correction(seen: Look) -> Correction:
    """What has to be done to a picture for it to lie the right way.

    Raises:
        ImageRefused: `orientation`: it lies neither clearly upright nor clearly turned.
    """
    likeliest = int(seen.turn.argmax())
    if likeliest and seen.turn[likeliest] < SURE:
        raise ImageRefused(
            "The picture seems to lie on its side or upside down. Turn it upright and send it again.",
            reason="orientation",
        )
    return Correction(DEGREES[likeliest], seen.inverted >= SURE)


def corrected(radiograph: Radiograph, what: Correction) -> Radiograph:
    """The radiograph with the correction made; the same one where there is nothing to correct."""
    if what == Correction():
        return radiograph
    pixels = 255 - radiograph.pixels if what.inverted else radiograph.pixels
    quarters = what.turned_degrees // 90
    spacing = radiograph.pixel_spacing_mm
    width, height = radiograph.original_size
    sideways = quarters % 2 == 1
    return replace(
        radiograph,
        pixels=np.ascontiguousarray(np.rot90(pixels, quarters)),
        original_size=(height, width) if sideways else (width, height),
        pixel_spacing_mm=(spacing[1], spacing[0]) if spacing and sideways else spacing,
    )
