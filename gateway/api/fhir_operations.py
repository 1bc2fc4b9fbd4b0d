"""`/fhir/$map` and `/fhir/$assess`: another system's resources as a clinical record, and an assessment of it."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Request, Response

from gateway.api.deps import REPLAYED, AdmittedWriter, AssessmentWriter, IdempotencyKey
from gateway.api.fhir import GUARDED, HOW, OF_ALL, answers
from gateway.api.fhir_errors import BASE
from gateway.api.fhir_messages import FhirResponse, PublicRoot, bytes_response, fhir_response, read_json, result_from
from gateway.assessing.case import CASE_PROBLEMS
from gateway.context import AppContext, Context
from gateway.interop.fhir.reading.case import case_of
from gateway.interop.fhir.reading.explanation import as_parameters
from gateway.interop.fhir.reading.mapping import Mapping, map_resources
from gateway.interop.fhir.resource import FHIR_JSON, to_bytes
from gateway.interop.fhir.writing.bundles import bundle_of
from gateway.interop.fhir.writing.result import patient_system
from gateway.platform.clock import today
from gateway.platform.identity.scopes import Principal
from shared.problem_responses import problem_responses
from shared.problems import (
    InvalidInput,
    InvalidSearch,
    MalformedBody,
    NotAcceptable,
    UnsupportedMediaType,
    UploadStalled,
    UploadTooLarge,
)

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FHIR_JSON: {
                "schema": {
                    "type": "object",
                    "required": ["resourceType"],
                    "properties": {"resourceType": {"enum": ["Bundle", "Parameters"]}},
                    "description": "Patient, Observation, Condition, MedicationStatement, MedicationRequest and "
                    "Medication of one patient; a radiograph as Binary, Media or valueAttachment",
                }
            }
        },
    }
}
OF_BODY = problem_responses(
    InvalidSearch, NotAcceptable, MalformedBody, InvalidInput, UnsupportedMediaType, UploadTooLarge, UploadStalled
)
router = APIRouter(
    prefix=BASE,
    tags=["fhir"],
    dependencies=HOW,
    responses={**OF_ALL, **GUARDED, **OF_BODY},
    default_response_class=FhirResponse,
)
Body = Annotated[Any, Depends(read_json)]


async def _mapped(body: Any, who: Principal, ctx: AppContext) -> Mapping:
    settings = ctx.settings
    own = patient_system(None, str(who.organisation_id))
    systems = [system for system in (settings.fhir_patient_system, own) if system]
    femur = None if settings.fhir_femur_site == "unused" else settings.fhir_femur_site
    return await anyio.to_thread.run_sync(partial(map_resources, body, today(), systems, femur))


@router.post(
    "/$map",
    summary="Show how resources are read",
    openapi_extra=BODY,
    responses=answers("Parameters: record, patient_number, and every used, unused and fault"),
)
async def map_to_record(
    request: Request,
    who: AssessmentWriter,  # before the body is read
    body: Body,
    ctx: Context,
) -> Response:
    """The clinical record that a Bundle or Parameters comes to, with what was used and what was not, and why.

    Nothing is stored and nothing assessed: it is for whoever connects a system.
    """
    mapping = await _mapped(body, who, ctx)
    return bytes_response(request, await anyio.to_thread.run_sync(lambda: to_bytes(as_parameters(mapping))))


@router.post(
    "/$assess",
    summary="Assess resources",
    status_code=HTTPStatus.CREATED,
    openapi_extra=BODY,
    responses={
        **answers("A Bundle of the type collection", HTTPStatus.CREATED),
        **problem_responses(*CASE_PROBLEMS),
    },
)
async def assess_resources(
    request: Request,
    who: AdmittedWriter,  # before the body is read: strangers upload nothing
    body: Body,
    ctx: Context,
    root: PublicRoot,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Assess a Bundle or Parameters, as `POST /v1/assessments` assesses a form, and answer with the result.

    What could not be used is stored with the assessment as warnings of the type `fhir_not_used`. The same
    `Idempotency-Key` with the same resources gives the same result again.
    """
    case = case_of(await _mapped(body, who, ctx))
    made = await ctx.assessments.assess_case(who, case, idempotency_key, False)
    identity = made.visible.assessment.id
    result = result_from(ctx, root, await ctx.results.of_sender(identity, who))
    where = {"Location": f"{root}{BASE}/DiagnosticReport/{identity}"}
    if made.is_repeated:
        where[REPLAYED] = "true"
    return fhir_response(request, bundle_of(result, "collection"), HTTPStatus.CREATED, where)
