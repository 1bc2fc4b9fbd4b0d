"""Whose assessment is next. Staff and hospital systems have a share that patients' accounts leave free, whoever has
least under way comes first, and nobody waits without end."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from gateway.platform.identity.scopes import Principal
from shared.problems import TooBusy, TooManyRequests

# Of one patient's account, worked on and waiting; and of all patients' accounts together while staff have work here.
MOST_OF_A_PATIENT, PATIENTS_BESIDE_STAFF = 2, 1
# Seconds after their last assessment that staff count as at work: patients do not fill the house between two of them.
STAFF_PAUSE_S = 5.0
# How many may wait for each one that is worked on; patients' accounts take half of it.
WAITING_PER_PLACE = 4
RETRY_S = 2


@dataclass(eq=False)
class _Turn:
    caller: str
    organisation_id: UUID
    is_patient: bool
    granted: asyncio.Event = field(default_factory=asyncio.Event)


class FairTurns:
    """Hands out places for assessments.

    Args:
        places: assessments worked on at the same time.
        staff_share: of the places that patients' accounts leave free, 0 to 1.
        per_caller: of one member of staff or hospital system, worked on and waiting.
        patience_s: how long somebody waits for a place, in seconds.
    """

    def __init__(self, places: int, staff_share: float, per_caller: int, patience_s: float) -> None:
        self._places, self._per_caller, self._patience_s = places, per_caller, patience_s
        self._for_patients = max(1, places - int(places * staff_share))
        self._inside: list[_Turn] = []
        self._waiting: list[_Turn] = []
        self._staff_seen_s = -math.inf

    @asynccontextmanager
    async def turn(self, who: Principal) -> AsyncIterator[None]:
        """A place until the block ends.

        Raises:
            TooManyRequests: the caller has as many under way as one may have.
            TooBusy: as many wait as may, or no place became free in time.
        """
        turn = _Turn(who.id, who.organisation_id, who.is_patient)
        self._refuse_flood(turn)
        self._waiting.append(turn)
        self._grant()
        try:
            async with asyncio.timeout(self._patience_s):
                await turn.granted.wait()
        except TimeoutError as error:
            raise _too_busy() from error
        else:
            yield
        finally:
            (self._inside if turn in self._inside else self._waiting).remove(turn)
            if not turn.is_patient:
                self._staff_seen_s = time.monotonic()
            self._grant()

    def _refuse_flood(self, turn: _Turn) -> None:
        own = sum(other.caller == turn.caller for other in (*self._inside, *self._waiting))
        if own >= (MOST_OF_A_PATIENT if turn.is_patient else self._per_caller):
            raise TooManyRequests(
                "As many of your assessments are under way as one caller may have: wait for one to end.",
                retry_after_s=RETRY_S,
            )
        most = self._places * WAITING_PER_PLACE
        patients = sum(other.is_patient for other in self._waiting)
        if len(self._waiting) >= most or (turn.is_patient and patients >= most // 2):
            raise _too_busy()

    def _grant(self) -> None:
        """Let in whoever may and has least under way; among equals, who came first."""
        while len(self._inside) < self._places and (ready := [turn for turn in self._waiting if self._may(turn)]):
            chosen = min(ready, key=self._under_way)
            self._waiting.remove(chosen)
            self._inside.append(chosen)
            chosen.granted.set()

    def _may(self, turn: _Turn) -> bool:
        if not turn.is_patient:
            return True
        staff = any(not other.is_patient for other in (*self._inside, *self._waiting))
        at_work = staff or time.monotonic() - self._staff_seen_s < STAFF_PAUSE_S
        most = PATIENTS_BESIDE_STAFF if at_work else self._for_patients
        return sum(other.is_patient for other in self._inside) < most

    def _under_way(self, turn: _Turn) -> tuple[bool, int, int]:
        organisation = sum(other.organisation_id == turn.organisation_id for other in self._inside)
        return turn.is_patient, organisation, sum(other.caller == turn.caller for other in self._inside)


def _too_busy() -> TooBusy:
    return TooBusy("As many assessments are in flight as may be: try again in a moment.", retry_after_s=RETRY_S)
