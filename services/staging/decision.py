"""From the probabilities of the five grades to the grade that is stated."""

import numpy as np
import numpy.typing as npt


def median_grade(probabilities: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """The median of each distribution: the lowest grade that, with those below it, has half of the probability.

    Of all grades it has the least expected distance to the reader's; docs/model-cards/staging.md compares it with the
    likeliest grade.

    Args:
        probabilities: (..., 5).
    """
    return np.asarray((probabilities.cumsum(axis=-1) < 0.5 * probabilities.sum(axis=-1, keepdims=True)).sum(axis=-1))
