"""One assessment of files, without a server and without a database."""

import secrets
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway.assessing.case import Case, read_record_json
from gateway.assessing.self_check import lines
from gateway.assessing.workflow import Workflow
from gateway.embedded import in_process, rules_explanation
from gateway.platform.clock import now
from gateway.platform.database.ids import uuid7
from shared.contracts.assessment import Assessment
from shared.contracts.policy import ClinicPolicy
from shared.contracts.recommendation import RecommendationRequest
from shared.logs import configure_logging
from shared.problem_responses import describe_errors, joined
from shared.problems import InvalidInput, MissingInput


async def assess_files(
    image: Path | None, clinical: Path | None, model: str, policy: ClinicPolicy
) -> tuple[Assessment, list[str]]:
    """Assess a radiograph's file, a record's file, or both; the assessment, and it in a few lines.

    Raises:
        TrabeculaError: a file cannot be read, or is refused.
    """
    configure_logging("WARNING")
    if image is None and clinical is None:
        raise MissingInput("Name a radiograph, a clinical record (--clinical FILE), or both.")
    risk = read_record_json(_read(clinical).decode(errors="replace"), model) if clinical else None
    case = Case(_read(image) if image else None, risk, None)
    async with in_process(secrets.token_urlsafe(48))() as services:
        findings = await Workflow(services, 1, policy=policy).assess(case)
    return findings.assessment(uuid7(), now(), None), lines(findings)


def explain_file(case: Path, policy: ClinicPolicy) -> list[Any]:
    """Why each rule did or did not fire for the case in a JSON file, by the site's policy where it names none.

    Raises:
        InvalidInput: the file cannot be read, or is not a recommendation request.
    """
    try:
        request = RecommendationRequest.model_validate_json(_read(case))
    except ValidationError as error:
        named = [{**part, "field": part["field"] or str(case)} for part in describe_errors(error.errors())]
        raise InvalidInput(joined(named)) from error
    if "policy" not in request.model_fields_set:
        request = request.model_copy(update={"policy": policy})
    return rules_explanation(request)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error
