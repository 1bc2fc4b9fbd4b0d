"""Scopes of SMART App Launch 2 (`system/Observation.rs`), and what each stands for here: one table.

A token can do what its scopes stand for here, and no more than its key. The scopes here are wider than SMART's: who may
read one type of resource of an assessment may read the whole assessment.
"""

from collections.abc import Mapping

from gateway.platform.identity.scopes import SCOPES, Scope
from shared.problems import InvalidInput

READ: Scope = "assessments:read"
WRITE: Scope = "assessments:write"
SEARCHED = ("DiagnosticReport", "Observation", "RiskAssessment")
READ_BY_ID = ("CarePlan", "DetectedIssue", "ImagingStudy", "Patient", "Provenance", "ServiceRequest")


class UnknownScope(InvalidInput):
    """A scope that is not known here, or none."""


def _table() -> dict[str, Scope]:
    reading: dict[str, Scope] = {f"system/{kind}.{rights}": READ for kind in SEARCHED for rights in ("rs", "r", "s")}
    reading |= {f"system/{kind}.r": READ for kind in READ_BY_ID}
    # What `$assess` takes above all; SMART has no scope for an operation.
    return {**reading, "system/Observation.c": WRITE}


SMART_SCOPES: Mapping[str, Scope] = _table()


def read_smart_scopes(text: str) -> dict[str, Scope]:
    """The scopes that a text asks for, separated by spaces, each with what it stands for here.

    Args:
        text: of SMART's scopes, or of ours by their own names.

    Raises:
        UnknownScope: one is not in the table, or there is none.
    """
    known: dict[str, Scope] = {**SMART_SCOPES, **{scope: scope for scope in SCOPES}}
    asked = text.split()
    if not asked:
        raise UnknownScope("scope: needed, such as system/DiagnosticReport.rs.", field="scope")
    if unknown := [scope for scope in asked if scope not in known]:
        raise UnknownScope(
            f"There is no scope {unknown[0][:60]} here; /fhir/.well-known/smart-configuration lists them.",
            field="scope",
        )
    return {scope: known[scope] for scope in asked}
