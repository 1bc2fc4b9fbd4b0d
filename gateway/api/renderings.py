"""The renderings of an assessment: the de-identified preview, and the heat map over it."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from gateway.api.deps import AssessmentReader
from gateway.context import AppContext, Context
from gateway.platform.identity.scopes import Principal
from gateway.records.rendering_kinds import HeatMap, RenderingKind
from shared.problem_responses import problem_responses
from shared.problems import NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(
    prefix="/v1/assessments/{assessment_id}",
    tags=["assessments"],
    responses=problem_responses(NotAuthenticated, NotAuthorised, NotFound),
)
PNG: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A PNG",
        "content": {"image/png": {"schema": {"type": "string", "contentMediaType": "image/png"}}},
    }
}
WhichHeatMap = Annotated[HeatMap | None, Query(description="Which model's; staging's where there is one if left out")]


@router.get("/heatmap.png", summary="Heat map", response_class=Response, responses=PNG, operation_id="get_heat_map")
async def get_heat_map(assessment_id: UUID, who: AssessmentReader, ctx: Context, of: WhichHeatMap = None) -> Response:
    """Where the model looked, over the preview. Kept only where the site says so; the 404 says why there is none."""
    return await _png(assessment_id, who, ctx, (of,) if of else ("staging", "imaging"))


@router.get("/preview.png", summary="Preview", response_class=Response, responses=PNG, operation_id="get_preview")
async def get_preview(assessment_id: UUID, who: AssessmentReader, ctx: Context) -> Response:
    """The de-identified radiograph, reduced. Kept only where the site says so; the 404 says why there is none."""
    return await _png(assessment_id, who, ctx, ("preview",))


async def _png(assessment_id: UUID, who: Principal, ctx: AppContext, kinds: Sequence[RenderingKind]) -> Response:
    png = await ctx.assessments.rendering(assessment_id, who, kinds)
    return Response(png, media_type="image/png")
