"""The queue of films with leases, as batches have them: each is worked on by one gateway, and none is forgotten."""

import datetime as dt
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import FilmRow, FilmsTurnedAwayRow
from gateway.platform.encryption import decrypt
from gateway.platform.identity.scopes import Principal
from gateway.records.films import UID_REUSED, FilmState, keyed_hash
from gateway.records.patients import Patients
from shared.problems import Conflict, NotFound

# Seconds after each attempt that failed; then it is dead. Up to a fifth more or less.
RETRY_S = (10, 60, 300, 1800, 7200, 43_200, 43_200)
JITTER = 0.2
# Longer than the services' timeouts allow one film to take; a film of a gateway that ended waits this long.
LEASE_S = 60
# What is deleted once a film has ended; a dead one keeps it, since somebody may send it again.
EMPTIED: dict[str, Any] = {"header": None, "content": None, "patient_hash": None}


@dataclass(frozen=True)
class FilmClaim:
    """A film that this gateway has a lease of."""

    id: UUID
    organisation_id: UUID
    source: str
    attempts: int
    leased_until: dt.datetime
    header: dict[str, str | None] = field(repr=False)
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class FilmLine:
    """A film as a list shows it; `header` is there as long as the film is."""

    id: UUID
    state: FilmState
    source: str
    reason: str | None
    last_error: str | None
    attempts: int
    arrived_at: dt.datetime
    next_at: dt.datetime
    ended_at: dt.datetime | None
    assessment_id: UUID | None
    header: dict[str, str | None]


@dataclass(frozen=True)
class FilmBacklog:
    """How the queue stands: films by state, since when the oldest waits, and how much was turned away at the door."""

    counts: Mapping[str, int]
    oldest_at: dt.datetime | None
    turned_away: Mapping[str, int]

    @property
    def waiting(self) -> int:
        """Films that wait or are worked on."""
        return self.counts.get("waiting", 0) + self.counts.get("working", 0)


