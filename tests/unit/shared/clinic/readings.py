"""Readings made from the fields of a record, a woman of 67 unless the fields say otherwise."""

import datetime as dt
from typing import Any

from shared.clinic import Reading, readings_of
from shared.contracts.policy import ClinicPolicy
from shared.contracts.record import ClinicalRecord

TODAY = dt.date(2026, 11, 26)


def read(policy: ClinicPolicy | None = None, as_of: dt.date = TODAY, **fields: Any) -> Reading:
    """The first reading; the only one where the sex is settled."""
    record = ClinicalRecord.model_validate({"age": 67, "gender": "female", **fields})
    return readings_of(record, policy or ClinicPolicy(), as_of)[0]
