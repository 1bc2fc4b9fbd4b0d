"""How often a picture that lies otherwise is put right, refused or read wrongly, by the service's own rules."""

from typing import Any

import numpy as np
import numpy.typing as npt

from services.imaging.network import CONTENTS, Anatomy, Look
from services.imaging.training.cases import Case
from services.imaging.training.evaluate import Judged
from services.imaging.training.variants import Lying
from services.imaging.upright import INVERTED, clear, joined, quarters

UNCLEAR = -1
NOWHERE = Anatomy(np.zeros(len(CONTENTS)))


def orientation_figures(cases: list[Case], lying: Lying, judged: Judged) -> dict[str, Any]:
    """Shares of all knees and spines, each in all eight ways to lie, and the same by kind of picture."""
    content = np.array([CONTENTS[cases[row].content] for row in lying.case[: lying.judged : 8]])
    turned, inverted = said(judged)
    everything = np.full(len(content), True)
    kinds = {kind: shares(turned, inverted, content == kind) for kind in dict.fromkeys(content)}
    return {"all": shares(turned, inverted, everything), **kinds}


def said(judged: Judged) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """(cases, 4 turns, 2 tones): the turn that the service finds, `UNCLEAR` where it refuses; whether inverted."""
    turned = np.full(judged.inverted.shape, UNCLEAR, np.int64)
    inverted = np.full(judged.inverted.shape, False)
    for case, quarter, tone in np.ndindex(judged.inverted.shape):
        looks = [
            Look(NOWHERE, judged.turn[case, further, tone], float(judged.inverted[case, further, tone]))
            for further in ((quarter + step) % 4 for step in range(4))
        ]
        combined = looks[0] if clear(looks[0]) else joined(looks)
        quarter_turns = quarters(combined.turn)
        turned[case, quarter, tone] = UNCLEAR if quarter_turns is None else quarter_turns
        inverted[case, quarter, tone] = combined.inverted >= INVERTED
    return turned, inverted


def shares(
    turned: npt.NDArray[np.int64], inverted: npt.NDArray[np.bool_], chosen: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """One row of the table."""
    turned, inverted = turned[chosen], inverted[chosen]
    truth = np.arange(4)[np.newaxis, :, np.newaxis]
    upright, other = turned[:, 0, 0], turned[:, 1:]
    figures = {
        "turned_put_right": (other == truth[:, 1:]).mean(),
        "turned_refused": (other == UNCLEAR).mean(),
        "turned_read_wrongly": ((other != truth[:, 1:]) & (other != UNCLEAR)).mean(),
        "upright_turned": (upright > 0).mean(),
        "upright_refused": (upright == UNCLEAR).mean(),
        "inverted_recognised": inverted[..., 1].mean(),
        "taken_for_inverted": inverted[..., 0].mean(),
    }
    return {name: round(float(value), 4) for name, value in figures.items()}
