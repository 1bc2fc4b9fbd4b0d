"""A clinician signs, amends or withdraws the result that is open."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, required, text
from gateway.pages.page import PageRoute
from shared.contracts.review import LONGEST_REASON, SHORTEST_REASON, AmendedFindings
from shared.problems import InvalidInput

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.post("/assessments/{assessment_id}/sign")
async def sign(assessment_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Stand by the answer as it is."""
    await ctx.reviews.sign(assessment_id, await allowed(user, "patients:write", ctx))
    return _back(assessment_id)


@router.post("/assessments/{assessment_id}/amend")
async def amend(assessment_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Say what is right instead."""
    who = await allowed(user, "patients:write", ctx)
    await ctx.reviews.amend(assessment_id, who, _reason(form), _findings(form))
    return _back(assessment_id)


@router.post("/assessments/{assessment_id}/withdraw")
async def withdraw(assessment_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Take the answer back."""
    await ctx.reviews.withdraw(assessment_id, await allowed(user, "patients:write", ctx), _reason(form))
    return _back(assessment_id)


def _reason(form: FormData) -> str:
    reason = required(form, "reason", LONGEST_REASON)
    if len(reason) < SHORTEST_REASON:
        raise InvalidInput("reason: say why in a few words.", field="reason")
    return reason


def _findings(form: FormData) -> AmendedFindings:
    grades = {side: text(form, f"kl_{side}") for side in ("left", "right")}
    try:
        return AmendedFindings.model_validate(
            {
                "knees": [{"side": side, "kl_grade": grade} for side, grade in grades.items() if grade],
                "bone": text(form, "bone") or None,
                "category": text(form, "category") or None,
            }
        )
    except ValidationError as error:
        raise InvalidInput("Choose grades, appearance and category from the lists.", field="findings") from error


def _back(assessment_id: UUID) -> Response:
    return RedirectResponse(f"/assessments/{assessment_id}#review", HTTPStatus.SEE_OTHER)
