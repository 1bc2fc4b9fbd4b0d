"""`/cds-services`: cards for record systems (CDS Hooks 2.0.1). The caller's signed token is the credential."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

import anyio
import structlog
from fastapi import APIRouter, Depends, Response

from gateway.api.cds_caller import Caller, service_named, under_instance
from gateway.api.examples.cds import CALL, CARDS, DISCOVERY, FEEDBACK
from gateway.api.fhir_messages import PublicRoot, read_json
from gateway.assessing.case import Case
from gateway.context import AppContext, Context
from gateway.interop.cds.call import Call, read_call
from gateway.interop.cds.cards import Card, EarlierFilm, Told, order_cards, view_cards
from gateway.interop.cds.feedback import read_feedback
from gateway.interop.cds.fetch import with_missing
from gateway.interop.cds.orders import chosen
from gateway.interop.cds.prefetch import bundle_of, has_patient, missing_queries
from gateway.interop.cds.services import discovery
from gateway.interop.fhir.reading.case import case_of
from gateway.interop.fhir.reading.mapping import map_resources
from gateway.interop.fhir.writing.result import patient_system
from gateway.platform.clock import today
from gateway.platform.identity.scopes import Principal
from shared.problem_responses import example_response, problem_responses
from shared.problems import (
    InvalidInput,
    InvalidRecord,
    MalformedBody,
    NotAuthenticated,
    NotFound,
    PrefetchMissing,
    ServiceUnavailable,
    TooBusy,
    TooManyRequests,
    UnsupportedMediaType,
    UploadTooLarge,
)

router = APIRouter(prefix="/cds-services", tags=["cds"])
GUARDED = problem_responses(
    NotAuthenticated, NotFound, MalformedBody, InvalidInput, UnsupportedMediaType, UploadTooLarge, TooManyRequests,
    TooBusy, ServiceUnavailable,
)  # fmt: skip
Body = Annotated[Any, Depends(read_json)]


def body_like(example: dict[str, Any]) -> dict[str, Any]:
    """The `openapi_extra` of an operation whose JSON is read by hand."""
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


@router.get("", summary="Discovery", responses=example_response(DISCOVERY))
async def list_cds_services(response: Response) -> dict[str, Any]:
    """The CDS services, and the data that each asks for beforehand. Needs no credential."""
    # A page of a record system's vendor may look here; it can ask for nothing else from within a browser.
    response.headers["Access-Control-Allow-Origin"] = "*"
    return discovery()


@router.post(
    "/{service_id}",
    summary="Ask for cards",
    openapi_extra=body_like(CALL),
    responses={**example_response(CARDS), **GUARDED, **problem_responses(PrefetchMissing)},
)
async def ask_for_cards(
    service_id: str,
    caller: Caller,  # before the body is read
    body: Body,
    ctx: Context,
    root: PublicRoot,
) -> dict[str, Any]:
    """Cards for one patient, or none. Clinical findings and rules are asked, a radiograph is not read.

    Nothing is stored unless `TRABECULA_CDS_STORE` says so; the call is a line of the audit trail. What did not come
    along and cannot be asked for is a 412.
    """
    service = service_named(service_id)
    with under_instance(body):
        call = read_call(body, service)
        ordered = chosen(call) if service.hook == "order-select" else None
        cards: list[Card] = []
        if ordered is None or not ordered.is_nothing:
            missing = missing_queries(call)
            networks = ctx.settings.allowed_private_networks
            data = await with_missing(call, missing, caller.fhir_servers, networks)
            told = await _told(call, data, caller.who, ctx, root) if has_patient(data) else None
            if told is not None:
                cards = view_cards(told) if ordered is None else order_cards(told, ordered)
        await ctx.cds.note_call(caller.who, service.id)
    return {"cards": cards}


@router.post(
    "/{service_id}/feedback",
    summary="What became of cards",
    openapi_extra=body_like(FEEDBACK),
    response_class=Response,
    responses={HTTPStatus.OK.value: {"description": "It is noted", "content": {}}, **GUARDED},
)
async def take_feedback(service_id: str, caller: Caller, body: Body, ctx: Context) -> Response:
    """Note which cards were accepted or overridden, as lines of the audit trail. Comments are not kept."""
    service_named(service_id)
    for one in read_feedback(body):
        await ctx.cds.note_feedback(caller.who, one.card, one.outcome)
    return Response()


async def _told(call: Call, data: dict[str, Any], who: Principal, ctx: AppContext, root: str) -> Told | None:
    """What the cards are made of; null where the data are no record that can be assessed."""
    case = await anyio.to_thread.run_sync(partial(_case, call, data, who, ctx))
    if case is None:
        return None
    film = await ctx.cds.newest_film(who, case.patient_number)
    assessment = await ctx.cds.assess(who, case)
    earlier = None
    if film is not None and film.imaging is not None:
        imaging = film.imaging
        earlier = EarlierFilm(film.id, film.created_at.date(), imaging.summary, imaging.possibly_low)
    return Told(assessment, call.patient_id, root, earlier, case.left_out, ctx.settings.cds_store)


def _case(call: Call, data: dict[str, Any], who: Principal, ctx: AppContext) -> Case | None:
    """The record that the data come to, read beside the event loop."""
    settings = ctx.settings
    systems = [settings.fhir_patient_system, patient_system(None, str(who.organisation_id))]
    femur = None if settings.fhir_femur_site == "unused" else settings.fhir_femur_site
    mapping = map_resources(bundle_of(call, data), today(), [system for system in systems if system], femur)
    try:
        return case_of(mapping)
    except InvalidRecord as error:
        # A patient without a date of birth is no fault of the call. The fields are named in the log, their values not.
        fields = [part["field"] for part in error.members["errors"]]
        structlog.get_logger("trabecula").info("no record for cards", fields=fields)
        return None
