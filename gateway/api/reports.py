"""`/v1/assessments/{id}/report.pdf`: the report of one assessment."""

from typing import Annotated, Any
from uuid import UUID

import anyio
from fastapi import APIRouter, Depends, Query, Response

from gateway.api.deps import needs
from gateway.assessing.release import patient_view, withheld
from gateway.context import AppContext, get_context
from gateway.platform.identity.scopes import Principal
from gateway.platform.language import LanguageCode
from gateway.records.rendering_kinds import KINDS
from gateway.reports.presentation import Audience
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


@router.get(
    "/report.pdf", summary="Report", response_class=Response, responses=PDF, operation_id="get_report"
)  # fmt: skip
async def get_report(
    assessment_id: UUID,
    who: Annotated[Principal, Depends(needs("assessments:read"))],
    ctx: Annotated[AppContext, Depends(get_context)],
    audience: Annotated[Audience, Query(description="In plain words, or with every figure")] = "patient",
    language: Annotated[LanguageCode, Query(description="English where the server has no font for it")] = "en",
) -> Response:
    """One page to print, with the picture and the heat map where the site keeps them.

    The patient's is in plain words, and medication is left out until a clinician has released it, whoever prints it.
    The clinician's has the record and every figure, and is in English.
    """
    if audience == "clinician" and who.patient_id is not None:
        raise NotAuthorised("The clinician's report is for the clinic: ask for audience=patient.")
    stored = await ctx.assessments.get(assessment_id, who)
    found = {kind: await ctx.pictures.first(assessment_id, [kind]) for kind in KINDS}
    pngs: dict[str, bytes] = {kind: png for kind, png in found.items() if png}
    from gateway.reports.report import Report, pdf_of  # with the fonts' libraries, which few need at the start

    made, settings = stored.assessment, ctx.settings
    number, hides = settings.emergency_number, False
    if audience == "patient":
        hides = withheld(made, settings.release_medication)
        made = patient_view(made, settings.release_medication)
    report = Report(made, audience, pngs, hides, stored.record if audience == "clinician" else None, number)
    pdf, written = await anyio.to_thread.run_sync(pdf_of, report, language)
    headers = {
        "Content-Disposition": f'inline; filename="report-{audience}-{made.id}.pdf"', "Content-Language": written,
        "Cache-Control": "private, no-store",
    }  # fmt: skip
    return Response(pdf, media_type="application/pdf", headers=headers)
