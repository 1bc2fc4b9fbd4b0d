"""The groups of people that a table names: by sex, by age, by device."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from gateway.evaluation.model import Estimate, Subgroup
from gateway.evaluation.table import SUBGROUPS, TruthRow

Chosen = npt.NDArray[np.bool_]
# Fewer patients say nothing, and could be known again.
FEWEST_PATIENTS = 10
AGES = ((0, 50, "under 50"), (50, 65, "50 to 64"), (65, 75, "65 to 74"), (75, 200, "75 and over"))


def subgroups(rows: Sequence[TruthRow], figures_of: Callable[[Chosen], dict[str, Estimate]]) -> list[Subgroup]:
    """Figures within each group of enough patients.

    Args:
        figures_of: the figures of the rows for which the mask, as long as `rows`, is true.
    """
    found = []
    for column in SUBGROUPS:
        names = np.array([group_of(row, column) or "" for row in rows])
        for name in sorted(set(names) - {""}):
            chosen = names == name
            patients = {row.patient for row, one in zip(rows, chosen, strict=True) if one}
            if len(patients) >= FEWEST_PATIENTS and not chosen.all():
                figures = figures_of(chosen)
                found.append(Subgroup(column=column, group=str(name), people=int(chosen.sum()), figures=figures))
    return found


def group_of(row: TruthRow, column: str) -> str | None:
    """A row's group in one column; ages in bands."""
    if column != "age":
        return {"sex": row.sex, "device": row.device}[column]
    if row.age is None:
        return None
    age = row.age
    return next(name for low, high, name in AGES if low <= age < high)
