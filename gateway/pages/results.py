"""The result of an assessment, its pictures and its report."""

from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.assessing.release import Audience, VisibleAssessment
from gateway.context import AppContext
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted
from gateway.pages.page import PageRoute, current_user, page
from gateway.records.rendering_kinds import KINDS, RenderingKind
from gateway.reports import joint_space, presentation
from gateway.reports.presentation import GROUPS
from gateway.reports.printing import print_report
from shared.contracts.language import LanguageCode
from shared.contracts.recommendation import Recommendation

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/assessments/{assessment_id}")
async def result_page(assessment_id: UUID, request: Request, user: User, ctx: Context) -> Response:
    """One assessment."""
    who = await allowed(user, "assessments:read", ctx)
    visible = await ctx.assessments.get(assessment_id, who)
    kept = await ctx.assessments.has_preview(assessment_id)
    context = result_context(request, ctx, visible, pictures="kept" if kept else None)
    case = await ctx.cases.context(assessment_id, who) if user.is_staff else None
    return page(request, "result.html", case=case, **context)


@router.get("/assessments/{assessment_id}/pictures/{kind}.png")
async def picture(assessment_id: UUID, kind: RenderingKind, user: User, ctx: Context) -> Response:
    """A kept preview or heat map."""
    who = await allowed(user, "assessments:read", ctx)
    png = await ctx.assessments.rendering(assessment_id, who, (kind,))
    return Response(png, media_type="image/png")


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


def result_context(
    request: Request, ctx: AppContext, visible: VisibleAssessment, pictures: Literal["kept", "page"] | None
) -> dict[str, Any]:
    """What the result's template needs.

    Args:
        pictures: where they are: kept by the site, in this very answer, or nowhere.
    """
    assessment, user = visible.assessment, current_user(request)
    items = assessment.recommendation.items if assessment.recommendation else []
    groups: dict[str, list[Recommendation]] = {kind: [item for item in items if item.kind == kind] for kind in GROUPS}
    return {
        "assessment": assessment,
        "groups": {kind: of_kind for kind, of_kind in groups.items() if of_kind},
        "pictures": pictures,
        "kinds": KINDS,
        "withheld": visible.withheld,
        "presentation": presentation,
        "joint_space": joint_space,
        "audience": "clinician" if user.is_staff else "patient",
        "emergency_number": ctx.settings.emergency_number,
    }
