"""How much a reading multiplies the odds that something else already gives, and the median of it over splits."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, log_expit

from shared.training.evaluate import Interval

# How far the log likelihood falls from its top to the ends of a 95 % interval: half the chi-square quantile.
FALL = 1.9207
FARTHEST = 15.0


def likelihood_ratio(truth: npt.NDArray[np.bool_], record: npt.NDArray[np.float64]) -> Interval | None:
    """How much a reading multiplies the record's odds, with its 95% interval; None where all or none are ill.

    Logistic regression with the record's log odds as offset and the reading as the only term: nothing but the patients
    read so enters. The interval is where the likelihood is not significantly lower than at its top.

    Args:
        truth: who of the patients read so has osteoporosis.
        record: their log odds by the record, out of fold.
    """
    if truth.all() or not truth.any():
        return None
    signs = 2.0 * truth - 1

    def likelihood(coefficient: float) -> float:
        return float(log_expit(signs * (record + coefficient)).sum())

    best = brentq(lambda coefficient: (truth - expit(record + coefficient)).sum(), -FARTHEST, FARTHEST)

    def beyond(coefficient: float) -> float:
        return likelihood(best) - likelihood(coefficient) - FALL

    ends = brentq(beyond, best - FARTHEST, best), brentq(beyond, best, best + FARTHEST)
    value, low, high = (round(float(np.exp(coefficient)), 4) for coefficient in (best, *ends))
    return {"value": value, "low": low, "high": high}


def median(figures: Sequence[Interval | None]) -> Interval | None:
    """The median over the splits of a figure and of both ends of its interval; None where a split has none."""
    if any(figure is None or figure["value"] is None for figure in figures):
        return None
    return {
        name: round(float(np.median([figure[name] for figure in figures if figure])), 3)
        for name in ("value", "low", "high")
    }
