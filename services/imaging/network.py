"""The two-headed network as the domain sees it: what the picture shows, and what the bone looks like."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from shared.inference import Scorer
from shared.radiograph.prepare import GrayPixels, network_input

Content = Literal[
    "knee", "spine_dxa", "spine_cut_out", "spine_radiograph", "chest", "hip", "limb", "knee_implant", "not_radiograph"
]  # fmt: skip
# The order of the anatomy head's outputs. Cut out on black, DXA and uncut are three looks of the same spine; only
# the first two have bone labels.
CONTENTS: tuple[Content, ...] = (
    "knee", "spine_dxa", "spine_cut_out", "spine_radiograph", "chest", "hip", "limb", "knee_implant", "not_radiograph",
)  # fmt: skip
SPINE = slice(1, 4)
OTHER = slice(4, 9)
# The order of the bone head's outputs.
BONE_CLASSES = ("normal", "osteopenia", "osteoporosis")

ANATOMY_OUTPUT, BONE_OUTPUT = "anatomy", "bone"


@dataclass(frozen=True)
class Anatomy:
    """Probabilities of the anatomy head, in the order of `CONTENTS`."""

    probabilities: npt.NDArray[np.float64]

    @property
    def knee(self) -> float:
        return float(self.probabilities[0])

    @property
    def spine(self) -> float:
        return float(self.probabilities[SPINE].sum())

    @property
    def other(self) -> float:
        return float(self.probabilities[OTHER].sum())

    @property
    def likeliest_other(self) -> Content:
        return CONTENTS[OTHER.start + int(self.probabilities[OTHER].argmax())]

    @property
    def likeliest_spine(self) -> Content:
        return CONTENTS[SPINE.start + int(self.probabilities[SPINE].argmax())]


def look(pictures: Sequence[GrayPixels], network: Scorer) -> tuple[Anatomy, npt.NDArray[np.float64]]:
    """One pass over the pictures of one case.

    Args:
        pictures: gray pixels, uint8 (height, width): the whole radiograph first, then its joints, if any.

    Returns:
        the anatomy of the first picture, and the bone probabilities (pictures, 3).
    """
    inputs = np.concatenate([network_input(picture) for picture in pictures])
    outputs = network.score({"radiograph": inputs})
    return Anatomy(outputs[ANATOMY_OUTPUT][0].astype(np.float64)), outputs[BONE_OUTPUT].astype(np.float64)
