"""Which way a picture lies. What is unclear is refused, never read the wrong way round."""

from services.imaging.gate import check_anatomy
from services.imaging.network import Look
from shared.contracts.findings import Degrees
from shared.problems import ImageRefused
from shared.radiograph.upright import Correction

DEGREES: tuple[Degrees, ...] = (0, 90, 180, 270)
# From this probability on a picture is taken for turned or inverted; the other way round it needs as much.
SURE = 0.8


def correction(seen: Look) -> Correction:
    """What has to be done to a picture for it to lie the right way.

    Raises:
        ImageRefused: `orientation`: it lies neither clearly upright nor clearly turned; or, where it is no knee or
            spine anyway, the gate's reason.
    """
    likeliest = int(seen.turn.argmax())
    if likeliest and seen.turn[likeliest] < SURE:
        check_anatomy(seen.anatomy)
        raise ImageRefused(
            "The picture seems to lie on its side or upside down. Turn it upright and send it again.",
            reason="orientation",
        )
    return Correction(DEGREES[likeliest], seen.inverted >= SURE)
