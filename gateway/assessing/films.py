"""Films that come in by themselves, for hospital systems that push them and administrators who look after them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.identity.scopes import Principal
from gateway.records.film_queue import FilmBacklog, FilmLine, FilmQueue
from gateway.records.films import Films, ReceivedFilm, Taken
from gateway.records.orders import OrderBacklog, Orders
from gateway.records.outbox import Backlog, Delivery, Outbox
from shared.problems import NotAuthorised

# As much as a list shows.
MOST_SHOWN = 100


@dataclass(frozen=True)
class RoutingState:
    """How an organisation's films and deliveries stand."""

    films: FilmBacklog
    deliveries: Backlog
    dead_films: Sequence[FilmLine]
    dead_deliveries: Sequence[Delivery]
    orders: OrderBacklog


@dataclass(frozen=True)
class FilmUseCases:
    """What is done with films beside assessing them.

    Args:
        films: takes them in; its commits last.
        queue: hands them out.
        outbox: what goes out again.
        audit: the trail.
        orders: that films are taken for.
    """

    films: Films
    queue: FilmQueue
    outbox: Outbox
    audit: Audit
    orders: Orders

    async def take_in(self, film: ReceivedFilm, who: Principal) -> Taken:
        """Store a film that a hospital system pushed.

        Raises:
            NotAuthorised: as `refuse_patients`.
        """
        self.refuse_patients(who)
        return await self.films.add(who.organisation_id, film, who.id)

    @staticmethod
    def refuse_patients(who: Principal) -> None:
        """See that no patient's own account pushes films.

        Raises:
            NotAuthorised: one does.
        """
        if who.is_patient:
            raise NotAuthorised("Archives send films here, not patients' accounts: use POST /v1/assessments.")

    async def state(self, who: Principal) -> RoutingState:
        """How everything stands that comes in and goes out, with a line in the audit trail."""
        await self.audit.write(who.organisation_id, who.id, AuditAction.ROUTING_READ)
        organisation = who.organisation_id
        return RoutingState(
            await self.queue.backlog(organisation),
            Backlog.of_all(list((await self.outbox.backlog(organisation)).values())),
            await self.queue.page(organisation, MOST_SHOWN, "dead"),
            await self.outbox.page(organisation, MOST_SHOWN, state="dead"),
            await self.orders.backlog(organisation),
        )

    async def send_again(self, film_or_delivery: UUID, who: Principal) -> None:
        """Have a dead film assessed again, or a dead or sent delivery sent again.

        Raises:
            NotFound: the organisation has neither under this id.
            Conflict: the film is not dead, or its UID is another film's.
        """
        if await self.queue.page(who.organisation_id, 1, film_id=film_or_delivery):
            await self.queue.send_again(film_or_delivery, who)
        else:
            await self.outbox.send_again(film_or_delivery, who)
