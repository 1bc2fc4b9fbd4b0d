"""`/v1/assessments/{id}/report.pdf`: the report of one assessment."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from gateway.api.deps import AssessmentReader
from gateway.assessing.release import Audience
from gateway.context import Context
from gateway.reports.printing import print_report
from shared.contracts.language import LanguageCode
from shared.problem_responses import problem_responses
from shared.problems import NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(
    prefix="/v1/assessments/{assessment_id}",
    tags=["assessments"],
    responses=problem_responses(NotAuthenticated, NotAuthorised, NotFound),
)
PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A PDF of one page; `Content-Language` says which language it is in",
        "content": {"application/pdf": {"schema": {"type": "string", "contentMediaType": "application/pdf"}}},
    }
}


@router.get("/report.pdf", summary="Report", response_class=Response, responses=PDF, operation_id="get_report")
async def get_report(
    assessment_id: UUID,
    who: AssessmentReader,
    ctx: Context,
    audience: Annotated[Audience, Query(description="In plain words, or with every figure")] = "patient",
    language: Annotated[LanguageCode, Query(description="English where the server has no font for it")] = "en",
) -> Response:
    """One page to print, with the picture and the heat map where the site keeps them.

    The patient's is in plain words, and medication is left out until a clinician has released it, whoever prints it.
    The clinician's has the record and every figure, and is in English.
    """
    content = await ctx.assessments.report_content(assessment_id, who, audience)
    printed = await print_report(content, language)
    return Response(printed.pdf, media_type="application/pdf", headers=printed.headers)
