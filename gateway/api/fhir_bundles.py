"""`/v1/assessments/{id}/fhir`: one assessment as a Bundle. Its errors are problem documents, as all below `/v1`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from gateway.api.deps import AssessmentReader
from gateway.api.fhir import answers
from gateway.api.fhir_messages import FhirResponse, JsonIsWanted, PublicRoot, fhir_response, result_from
from gateway.context import Context
from gateway.interop.fhir.writing.bundles import BundleType, bundle_of
from shared.problem_responses import problem_responses
from shared.problems import NotAcceptable, NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(
    prefix="/v1/assessments/{assessment_id}",
    tags=["assessments"],
    dependencies=[JsonIsWanted],
    responses=problem_responses(NotAuthenticated, NotAuthorised, NotFound, NotAcceptable),
)
KINDS = "`document` begins with a Composition; `transaction` can be sent to a FHIR server as it is, and again"


@router.get("/fhir", summary="FHIR Bundle", response_class=FhirResponse, responses=answers("A Bundle"))
@router.head("/fhir", include_in_schema=False)
async def get_fhir_bundle(
    request: Request,
    assessment_id: UUID,
    who: AssessmentReader,
    ctx: Context,
    root: PublicRoot,
    kind: Annotated[BundleType, Query(alias="type", description=KINDS)] = "collection",
) -> Response:
    """The whole assessment as HL7 FHIR R4, as the caller may see it.

    The same assessment gives the same bytes, and `ETag` stands for them: `If-None-Match` saves sending them again.
    """
    content = await ctx.results.one(assessment_id, who)
    return fhir_response(request, bundle_of(result_from(ctx, root, content), kind))
