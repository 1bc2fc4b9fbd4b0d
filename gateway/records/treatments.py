"""Since when a patient's records name a medicine for bones."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.records.encrypted import StoredAssessment
from shared.clinic.drug_names import bone_drug_named
from shared.contracts.risk import RiskRequest


@dataclass(frozen=True)
class Treatment:
    """A medicine for bones, and the day of the first record that names it: it may have begun before."""

    name: str
    recorded_on: dt.date


def treatments(assessments: Sequence[StoredAssessment]) -> list[Treatment]:
    """Each medicine once, oldest first.

    Args:
        assessments: of one person, oldest first; those that were withdrawn count for nothing.
    """
    found: dict[str, Treatment] = {}
    for stored in assessments:
        if stored.assessment.is_withdrawn or not isinstance(stored.risk, RiskRequest):
            continue
        for name in stored.risk.record.medications or []:
            if bone_drug_named(name) or name == "hormone_therapy":
                found.setdefault(name, Treatment(name, stored.assessment.created_at.date()))
    return list(found.values())
