"""The network as the domain sees it: what the picture shows, which way it lies, and what the bone looks like.

Input `radiograph` (batch, 224, 224, 1), without CLAHE: the brightness of bone is what the bone readouts read. Outputs:
`anatomy` (batch, 11) probabilities in the order of `CONTENTS`; `turn` (batch, 4) probabilities that the picture was
turned by 0, 90, 180 or 270 degrees clockwise; `inverted` (batch, 1) probability that bone is dark; `bone`
(batch, 3, 2) log odds of "osteopenia or worse" and of "osteoporosis" by each site's readout; `heat` (batch, 14, 14, 3)
the evidence for osteoporosis by place, whose mean is the readout's score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from shared.inference import Scorer, Tensors
from shared.radiograph.prepare import GrayPixels, network_input

Content = Literal[
    "knee", "spine_dxa", "spine_cut_out", "spine_radiograph", "chest", "hip", "limb", "knee_implant", "not_radiograph",
    "knee_not_frontal", "knee_growing",
]  # fmt: skip
# The order of the anatomy head's outputs. Cut out on black, DXA and uncut are three looks of the same spine; only
# the first two have bone labels. The last two were learned from drawings: no data set here holds such views.
CONTENTS: tuple[Content, ...] = get_args(Content)
SPINE = slice(1, 4)
OTHER = slice(4, 11)
Site = Literal["knee", "spine_dxa", "spine_cut_out"]
# The order of the bone readouts: one for each kind of picture that has bone labels.
SITES: tuple[Site, ...] = ("knee", "spine_dxa", "spine_cut_out")
BONE_CLASSES = ("normal", "osteopenia", "osteoporosis")

ANATOMY_OUTPUT, TURN_OUTPUT, INVERTED_OUTPUT, BONE_OUTPUT = "anatomy", "turn", "inverted", "bone"
HEAT_OUTPUT, HEAT_SIZE = "heat", 14
# The anatomy by a head that no research-only picture taught, (batch, 11); only open installations need it.
OPEN_ANATOMY_OUTPUT = "anatomy_open"
# What a network has to give, without the batch.
OUTPUTS: dict[str, tuple[int, ...]] = {
    ANATOMY_OUTPUT: (len(CONTENTS),),
    TURN_OUTPUT: (4,),
    INVERTED_OUTPUT: (1,),
    BONE_OUTPUT: (len(SITES), len(BONE_CLASSES) - 1),
    HEAT_OUTPUT: (HEAT_SIZE, HEAT_SIZE, len(SITES)),
}
Heat = npt.NDArray[np.float32]


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


@dataclass(frozen=True)
class Look:
    """What the network sees in a whole picture.

    Args:
        turn: probabilities that the picture was turned clockwise by 0, 90, 180 and 270 degrees.
        inverted: probability that bone is dark.
    """

    anatomy: Anatomy
    turn: npt.NDArray[np.float64]
    inverted: float

    @property
    def distance(self) -> float:
        """How far the picture is from the knees and spines that the network knows: 0 (known) to 1 (unlike them)."""
        return self.anatomy.other


@dataclass(frozen=True)
class BoneReading:
    """Probabilities of `BONE_CLASSES`, and for each region the evidence for osteoporosis by place, (14, 14)."""

    probabilities: npt.NDArray[np.float64]
    heat: list[Heat]


def look(picture: GrayPixels, network: Scorer) -> Look:
    """Look at a whole radiograph, uint8 (height, width)."""
    outputs = network.score(inputs_of([picture]))
    return Look(
        Anatomy(outputs[ANATOMY_OUTPUT][0].astype(np.float64)),
        outputs[TURN_OUTPUT][0].astype(np.float64),
        float(outputs[INVERTED_OUTPUT][0, 0]),
    )


def read_bone(regions: Sequence[GrayPixels], site: Site, network: Scorer) -> BoneReading:
    """Read the bone of one case by the readout of its site; the mean over the regions."""
    outputs, number = network.score(inputs_of(regions)), SITES.index(site)
    odds = outputs[BONE_OUTPUT][:, number].astype(np.float64).mean(axis=0)
    return BoneReading(classes_of(odds), list(outputs[HEAT_OUTPUT][..., number]))


def classes_of(odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Log odds of "osteopenia or worse" and "osteoporosis" (..., 2) to the three classes' probabilities (..., 3)."""
    worse, worst = np.moveaxis(1 / (1 + np.exp(-odds)), -1, 0)
    return np.stack([1 - worse, worse - worst, worst], axis=-1)


def inputs_of(pictures: Sequence[GrayPixels]) -> Tensors:
    """The network's input for these pictures."""
    return {"radiograph": np.concatenate([network_input(picture, clahe=False) for picture in pictures])}
