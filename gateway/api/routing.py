"""`/v1/routing`: films that come in and results that go out, for administrators."""

import datetime as dt
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.api.deps import Administrator
from gateway.context import Context
from shared.problem_responses import example_response, problem_responses
from shared.problems import Conflict, NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(prefix="/v1/routing", tags=["routing"], responses=problem_responses(NotAuthenticated, NotAuthorised))
ROUTING = {
    "films": {
        "waiting": 1,
        "oldest_at": "2026-11-27T09:30:00Z",
        "counts": {"waiting": 1, "done": 212, "refused": 3, "ignored": 40, "dead": 1},
    },
    "deliveries": {"waiting": 0, "oldest_at": None, "dead": 0},
    "orders": {"waiting": 12, "last_message_at": "2026-11-27T09:28:41Z"},
    "turned_away": {"calling_aet": 2},
    "dead_films": [
        {
            "id": "01a21a13-be85-7930-9fec-a4d4676d0273",
            "source": "dicom:CR1",
            "reason": "uid_reused",
            "detail": "this SOPInstanceUID came before with other pixels",
            "sop_uid": "1.2.826.0.1.3680043.8.498.1",
            "accession": "A-1",
            "arrived_at": "2026-11-27T09:12:00Z",
        }
    ],
    "dead_deliveries": [],
}


class FilmsAnswer(BaseModel):
    """Films by state, and since when the oldest waits."""

    waiting: int
    oldest_at: dt.datetime | None
    counts: dict[str, int]


class DeliveriesAnswer(BaseModel):
    """Results that wait to be sent, and those that were given up."""

    waiting: int
    oldest_at: dt.datetime | None
    dead: int


class OrdersAnswer(BaseModel):
    """Orders that wait for their films, and when the last HL7 v2 message came."""

    waiting: int
    last_message_at: dt.datetime | None


class DeadFilm(BaseModel):
    """A film that nobody tries again, and why."""

    id: UUID
    source: str
    reason: str | None
    detail: str | None
    sop_uid: str | None
    accession: str | None
    arrived_at: dt.datetime


class DeadDelivery(BaseModel):
    """A result that a destination did not take."""

    id: UUID
    kind: str
    subject: str
    detail: str | None
    created_at: dt.datetime


class RoutingAnswer(BaseModel):
    """How everything stands that comes in and goes out; the newest 100 of what is dead."""

    films: FilmsAnswer
    deliveries: DeliveriesAnswer
    orders: OrdersAnswer
    turned_away: dict[str, int]
    dead_films: list[DeadFilm]
    dead_deliveries: list[DeadDelivery]


@router.get("", summary="Films in, results out", responses=example_response(ROUTING))
async def get_routing(who: Administrator, ctx: Context) -> RoutingAnswer:
    """How many films wait to be assessed and results to be sent, since when, and what was given up, with the reason.

    `turned_away` counts what was refused at the door, by reason, for the whole installation.
    """
    state = await ctx.films.state(who)
    films, deliveries = state.films, state.deliveries
    return RoutingAnswer(
        films=FilmsAnswer(waiting=films.waiting, oldest_at=films.oldest_at, counts=dict(films.counts)),
        deliveries=DeliveriesAnswer(waiting=deliveries.waiting, oldest_at=deliveries.oldest_at, dead=deliveries.dead),
        orders=OrdersAnswer(waiting=state.orders.waiting, last_message_at=state.orders.last_message_at),
        turned_away=dict(films.turned_away),
        dead_films=[
            DeadFilm(
                id=film.id,
                source=film.source,
                reason=film.reason,
                detail=film.last_error,
                sop_uid=film.header.get("sop_uid"),
                accession=film.header.get("accession"),
                arrived_at=film.arrived_at,
            )
            for film in state.dead_films
        ],
        dead_deliveries=[
            DeadDelivery(
                id=dead.id, kind=dead.kind, subject=dead.subject, detail=dead.last_error, created_at=dead.created_at
            )
            for dead in state.dead_deliveries
        ],
    )


@router.post(
    "/{item_id}/retry",
    summary="Try again",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(NotFound, Conflict),
)
async def retry_routing(item_id: UUID, who: Administrator, ctx: Context) -> None:
    """Have a dead film assessed again, or a result that was given up, or sent, sent again."""
    await ctx.films.send_again(item_id, who)
