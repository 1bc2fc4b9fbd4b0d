"""The pictures of an assessment: the de-identified preview, and the heat map over it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from gateway.api.deps import needs
from gateway.context import AppContext, get_context
from gateway.platform.clock import now
from gateway.platform.identity.scopes import Principal
from gateway.records.rendering_kinds import HeatMap, PictureKind, why_not
from shared.problem_responses import problem_responses
from shared.problems import NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(
    prefix="/v1/assessments/{assessment_id}",
    tags=["assessments"],
    responses=problem_responses(NotAuthenticated, NotAuthorised),
)
Reader = Annotated[Principal, Depends(needs("assessments:read"))]
Context = Annotated[AppContext, Depends(get_context)]
PNG: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A PNG",
        "content": {"image/png": {"schema": {"type": "string", "contentMediaType": "image/png"}}},
    }
}


@router.get(
    "/heatmap.png", summary="Heat map", response_class=Response, responses={**PNG, **problem_responses(NotFound)},
    operation_id="get_heat_map",
)  # fmt: skip
async def get_heat_map(
    assessment_id: UUID,
    who: Reader,
    ctx: Context,
    of: Annotated[HeatMap | None, Query(description="Which model's; staging's where there is one if left out")] = None,
) -> Response:
    """Where the model looked, over the preview. Kept only where the site says so; the 404 says why there is none."""
    kinds: tuple[PictureKind, ...] = (of,) if of else ("staging", "imaging")
    return await _picture(assessment_id, who, ctx, kinds)


@router.get(
    "/preview.png", summary="Preview", response_class=Response, responses={**PNG, **problem_responses(NotFound)},
    operation_id="get_preview",
)  # fmt: skip
async def get_preview(assessment_id: UUID, who: Reader, ctx: Context) -> Response:
    """The de-identified radiograph, reduced. Kept only where the site says so; the 404 says why there is none."""
    return await _picture(assessment_id, who, ctx, ("preview",))


async def _picture(assessment_id: UUID, who: Principal, ctx: AppContext, kinds: tuple[PictureKind, ...]) -> Response:
    stored = await ctx.assessments.get(assessment_id, who, "picture read")
    png = await ctx.pictures.first(assessment_id, kinds)
    if png is None:
        made, settings = stored.assessment, ctx.settings
        had_image = made.imaging is not None or made.staging is not None
        reason, detail = why_not(
            kinds[0], had_image, made.created_at, settings.keep_pictures, settings.picture_days, now()
        )
        raise NotFound(detail, reason=reason)
    return Response(png, media_type="image/png", headers={"Cache-Control": "private, no-store"})
