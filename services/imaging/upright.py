"""Which way a picture lies. What is unclear is refused, never read the wrong way round."""

import numpy as np
import numpy.typing as npt

from services.imaging.gate import check_anatomy
from services.imaging.network import Look
from shared.contracts.findings import Degrees
from shared.problems import ImageRefused
from shared.radiograph.upright import Correction

DEGREES: tuple[Degrees, ...] = (0, 90, 180, 270)
# From this probability on a picture is taken for turned or inverted.
SURE = 0.8
# With less than this probability of lying upright, and no turn that is sure, it is refused.
DOUBT = 0.1


def quarters(turn: npt.NDArray[np.float64]) -> int | None:
    """Clockwise quarter turns of a picture by the network's probabilities (4,); None where they are unclear."""
    likeliest = int(turn.argmax())
    if turn[likeliest] >= SURE:
        return likeliest
    return 0 if turn[0] >= DOUBT else None


def correction(seen: Look) -> Correction:
    """What has to be done to a picture for it to lie the right way.

    Raises:
        ImageRefused: `orientation`: it lies neither clearly upright nor clearly turned; or, where it is no knee or
            spine anyway, the gate's reason.
    """
    turned = quarters(seen.turn)
    if turned is None:
        check_anatomy(seen.anatomy)
        raise ImageRefused(
            "The picture seems to lie on its side or upside down. Turn it upright and send it again.",
            reason="orientation",
        )
    return Correction(DEGREES[turned], seen.inverted >= SURE)
