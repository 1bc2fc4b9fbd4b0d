"""Which way a picture lies. What is unclear is refused, never read the wrong way round.

A picture that is clearly upright is looked at once. Any other is looked at in all four turns: the network then judges
it four times, and what each look says of the picture as it was sent is joined. The limits were chosen on out-of-fold
answers (docs/model-cards/imaging.md gives the results).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.imaging.gate import check_anatomy
from services.imaging.network import Look, look
from shared.contracts.findings import Degrees
from shared.inference import Scorer
from shared.problems import ImageRefused
from shared.radiograph.prepare import GrayPixels
from shared.radiograph.upright import Correction

DEGREES: tuple[Degrees, ...] = (0, 90, 180, 270)
# From this probability on one look is enough to take a picture for upright, if its tone is clear too.
CLEAR = 0.8
# From this joint probability on a picture is taken for turned.
SURE = 0.95
# With less than this joint probability of lying upright, and no turn that is sure, it is refused.
DOUBT = 0.15
# From this probability on a picture is taken for inverted.
INVERTED = 0.8
# Four looks at one picture are not four pictures: they count as two.
WORTH = 2.0
LEAST = 1e-9


def judged(pixels: GrayPixels, first: Look, network: Scorer) -> Look:
    """The first look where it is clear, else what looks at all four turns say together."""
    if clear(first):
        return first
    turned = [look(np.ascontiguousarray(np.rot90(pixels, -quarter)), network) for quarter in (1, 2, 3)]
    return joined([first, *turned])


def clear(seen: Look) -> bool:
    """Whether one look is enough: the picture is upright, and its tones one way or the other."""
    return bool(seen.turn[0] >= CLEAR) and not 1 - INVERTED < seen.inverted < INVERTED


def joined(looks: Sequence[Look]) -> Look:
    """What the looks at a picture turned by 0, 90, 180 and 270 degrees more say of the picture itself."""
    turn = joined_turn(np.stack([look.turn for look in looks]))
    inverted = joined_tone(np.array([look.inverted for look in looks]))
    return Look(looks[0].anatomy, turn, float(inverted))


def joined_turn(turns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(4 looks, 4 probabilities) of the picture turned further and further, to (4,) of the picture itself."""
    back = np.stack([np.roll(turned, -quarter) for quarter, turned in enumerate(np.log(turns + LEAST))])
    weights = np.exp(WORTH * (back.mean(axis=0) - back.mean(axis=0).max()))
    return np.asarray(weights / weights.sum())


def joined_tone(inverted: npt.NDArray[np.float64]) -> float:
    """Four probabilities of being inverted as one, by their mean log odds."""
    odds = np.log((inverted + LEAST) / (1 - inverted + LEAST)).mean()
    return float(1 / (1 + np.exp(-odds)))


def quarters(turn: npt.NDArray[np.float64]) -> int | None:
    """Clockwise quarter turns of a picture by its probabilities (4,); None where they are unclear."""
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
    return Correction(DEGREES[turned], seen.inverted >= INVERTED)
