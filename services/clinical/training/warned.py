"""How many of the survey's own people would be warned of a value that looks like a slip; at most 1% is the aim."""

import datetime as dt
from typing import Any

import numpy as np

from services.clinical.training.companions import SEXES
from services.clinical.training.nhanes import Cohort
from services.clinical.training.selection import WORDS, members
from services.clinical.training.survey import Chosen, share
from shared.clinic import readings_of
from shared.clinic.plausibility import implausible
from shared.contracts.findings import RecordWarningType
from shared.contracts.policy import ClinicPolicy
from shared.contracts.record import ClinicalRecord

# A day with a scan of its own, so that no score is without a date.
DAY = dt.date(2014, 12, 31)
SLIPS: frozenset[RecordWarningType] = frozenset(
    {"implausible_value", "sign_slip", "degenerative_change", "wrong_unit", "contradiction"}
)


def warned_shares(people: Cohort) -> dict[str, Any]:
    """The share warned of at least one slip: of everybody, by sex, and by sex and ethnicity."""
    warned = np.array([_slips(people, row) for row in range(len(people))])
    everybody = np.ones(len(people), dtype=bool)
    groups: dict[str, Chosen] = {"everybody": everybody}
    groups |= {WORDS[sex]: members(people, sex) for sex in SEXES}
    groups |= {
        f"{name} {WORDS[sex]}": members(people, sex) & (people.ethnicity == name)
        for sex in SEXES
        for name in np.unique(people.ethnicity)
    }
    return {name: _group(people, rows, warned) for name, rows in groups.items()}


def _group(people: Cohort, rows: Chosen, warned: Chosen) -> dict[str, Any]:
    warned_share = share(people, rows, warned)
    return {
        "people": int(rows.sum()),
        "warned": [warned_share.value, warned_share.low, warned_share.high] if warned_share else None,
    }


def _slips(people: Cohort, row: int) -> bool:
    """Whether age, sex, weight, height and T-scores of one person give such a warning."""
    record: dict[str, Any] = {
        "age": float(people.columns["age"][row]),
        "gender": "female" if people.columns["female"][row] else "male",
        "t_scores": [
            {"site": site, "value": round(float(scores[row]), 1), "date": DAY}
            for site, scores in people.t_scores.items()
            if not np.isnan(scores[row])
        ],
    }
    for name in ("weight_kg", "height_cm"):
        if not np.isnan(value := people.columns[name][row]):
            record[name] = float(value)
    reading = readings_of(ClinicalRecord.model_validate(record), ClinicPolicy(), DAY)[0]
    return any(warning.type in SLIPS for warning in implausible(reading))