class FilmQueue:
    """Hands out films and notes what became of them.

    Args:
        sessions: of the installation's database.
        patients: know the organisations' keys.
    """

    def __init__(self, sessions: Sessions, patients: Patients) -> None:
        self._sessions, self._patients = sessions, patients

    async def claim(self) -> FilmClaim | None:
        """Take a lease of the most urgent film, of those the oldest; null where none is due."""
        moment = now()
        waits = (FilmRow.state == "waiting") & (FilmRow.next_at <= moment)
        abandoned = (FilmRow.state == "working") & (FilmRow.leased_until <= moment)
        first = select(FilmRow.id).where(waits | abandoned).order_by(FilmRow.priority, FilmRow.id).limit(1)
        lease = moment + dt.timedelta(seconds=LEASE_S)
        take = (
            update(FilmRow)
            .where(FilmRow.id == first.with_for_update(skip_locked=True).scalar_subquery())
            .values(state="working", attempts=FilmRow.attempts + 1, leased_until=lease)
            .returning(FilmRow)
            .execution_options(synchronize_session=False)
        )
        async with self._sessions.begin() as session:
            row = (await session.scalars(take)).one_or_none()
        if row is None:
            return None
        assert row.content is not None and row.leased_until is not None  # noqa: S101, PT018 -- until it ends
        key = await self._patients.organisation_key(row.organisation_id)
        data = decrypt(key, row.content, row.id.bytes + b"film")
        return FilmClaim(
            row.id, row.organisation_id, row.source, row.attempts, row.leased_until, _header(row, key), data
        )

    async def done(self, claim: FilmClaim, assessment_id: UUID) -> None:
        """The film has its assessment; its file is deleted."""
        await self._end(claim, {"state": "done", "assessment_id": assessment_id, "last_error": None, **EMPTIED})

    async def refused(self, claim: FilmClaim, reason: str, why: str) -> None:
        """The film is none that is read, which no further attempt changes; its file is deleted."""
        await self._end(claim, {"state": "refused", "reason": reason[:60], "last_error": why[:300], **EMPTIED})

    async def dead(self, claim: FilmClaim, reason: str, why: str) -> None:
        """Nobody tries again, until somebody says so; the file is kept for that."""
        await self._end(claim, {"state": "dead", "reason": reason[:60], "last_error": why[:300]})

    async def later(self, claim: FilmClaim, reason: str, why: str, after_s: float | None = None) -> None:
        """An attempt failed: try again later, or give up after the last one.

        Args:
            after_s: what the service asked for.
        """
        if claim.attempts > len(RETRY_S):
            await self.dead(claim, reason, why)
            return
        wait = RETRY_S[claim.attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 -- no secret
        next_at = now() + dt.timedelta(seconds=max(wait, after_s or 0))
        await self._update(claim, {"state": "waiting", "next_at": next_at, "last_error": why[:300]})

    async def give_back(self, claim: FilmClaim, after_s: float = 0) -> None:
        """The gateway stops, or is too busy: the attempt does not count."""
        next_at = now() + dt.timedelta(seconds=after_s)
        await self._update(claim, {"state": "waiting", "attempts": claim.attempts - 1, "next_at": next_at})

    async def send_again(self, film_id: UUID, who: Principal) -> None:
        """Let a dead film be tried from its first attempt on.

        Raises:
            NotFound: the organisation has none under this id.
            Conflict: it is not dead, or its UID is another film's.
        """
        mine = (FilmRow.id == film_id) & (FilmRow.organisation_id == who.organisation_id)
        async with self._sessions.begin() as session:
            row = (await session.scalars(select(FilmRow).where(mine).with_for_update())).one_or_none()
            again = row is not None and row.state == "dead" and row.reason != UID_REUSED
            outcome: Outcome = "done" if again else "refused" if row else "not found"
            session.add(audit_row(who.organisation_id, who.id, AuditAction.FILM_SENT_AGAIN, str(film_id), outcome))
            if row is not None and again:
                row.state, row.attempts, row.next_at, row.ended_at, row.reason = "waiting", 0, now(), None, None
        if row is None:
            raise NotFound(f"There is no film {film_id}.")
        if not again:
            raise Conflict(
                "Another film came under this UID before: have the archive give this one a UID of its own."
                if row.reason == UID_REUSED
                else f"Only dead films are sent again; this one is {row.state}."
            )

    async def page(
        self, organisation_id: UUID, limit: int, state: FilmState | None = None, film_id: UUID | None = None
    ) -> Sequence[FilmLine]:
        """An organisation's films, newest first; those of one state, or the one of this id."""
        mine = FilmRow.organisation_id == organisation_id
        if state is not None:
            mine &= FilmRow.state == state
        if film_id is not None:
            mine &= FilmRow.id == film_id
        async with self._sessions() as session:
            rows = (await session.scalars(select(FilmRow).where(mine).order_by(FilmRow.id.desc()).limit(limit))).all()
        key = await self._patients.organisation_key(organisation_id) if rows else b""
        return [
            FilmLine(
                row.id,
                cast(FilmState, row.state),
                row.source,
                row.reason,
                row.last_error,
                row.attempts,
                row.arrived_at,
                row.next_at,
                row.ended_at,
                row.assessment_id,
                _header(row, key),
            )
            for row in rows
        ]

    async def backlog(self, organisation_id: UUID | None = None) -> FilmBacklog:
        """How the queue stands, of one organisation or of all."""
        mine = FilmRow.organisation_id == organisation_id if organisation_id else FilmRow.id.is_not(None)
        by_state = select(FilmRow.state, func.count(), func.min(FilmRow.arrived_at)).where(mine)
        async with self._sessions() as session:
            found = (await session.execute(by_state.group_by(FilmRow.state))).all()
            turned_away = (await session.execute(select(FilmsTurnedAwayRow.reason, FilmsTurnedAwayRow.count))).all()
        open_ones = [oldest for state, _, oldest in found if state in ("waiting", "working")]
        return FilmBacklog(
            {state: count for state, count, _ in found},
            min(open_ones, default=None),
            dict(turned_away),
        )

    async def _end(self, claim: FilmClaim, values: dict[str, Any]) -> None:
        await self._update(claim, {**values, "ended_at": now()})

    async def _update(self, claim: FilmClaim, values: dict[str, Any]) -> None:
        held = (FilmRow.id == claim.id) & (FilmRow.state == "working") & (FilmRow.leased_until == claim.leased_until)
        async with self._sessions.begin() as session:
            await session.execute(update(FilmRow).where(held).values({**values, "leased_until": None}))


async def forget_films(session: AsyncSession, organisation_id: UUID, key: bytes, numbers: Sequence[str]) -> None:
    """Delete what is kept of a patient's films, in the transaction that erases the patient.

    That they came stays, as a hash that names nobody, so that no archive brings them back.

    Args:
        key: the organisation's.
        numbers: every number of the patient.
    """
    hashes = [keyed_hash(key, "patient", number.strip()) for number in numbers]
    mine = (FilmRow.organisation_id == organisation_id) & FilmRow.patient_hash.in_(hashes)
    await session.execute(
        update(FilmRow)
        .where(mine)
        .values(state="erased", ended_at=now(), leased_until=None, reason=None, last_error=None, **EMPTIED)
        .execution_options(synchronize_session=False)
    )


def _header(row: FilmRow, key: bytes) -> dict[str, str | None]:
    if row.header is None:
        return {}
    read: dict[str, str | None] = json.loads(decrypt(key, row.header, row.id.bytes + b"header"))
    return read
