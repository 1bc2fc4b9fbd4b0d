"""Truth and answer side by side: one pair for each knee with a grade, and one for each film with a bone label."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.evaluation.model import Outcomes
from gateway.evaluation.reading import ReadFilm
from gateway.evaluation.table import TruthRow
from shared.contracts.findings import Anatomy, ImagingFinding, Knee


@dataclass(frozen=True)
class KneePair:
    """A knee's grade by the site's first reader, and the network's."""

    row: TruthRow
    truth: int
    knee: Knee


@dataclass(frozen=True)
class BonePair:
    """Whether a film's person has osteoporosis, and how the film was read."""

    row: TruthRow
    truth: bool
    finding: ImagingFinding

    @property
    def called(self) -> bool:
        """Whether the film was called osteoporosis: the network's operating point."""
        return self.finding.label != "normal"

    @property
    def probability(self) -> float:
        """At the site's prevalence; the reading is not indeterminate."""
        assert self.finding.stand_alone is not None  # noqa: S101 -- bone_pairs leaves the others out
        return self.finding.stand_alone.probability


def knee_pairs(rows: Iterable[TruthRow], films: Mapping[str, ReadFilm]) -> tuple[list[KneePair], Outcomes]:
    """The knees that were graded, and what became of all that have a grade in the table."""
    pairs, reasons, refusals, lines = [], Counter[str](), Counter[str](), 0
    for row in rows:
        if row.kl_grade is None:
            continue
        lines += 1
        film = films[row.film]
        if film.refused:
            refusals[film.refused] += 1
        elif film.staging is None:
            reasons["no knee was read in the film"] += 1
        elif (knee := film.knee(row)) is None:
            reasons[f"no {row.side} knee was found in the film"] += 1
        else:
            pairs.append(KneePair(row, row.kl_grade, knee))
    uncertain = sum(pair.knee.quality == "uncertain" for pair in pairs)
    return pairs, _outcomes(lines, len(pairs), reasons, refusals, uncertain)


def bone_pairs(
    rows: Iterable[TruthRow], films: Mapping[str, ReadFilm]
) -> dict[Anatomy | None, tuple[list[BonePair], Outcomes]]:
    """By anatomy: the films whose bone was read, and what became of all that have a label. None: refused."""
    by_anatomy: dict[Anatomy | None, list[TruthRow]] = {}
    seen = set[str]()
    for row in rows:
        if row.osteoporosis is None or row.film in seen:
            continue
        seen.add(row.film)
        film = films[row.film]
        by_anatomy.setdefault(film.imaging.anatomy if film.imaging else None, []).append(row)
    return {anatomy: _bone_pairs(of_anatomy, films) for anatomy, of_anatomy in by_anatomy.items()}


def _bone_pairs(rows: Sequence[TruthRow], films: Mapping[str, ReadFilm]) -> tuple[list[BonePair], Outcomes]:
    pairs, reasons, refusals = [], Counter[str](), Counter[str]()
    for row in rows:
        finding = films[row.film].bone(row)
        if finding is None:
            refusals[films[row.film].refused or "nothing was read in the film"] += 1
        elif finding.indeterminate or finding.stand_alone is None:
            reasons["indeterminate"] += 1
        else:
            pairs.append(BonePair(row, bool(row.osteoporosis), finding))
    return pairs, _outcomes(len(rows), len(pairs), reasons, refusals)


def _outcomes(lines: int, answered: int, reasons: Counter[str], refusals: Counter[str], uncertain: int = 0) -> Outcomes:
    return Outcomes(
        lines=lines,
        answered=answered,
        refused=refusals.total(),
        not_answered=dict(sorted(reasons.items())),
        uncertain=uncertain,
        refusals=dict(sorted(refusals.items())),
    )


def patients_of(pairs: Sequence[KneePair] | Sequence[BonePair]) -> npt.NDArray[np.str_]:
    """The patients' codes, in the pairs' order: what intervals are bootstrapped by."""
    return np.array([pair.row.patient for pair in pairs])
