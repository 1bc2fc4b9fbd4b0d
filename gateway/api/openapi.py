"""The OpenAPI document: what the framework says of the routes, and what it cannot know."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from gateway.api.batch_form import Manifest
from gateway.api.fhir_errors import outcomes_for_problems
from shared.contracts.record import ClinicalRecord
from shared.contracts.risk import LifestyleRecord
from shared.problem_responses import (
    body_problems,
    limit_problems,
    only_problems,
    parameter_problems,
    with_nulls,
)

SCHEMAS = "#/components/schemas/{model}"
METHODS = frozenset({"get", "post", "put", "patch", "delete"})
# Of the framework, for errors that are problem documents here.
UNUSED = ("HTTPValidationError", "ValidationError")
CONTACT = {"name": "The operator of this installation"}
TAGS = {
    "health": "Whether the installation, and each part of it, works.",
    "tokens": "Access tokens of people and hospital systems (OAuth 2.0).",
    "accounts": "People's accounts and invitations.",
    "sessions": "Where people are signed in.",
    "keys": "Keys of hospital systems.",
    "assessments": "The main job: a radiograph and a record in, an assessment out.",
    "drift": "Whether cases change from what they were at the beginning.",
    "recall": "Which patients were read by a version of a model.",
    "feedback": "What clinicians and DXA said later, and how often the software was right.",
    "batches": "Many cases as one job.",
    "patients": "Patients over the years, with their alerts.",
    "events": "What happened: a feed, and webhooks.",
    "routing": "Films that archives and devices send, and results on their way back.",
    "fhir": "The same results as FHIR R4 resources.",
    "cds": "Cards within a record system (CDS Hooks).",
    "models": "The cards of the models and rules.",
    "audit": "Who did what.",
    "problems": "What can go wrong, why, and what to do about it.",
}


def describe(app: FastAPI, public_url: str | None = None) -> dict[str, Any]:
    """The document. A form's JSON parts have their schemas, and everything that can be answered is named.

    Args:
        public_url: where the installation is reached; null for the address that the document came from.
    """
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        license_info=app.license_info,
        contact=CONTACT,
        servers=[{"url": public_url or "/", "description": "This installation"}],
    )
    _, records = models_json_schema(
        [(model, "validation") for model in (ClinicalRecord, LifestyleRecord, Manifest)], ref_template=SCHEMAS
    )
    document["components"]["schemas"].update(records["$defs"])
    body_problems(document)
    for prefix in ("/v1/", "/health/"):
        parameter_problems(document, prefix)
    limit_problems(document)
    only_problems(document)
    outcomes_for_problems(document)
    _finish(document)
    described: dict[str, Any] = with_nulls(document)
    return described


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operation of a document."""
    for found in document["paths"].values():
        yield from (operation for method, operation in found.items() if method in METHODS)


def _finish(document: dict[str, Any]) -> None:
    """What tools for OpenAPI 3.1 ask for, and what they do not know."""
    used = {tag for operation in operations(document) for tag in operation["tags"]}
    document["tags"] = [{"name": name, "description": TAGS[name]} for name in TAGS if name in used]
    for operation in operations(document):
        operation.setdefault("security", [])  # open: said, and not only left out
        for answer in operation["responses"].values():
            for content in answer.get("content", {}).values():
                if "itemSchema" in content:  # of OpenAPI 3.2; the description says what an event holds
                    content["schema"] = {"type": "string"}
                    del content["itemSchema"]
    for name in UNUSED:
        document["components"]["schemas"].pop(name, None)
