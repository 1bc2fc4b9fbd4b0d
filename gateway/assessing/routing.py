"""Where results are sent to, as the operator sets it up on the installation's own machine."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from gateway.assessing.administration import open_database, organisation_of
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import operator_of
from gateway.records.destinations import Destination, Destinations
from gateway.records.events import EVENT_TYPES, EventType
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from shared.problems import InvalidInput, NotFound

# What becomes of a result.
OF_RESULTS: tuple[EventType, ...] = (
    "assessment.completed",
    "assessment.partial",
    "assessment.signed",
    "assessment.amended",
    "assessment.withdrawn",
)
# The same for an order system, which also wants to hear of a result under the order that came after its film.
OF_ORDERED_RESULTS: tuple[EventType, ...] = (*OF_RESULTS, "assessment.ordered")


def events_named(text: str, of_results: tuple[EventType, ...] = OF_RESULTS) -> tuple[EventType, ...]:
    """Event types separated by commas or spaces; `results` are all of a result's, and `none` is none.

    Raises:
        InvalidInput: one is unknown.
    """
    named = text.replace(",", " ").split()
    if named in (["none"], ["results"]):
        return of_results if named == ["results"] else ()
    if unknown := sorted(set(named) - set(EVENT_TYPES)):
        raise InvalidInput(f"There is no event {', '.join(unknown)}; there are: {', '.join(EVENT_TYPES)}.")
    return tuple(kind for kind in EVENT_TYPES if kind in named)


async def add_destination(
    settings: GatewaySettings,
    kind: str,
    name: str,
    events: Sequence[EventType],
    told_by: dict[str, Any],
    organisation: str | None = None,
) -> dict[str, Any]:
    """A new destination of the first organisation, or of the one named, which is made if there is none.

    Raises:
        Conflict: it has one of this kind and name.
    """
    async with _opened(settings) as (accounts, destinations):
        who = operator_of(await organisation_of(accounts, settings, organisation))
        return _shown(await destinations.add(who, kind, name, events, told_by))


async def list_destinations(settings: GatewaySettings, organisation: str | None = None) -> list[dict[str, Any]]:
    """An organisation's destinations, oldest first, without their secrets."""
    return [_shown(there) for there in await _all(settings, organisation)]


async def destination_named(settings: GatewaySettings, name: str, organisation: str | None = None) -> Destination:
    """One destination with its settings.

    Raises:
        NotFound: there is none of this name.
    """
    for there in await _all(settings, organisation):
        if name in (there.name, str(there.id)):
            return there
    raise NotFound(f"There is no destination '{name}': see trabecula route list.")


async def remove_destination(settings: GatewaySettings, name: str, organisation: str | None = None) -> dict[str, Any]:
    """Send nothing more to a destination; what waits is dead.

    Raises:
        NotFound: there is none of this name.
    """
    there = await destination_named(settings, name, organisation)
    async with _opened(settings) as (_, destinations):
        await destinations.remove(there.id, operator_of(there.organisation_id))
    return {"id": str(there.id), "name": there.name, "removed": True}


async def _all(settings: GatewaySettings, organisation: str | None) -> list[Destination]:
    async with _opened(settings) as (accounts, destinations):
        return await destinations.all(await organisation_of(accounts, settings, organisation))


@asynccontextmanager
async def _opened(settings: GatewaySettings) -> AsyncIterator[tuple[Accounts, Destinations]]:
    async with open_database(settings) as database:
        patients = Patients(database.sessions, installation_key(settings))
        yield Accounts(database.sessions), Destinations(database.sessions, patients)


def _shown(there: Destination) -> dict[str, Any]:
    return {
        "id": str(there.id),
        "kind": there.kind,
        "name": there.name,
        "events": list(there.events),
        "organisation_id": str(there.organisation_id),
        "created_at": there.created_at.isoformat(),
    }
