"""What is known better of a finding, and on another page how often the software was right."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from gateway.assessing.site_settings_versions import state_of
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, text
from gateway.pages.page import PageRoute, page
from shared.contracts.feedback import Feedback
from shared.problems import InvalidInput

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_FEEDBACK: TypeAdapter[Feedback] = TypeAdapter(Feedback)


@router.get("/assessments/{assessment_id}/feedback")
async def feedback_page(assessment_id: UUID, request: Request, user: User, ctx: Context) -> Response:
    """What was said of this assessment."""
    who = await allowed(user, "assessments:read", ctx)
    return page(
        request,
        "feedback.html",
        given=await ctx.feedback.of_assessment(assessment_id, who),
        assessment=(await ctx.assessments.get(assessment_id, who)).assessment,
    )


@router.post("/assessments/{assessment_id}/feedback")
async def give_feedback(assessment_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Say what is known better."""
    who = await allowed(user, "patients:write", ctx)
    await ctx.feedback.give(assessment_id, who, _feedback(form))
    return RedirectResponse(f"/assessments/{assessment_id}/feedback", HTTPStatus.SEE_OTHER)


@router.get("/administration/validation")
async def validation_page(request: Request, user: User, ctx: Context) -> Response:
    """How the software does here: agreement over time, the site's own settings, and whether cases change."""
    who = await allowed(user, "assessments:read", ctx)
    state = await state_of(ctx.assessments.site_settings, who)
    agreement, drift = await ctx.feedback.agreement(who), await ctx.drift.state(who)
    return page(request, "validation.html", agreement=agreement, site_settings=state, drift=drift)


def _feedback(form: FormData) -> Feedback:
    fields = {name: text(form, name) for name in form if name not in ("csrf", "mark")}
    if mark := text(form, "mark"):
        part, _, right = mark.partition(":")
        fields |= {"part": part, "right": right}
    try:
        return _FEEDBACK.validate_python({name: value for name, value in fields.items() if value})
    except ValidationError as error:
        raise InvalidInput(
            "Choose from the lists, and give the T-score, its region and its date.", field="feedback"
        ) from error
