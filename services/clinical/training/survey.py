"""Shares of people with survey weights, and intervals that know how the survey was drawn.

Intervals are Korn and Graubard's (1998, Survey Methodology 24:193), which NCHS asks for: Clopper and Pearson's, for as
many people as a simple random sample would need to be as precise as these strata and clusters are.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, t

from services.clinical.parameters import Accuracy, Share
from services.clinical.training.nhanes import Cohort

Chosen = NDArray[np.bool_]
BOTH_TAILS = 0.025


def share(people: Cohort, among: Chosen, positive: Chosen) -> Share | None:
    """The weighted share of the positive among some of the people; None where there is nobody.

    Args:
        people: all people of the cycles, so that every cluster is known even where nobody of it is chosen.
    """
    if not among.any():
        return None
    weight = people.weight * among
    value = float((weight * positive).sum() / weight.sum())
    size = float(among.sum())
    freedom, variance = _design(people, weight * (positive - value) / weight.sum())
    if variance > 0:
        size = min(size, value * (1 - value) / variance)
        size *= (t.ppf(BOTH_TAILS, among.sum() - 1) / t.ppf(BOTH_TAILS, freedom)) ** 2 if among.sum() > 1 else 1
    else:  # nobody or everybody: only the weights show how precise it is
        size = float(weight.sum() ** 2 / (weight**2).sum())
    hits = value * size
    low = 0.0 if value == 0 else float(beta.ppf(BOTH_TAILS, hits, size - hits + 1))
    high = 1.0 if value == 1 else float(beta.ppf(1 - BOTH_TAILS, hits + 1, size - hits))
    return Share(value=round(value, 4), low=round(low, 4), high=round(high, 4))


def _design(people: Cohort, parts: NDArray[np.float64]) -> tuple[int, float]:
    """Degrees of freedom and variance of a sum, from how it varies between the clusters of a stratum."""
    clusters, place = np.unique(np.column_stack([people.stratum, people.cluster]), axis=0, return_inverse=True)
    totals = np.bincount(place.ravel(), parts, len(clusters))
    variance = 0.0
    strata = np.unique(clusters[:, 0])
    for stratum in strata:
        of_stratum = totals[clusters[:, 0] == stratum]
        if len(of_stratum) > 1:
            variance += len(of_stratum) * float(np.var(of_stratum, ddof=1))
    return max(1, len(clusters) - len(strata)), variance


def accuracy(people: Cohort, among: Chosen, positive: Chosen) -> Accuracy | None:
    """Sensitivity and specificity for osteoporosis of an answer; None without cases or without others."""
    case = people.osteoporosis == 1
    sensitivity, specificity = share(people, among & case, positive), share(people, among & ~case, ~positive)
    if sensitivity is None or specificity is None:
        return None
    return Accuracy(sensitivity=sensitivity, specificity=specificity)
