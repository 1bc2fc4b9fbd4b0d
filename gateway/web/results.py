"""The result of an assessment, its pictures and its report."""

from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.assessments.routes import get_assessment, release_assessment
from gateway.pictures.pictures import KINDS
from gateway.pictures.routes import get_heat_map, get_preview
from gateway.rooms import Rooms
from gateway.web.forms import Posted
from gateway.web.pages import Page, page, visitor_of
from gateway.web.visiting import House, Visit, allowed
from shared.contracts.assessment import Assessment
from shared.contracts.recommendation import Recommendation

router = APIRouter(include_in_schema=False, route_class=Page)
# As a person would want to read them: whom to see first, then what to do, then what to take.
GROUPS = ("referral", "follow_up", "medication", "exercise", "diet")
# How sure a class is, from its probability: at least so much, the key of the words for it.
SURENESS = ((0.9, "high"), (0.7, "fair"), (0.5, "low"), (0.0, "none"))


@router.get("/assessments/{assessment_id}")
async def result_page(assessment_id: UUID, request: Request, visitor: Visit, house: House) -> Response:
    """One assessment."""
    who = await allowed(visitor, "assessments:read", house)
    made = await get_assessment(assessment_id, who, house)
    kept = await house.pictures.first(made.id, ["preview"]) is not None
    return page(request, "result.html", **shown(request, house, made, pictures="kept" if kept else None))


@router.get("/assessments/{assessment_id}/pictures/{kind}.png")
async def picture(
    assessment_id: UUID, kind: Literal["preview", "imaging", "staging"], visitor: Visit, house: House
) -> Response:
    """A kept picture."""
    who = await allowed(visitor, "assessments:read", house)
    if kind == "preview":
        return await get_preview(assessment_id, who, house)
    return await get_heat_map(assessment_id, who, house, kind)


@router.post("/assessments/{assessment_id}/release")
async def release_here(assessment_id: UUID, form: Posted, visitor: Visit, house: House) -> Response:
    """Show the medication items to the patient from now on."""
    who = await allowed(visitor, "assessments:write", house)
    await release_assessment(assessment_id, who, house)
    return RedirectResponse(f"/assessments/{assessment_id}#recommendations", HTTPStatus.SEE_OTHER)


def shown(request: Request, house: Rooms, made: Assessment, pictures: Literal["kept", "page"] | None) -> dict[str, Any]:
    """What the result's template needs.

    Args:
        pictures: where they are: kept by the site, in this very answer, or nowhere.
    """
    items = made.recommendation.items if made.recommendation else []
    groups: dict[str, list[Recommendation]] = {kind: [item for item in items if item.kind == kind] for kind in GROUPS}
    visitor = visitor_of(request)
    withheld = not visitor.is_staff and house.settings.release_medication == "by_clinician" and not made.released_at
    return {
        "assessment": made, "groups": {kind: found for kind, found in groups.items() if found}, "pictures": pictures,
        "kinds": KINDS, "sureness": sureness, "withheld": withheld, "models": models_of(made),
    }  # fmt: skip


def sureness(probability: float) -> str:
    """The key of the words for how sure a probability is."""
    return next(key for least, key in SURENESS if probability >= least)


def models_of(made: Assessment) -> list[str]:
    """Every model and rule set behind an assessment, with its version."""
    rules = made.recommendation.rules if made.recommendation else None
    found = [part.model for part in (made.imaging, made.staging, made.clinical) if part]
    return [f"{one.name} {one.version}" for one in (*found, rules) if one]
