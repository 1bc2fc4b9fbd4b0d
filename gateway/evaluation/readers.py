"""Readers against each other, so that the network is seen beside how far people agree."""

from collections.abc import Sequence

import numpy as np

from gateway.evaluation.estimates import Bootstrap
from gateway.evaluation.model import ReaderAgreement
from gateway.evaluation.pairs import KneePair, patients_of
from shared.figures import Grades, quadratic_kappa


def reader_agreements(pairs: Sequence[KneePair], bootstrap: Bootstrap) -> list[ReaderAgreement]:
    """Each further reader against the first, on the knees that both and the network graded."""
    numbers = sorted({number for pair in pairs for number in pair.row.readers})
    return [_agreement(number, [pair for pair in pairs if number in pair.row.readers], bootstrap) for number in numbers]


def _agreement(number: int, pairs: Sequence[KneePair], bootstrap: Bootstrap) -> ReaderAgreement:
    patients = patients_of(pairs)
    first = np.array([pair.truth for pair in pairs], np.int64)
    other = np.array([pair.row.readers[number] for pair in pairs], np.int64)
    graded = np.array([pair.knee.stage for pair in pairs], np.int64)
    return ReaderAgreement(
        reader=number,
        knees=len(pairs),
        readers_kappa=bootstrap(quadratic_kappa, patients, first, other),
        network_kappa=bootstrap(quadratic_kappa, patients, first, graded),
        difference=bootstrap(_difference, patients, first, other, graded),
        network_with_this_reader=bootstrap(quadratic_kappa, patients, other, graded),
    )


def _difference(first: Grades, other: Grades, graded: Grades) -> float:
    return quadratic_kappa(first, graded) - quadratic_kappa(first, other)
