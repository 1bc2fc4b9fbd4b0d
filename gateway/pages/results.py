"""The result of an assessment, its pictures and its report."""

from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.api.assessments import get_assessment, release_assessment
from gateway.api.renderings import get_heat_map, get_preview
from gateway.api.reports import get_report
from gateway.assessing.release import withheld
from gateway.context import AppContext
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted
from gateway.pages.page import Page, current_user, page
from gateway.platform.language import LanguageCode
from gateway.records.rendering_kinds import KINDS
from gateway.reports import presentation
from gateway.reports.presentation import GROUPS, Audience
from shared.contracts.assessment import Assessment
from shared.contracts.recommendation import Recommendation

router = APIRouter(include_in_schema=False, route_class=Page)


@router.get("/assessments/{assessment_id}")
async def result_page(assessment_id: UUID, request: Request, user: User, ctx: Context) -> Response:
    """One assessment."""
    who = await allowed(user, "assessments:read", ctx)
    made = await get_assessment(assessment_id, who, ctx)
    kept = await ctx.pictures.first(made.id, ["preview"]) is not None
    return page(request, "result.html", **shown(request, ctx, made, pictures="kept" if kept else None))


@router.get("/assessments/{assessment_id}/pictures/{kind}.png")
async def picture(
    assessment_id: UUID, kind: Literal["preview", "imaging", "staging"], user: User, ctx: Context
) -> Response:
    """A kept picture."""
    who = await allowed(user, "assessments:read", ctx)
    if kind == "preview":
        return await get_preview(assessment_id, who, ctx)
    return await get_heat_map(assessment_id, who, ctx, kind)


@router.get("/assessments/{assessment_id}/report.pdf")
async def report_here(
    assessment_id: UUID, user: User, ctx: Context, audience: Audience = "patient", language: LanguageCode = "en"
) -> Response:
    """The report to print."""
    who = await allowed(user, "assessments:read", ctx)
    return await get_report(assessment_id, who, ctx, audience, language)


@router.post("/assessments/{assessment_id}/release")
async def release_here(assessment_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Show the medication items to the patient from now on."""
    who = await allowed(user, "assessments:write", ctx)
    await release_assessment(assessment_id, who, ctx)
    return RedirectResponse(f"/assessments/{assessment_id}#recommendations", HTTPStatus.SEE_OTHER)


def shown(
    request: Request, ctx: AppContext, made: Assessment, pictures: Literal["kept", "page"] | None
) -> dict[str, Any]:
    """What the result's template needs.

    Args:
        pictures: where they are: kept by the site, in this very answer, or nowhere.
    """
    items = made.recommendation.items if made.recommendation else []
    groups: dict[str, list[Recommendation]] = {kind: [item for item in items if item.kind == kind] for kind in GROUPS}
    user = current_user(request)
    hides = not user.is_staff and withheld(made, ctx.settings.release_medication)
    return {
        "assessment": made, "groups": {kind: found for kind, found in groups.items() if found}, "pictures": pictures,
        "kinds": KINDS, "withheld": hides, "telling": presentation,
        "audience": "clinician" if user.is_staff else "patient", "emergency_number": ctx.settings.emergency_number,
    }  # fmt: skip
