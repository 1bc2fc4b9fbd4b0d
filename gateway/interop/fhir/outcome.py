"""A problem as an OperationOutcome, which is how everything that goes wrong below `/fhir` is told."""

from collections.abc import Mapping
from typing import Any

from gateway.interop.fhir.resource import Resource, compact

PROBLEM_SYSTEM = "urn:trabecula:problem"
# By status. What is not listed is `invalid` below 500 and `exception` from there on.
CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    408: "timeout",
    409: "conflict",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
    503: "transient",
}


def issue_code(status: int) -> str:
    """The IssueType of an HTTP status."""
    return CODES.get(status, "exception" if status >= 500 else "invalid")


def from_problem(problem: Mapping[str, Any]) -> Resource:
    """The OperationOutcome of a problem document (RFC 9457); one issue a field where it lists several."""
    code = issue_code(int(problem["status"]))
    slug = str(problem["type"]).removeprefix(f"{PROBLEM_SYSTEM}:")
    details = {"coding": [{"system": PROBLEM_SYSTEM, "code": slug}], "text": problem["title"]}
    errors = problem.get("errors") or [{"message": problem["detail"], "field": problem.get("field")}]
    return outcome(
        [
            {
                "severity": "error",
                "code": code,
                "details": details,
                "diagnostics": error["message"] if not error.get("field") else f"{error['field']}: {error['message']}",
            }
            for error in errors
        ]
    )


def ignored(lines: list[str]) -> Resource | None:
    """What of a request was not heeded, as warnings; null where all of it was."""
    if not lines:
        return None
    return outcome([{"severity": "warning", "code": "not-supported", "diagnostics": line} for line in lines])


def outcome(issues: list[Resource]) -> Resource:
    """An OperationOutcome of these issues."""
    return compact({"resourceType": "OperationOutcome", "issue": issues})
