"""How films and results stand, as the operator sees it on the installation's own machine."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from gateway.assessing.administration import open_database, organisation_of
from gateway.assessing.films import FilmUseCases
from gateway.platform.audit import Audit
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import Principal, operator_of
from gateway.records.film_queue import FilmQueue
from gateway.records.films import Films
from gateway.records.orders import Orders
from gateway.records.outbox import Outbox
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings


async def routing_status(settings: GatewaySettings, organisation: str | None = None) -> dict[str, Any]:
    """How much of an organisation's waits, since when, and how much was given up or turned away."""
    async with _opened(settings, organisation) as (use_cases, who):
        state = await use_cases.state(who)
    films, results = state.films, state.deliveries
    return {
        "films": {
            "waiting": films.waiting,
            "oldest_at": _told(films.oldest_at),
            "counts": dict(films.counts),
        },
        "results": {
            "waiting": results.waiting,
            "oldest_at": _told(results.oldest_at),
            "committing": results.committing,
            "dead": results.dead,
        },
        "orders": {"waiting": state.orders.waiting, "last_message_at": _told(state.orders.last_message_at)},
        "turned_away": dict(films.turned_away),
    }


async def routing_dead(settings: GatewaySettings, organisation: str | None = None) -> dict[str, Any]:
    """What was given up, newest first, with the reason; a film by its accession number, without the patient's."""
    async with _opened(settings, organisation) as (use_cases, who):
        state = await use_cases.state(who)
    return {
        "films": [
            {
                "id": str(film.id),
                "source": film.source,
                "reason": film.reason,
                "why": film.last_error,
                "accession": film.header.get("accession"),
                "sop_uid": film.header.get("sop_uid"),
                "arrived_at": film.arrived_at.isoformat(),
            }
            for film in state.dead_films
        ],
        "results": [
            {"id": str(item.id), "kind": item.kind, "assessment_id": item.subject, "why": item.last_error}
            for item in state.dead_deliveries
        ],
    }


async def routing_retry(settings: GatewaySettings, item: UUID, organisation: str | None = None) -> None:
    """Have a dead film assessed again, or a result sent again.

    Raises:
        NotFound: the organisation has neither under this id.
        Conflict: the film is not dead, or its UID is another film's.
    """
    async with _opened(settings, organisation) as (use_cases, who):
        await use_cases.send_again(item, who)


def _told(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None


@asynccontextmanager
async def _opened(settings: GatewaySettings, organisation: str | None) -> AsyncIterator[tuple[FilmUseCases, Principal]]:
    async with open_database(settings) as database:
        sessions = database.sessions
        patients = Patients(sessions, installation_key(settings))
        films, queue = Films(sessions, patients), FilmQueue(sessions, patients)
        who = operator_of(await organisation_of(Accounts(sessions), settings, organisation))
        yield FilmUseCases(films, queue, Outbox(sessions), Audit(sessions), Orders(sessions, patients)), who
