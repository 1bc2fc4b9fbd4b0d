"""What a radiograph adds to the record of the same patient: one likelihood ratio that is served, the rest reported.

Age is confounded with the label in `knee_bone`: its group means are 35, 51 and 62 years. What the record gains there
may be what the collection put into it, so no model of both is served. The likelihood ratio asks only what the reading
says of patients whose record says the same.
"""

from pathlib import Path
from typing import Any

import numpy as np

from services.imaging.training.cases import Case
from services.imaging.training.patients import FOLDS, OSTEOPOROSIS, Numbers, Patients, read_records
from shared.contracts.findings import LikelihoodRatio
from shared.training.evaluate import auc

TABLE = "knee_bone"
RECORDS = "knee_bone_patients.csv"
LIMIT = "Within knees the AUC of osteoporosis against the rest hangs on how the patients fall into folds:"
GIVEN = "Given age, weight and sex,"
SCREENED_FROM = 50


def with_record(data: Path, cases: list[Case], splits: Numbers, seed: int) -> dict[str, Any] | None:
    """The figures for the card; None without the patients' table.

    `knees_with_the_record` has the AUC of osteoporosis against the rest for radiograph, age, record and both, and the
    likelihood ratio of each reading; `likelihood_ratio_given_record` has the one that is served.

    Args:
        data: the data folder.
        splits: (splits, cases, 3) calibrated probabilities of the radiograph, out of fold: a hundred and fifty
            patients fall into folds luckily or not, so no figure rests on one split.
    """
    rows = np.array([row for row, case in enumerate(cases) if case.table == TABLE], int)
    if not (data / RECORDS).exists() or len(rows) == 0:
        return None
    records = read_records(data / RECORDS).reindex([Path(cases[row].file).stem for row in rows])
    known = records.notna().all(axis=1).to_numpy()
    rows, records = rows[known], records[known]
    truth = np.array([cases[row].bone == OSTEOPOROSIS for row in rows])
    if len(rows) == 0 or min(truth.sum(), (~truth).sum()) < FOLDS:
        return None
    people = Patients(records, truth, np.array([cases[row].group for row in rows]), splits[:, rows], seed)
    old = people.age >= SCREENED_FROM
    joined = {
        **people.figures(np.full(len(truth), True)),
        "auc_radiograph_alone_by_split": [round(auc(truth, split[:, OSTEOPOROSIS]), 4) for split in people.bone],
        "of_50_and_over": people.figures(old) if 0 < truth[old].sum() < old.sum() else {},
        "how": f"the radiographs' readouts in {len(splits)} splits into folds by patient: median of the figure, and of "
        "both ends of its interval",
        "use": "of the models none: age is confounded with the label here, so the gain cannot be told from how the "
        "set was collected",
    }
    return {"knees_with_the_record": joined} | _served(joined)


def limits_of(figures: dict[str, Any]) -> list[str]:
    """What a reader of the card has to know, from the figures of `with_record`."""
    knees = figures["knees_with_the_record"]
    split, ratio = knees["auc_radiograph_alone_by_split"], knees["likelihood_ratio_of_readings_given_the_record"]
    words = (
        f"{LIMIT} {min(split):.2f} to {max(split):.2f} over {len(split)} splits, mean {np.mean(split):.2f}; the "
        f"figures within knees come from one split ({split[0]:.2f})."
    )
    likelihood_ratio = ratio["possible_low_bone_density"]
    if likelihood_ratio is None:
        return [words]
    shown = likelihood_ratio["low"] > 1 or likelihood_ratio["high"] < 1
    return [
        words,
        f"{GIVEN} a knee read as possible low bone density multiplies the odds by {likelihood_ratio['value']:.2f} "
        f"({likelihood_ratio['low']:.2f} to {likelihood_ratio['high']:.2f}): "
        + ("the interval leaves 1 out." if shown else "it is not shown to add anything to the record."),
    ]


def _served(joined: dict[str, Any]) -> dict[str, Any]:
    """The likelihood ratio of "possible low bone density", as the service attaches it; nothing where there is none."""
    likelihood_ratio = joined["likelihood_ratio_of_readings_given_the_record"]["possible_low_bone_density"]
    if likelihood_ratio is None:
        return {}
    ratio = LikelihoodRatio(
        **{name: round(value, 2) for name, value in likelihood_ratio.items()},
        patients=joined["patients"],
        basis=f"{joined['patients']} patients of one collection, {joined['with_osteoporosis']} with osteoporosis by "
        "ultrasound of the knee, not DXA; given age, weight and sex; cross-validated, 95% interval by profile "
        "likelihood",
    )
    return {"likelihood_ratio_given_record": {"knee": ratio.model_dump()}}
