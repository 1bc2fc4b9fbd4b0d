"""Which way a picture lies. What is unclear is refused, never read the wrong way round.

A picture that is clearly upright is looked at once. Any other is looked at in all four turns: the network then judges
it four times, and what each look says of the picture as it was sent is joined. The limits were chosen on out-of-fold
answers (docs/model-cards/imaging.md gives the results).
"""

from collections.abc import Sequence
from dataclasses import replace

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
# Of 255. A scanned print has a frame of paper around the film, which is brighter than bone whatever the film's tones.
WHITE = 250
# The width of such a frame at most, of the picture's longer side.
FRAME = 0.06
# From this probability on the inside of a white frame agrees that a picture is inverted.
INSIDE = 0.5
# Four looks at one picture are not four pictures: they count as two.
WORTH = 2.0
LEAST = 1e-9


def judged(pixels: GrayPixels, first: Look, network: Scorer) -> Look:
    """The first look where it is clear, else what looks at all four turns say together.

    A picture in a white frame is inverted only where what lies inside the frame agrees.
    """
    seen = (
        first if clear(first) else joined([first, *(look(turned(pixels, quarter), network) for quarter in (1, 2, 3))])
    )
    if seen.inverted < INVERTED or (inside := within_white_frame(pixels)) is None:
        return seen
    return seen if look(inside, network).inverted >= INSIDE else replace(seen, inverted=0.0)


def turned(pixels: GrayPixels, quarter: int) -> GrayPixels:
    """The picture turned clockwise by so many quarters."""
    return np.ascontiguousarray(np.rot90(pixels, -quarter))


def within_white_frame(pixels: GrayPixels) -> GrayPixels | None:
    """The picture without the white frame that it has on all four sides; None where it has none, or is nothing else.

    No more than `FRAME` of a side is taken away: the rest may be the background of a film that is inverted.
    """
    dark = pixels < WHITE
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    if not rows.size:
        return None
    height, width = pixels.shape
    edges = np.array([rows[0], height - 1 - rows[-1], columns[0], width - 1 - columns[-1]])
    if not edges.all():
        return None
    top, bottom, left, right = np.minimum(edges, round(FRAME * max(height, width)))
    return np.ascontiguousarray(pixels[top : height - bottom, left : width - right])


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
    clockwise = quarters(seen.turn)
    if clockwise is None:
        check_anatomy(seen.anatomy)
        raise ImageRefused(
            "The picture seems to lie on its side or upside down. Turn it upright and send it again.",
            reason="orientation",
        )
    return Correction(DEGREES[clockwise], seen.inverted >= INVERTED)
