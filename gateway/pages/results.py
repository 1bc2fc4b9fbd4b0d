"""The result of an assessment, its pictures and its report."""

from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

import anyio
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.assessing.assessments import ReportContent
from gateway.assessing.release import Audience
from gateway.context import AppContext
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted
from gateway.pages.page import PageRoute, page, translator_of
from gateway.pages.sessions import CurrentUser
from gateway.records.rendering_kinds import RenderingKind
from gateway.reports import joint_space, presentation
from gateway.reports.picture import for_screen, shown_film, study_link
from gateway.reports.presentation import GROUPS
from gateway.reports.printing import print_report
from gateway.reports.record import density_rows, person_line, record_lines
from gateway.reports.result_view import result_view
from shared.contracts.language import LanguageCode
from shared.contracts.recommendation import Recommendation

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/assessments/{assessment_id}")
async def result_page(assessment_id: UUID, request: Request, user: User, ctx: Context) -> Response:
    """One assessment."""
    who = await allowed(user, "assessments:read", ctx)
    content = await ctx.assessments.report_content(assessment_id, who, audience_of(user), with_renderings=False)
    kept = await ctx.assessments.has_preview(assessment_id)
    context = result_context(request, ctx, content, pictures="kept" if kept else None)
    case = await ctx.cases.context(assessment_id, who) if user.is_staff else None
    if kept and case and case.film_before and await ctx.assessments.has_preview(case.film_before.id):
        context["before"] = case.film_before, shown_film(translator_of(request), case.film_before, kept=True)
    return page(request, "result.html", case=case, **context)


@router.get("/assessments/{assessment_id}/pictures/{kind}.webp")
async def picture(assessment_id: UUID, kind: RenderingKind, user: User, ctx: Context) -> Response:
    """A kept preview or heat map."""
    who = await allowed(user, "assessments:read", ctx)
    png = await ctx.assessments.rendering(assessment_id, who, (kind,))
    return Response(await anyio.to_thread.run_sync(for_screen, png), media_type="image/webp")


@router.get("/assessments/{assessment_id}/report.pdf")
async def report(
    assessment_id: UUID, user: User, ctx: Context, audience: Audience = "patient", language: LanguageCode = "en"
) -> Response:
    """The report to print."""
    who = await allowed(user, "assessments:read", ctx)
    printed = await print_report(await ctx.assessments.report_content(assessment_id, who, audience), language)
    return Response(printed.pdf, media_type="application/pdf", headers=printed.headers)


@router.post("/assessments/{assessment_id}/release")
async def release(assessment_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Show the medication items to the patient from now on."""
    await ctx.assessments.release(assessment_id, await allowed(user, "patients:write", ctx))
    return RedirectResponse(f"/assessments/{assessment_id}#recommendations", HTTPStatus.SEE_OTHER)


def audience_of(user: CurrentUser) -> Audience:
    """Whose words and whose page."""
    return "clinician" if user.is_staff else "patient"


def result_context(
    request: Request, ctx: AppContext, content: ReportContent, pictures: Literal["kept", "page"] | None
) -> dict[str, Any]:
    """What the result's template needs.

    Args:
        pictures: where they are: kept by the site, in this very answer, or nowhere.
    """
    assessment, t = content.assessment, translator_of(request)
    items = assessment.recommendation.items if assessment.recommendation else []
    groups: dict[str, list[Recommendation]] = {kind: [item for item in items if item.kind == kind] for kind in GROUPS}
    return {
        "assessment": assessment,
        "view": result_view(t, content),
        "person": person_line(t, content.risk),
        "record": record_lines(t, content.risk),
        "densities": density_rows(t, content.risk),
        "groups": {kind: of_kind for kind, of_kind in groups.items() if of_kind},
        "pictures": pictures,
        "film": shown_film(t, assessment, kept=pictures == "kept"),
        "before": None,
        "study_link": None if content.is_for_patient else study_link(ctx.settings.viewer_url, assessment.source),
        "withheld": content.withheld,
        "presentation": presentation,
        "joint_space": joint_space,
        "audience": content.audience,
        "emergency_number": content.emergency_number,
    }
