"""Turns: a flood of patients' accounts holds up no staff, one clinic does not shut out another, and waiting ends."""

import asyncio
import time
from uuid import uuid4

import pytest

from gateway.assessing import fair_turns
from gateway.assessing.fair_turns import MOST_OF_A_PATIENT, FairTurns
from gateway.platform.identity.scopes import Principal
from shared.problems import TooBusy, TooManyRequests

CLINIC, OTHER = uuid4(), uuid4()


def staff(name="1", organisation=CLINIC):
    return Principal(f"key:{name}", organisation, frozenset(), "system")


def patient(name):
    return Principal(f"account:{name}", CLINIC, frozenset(), "patient", uuid4())


def turns(places=4, staff_share=0.75, per_caller=8, patience_s=1.0):
    return FairTurns(places, staff_share, per_caller, patience_s)


class Work:
    """Work that takes a turn until it is told to end."""

    def __init__(self, among, who):
        self.began, self.end = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(self._run(among, who))

    async def _run(self, among, who):
        async with among.turn(who):
            self.began.set()
            await self.end.wait()

    async def finish(self):
        self.end.set()
        await self.task


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_patients_leave_places_for_staff():
    among = turns(places=4)
    flood = [Work(among, patient(number)) for number in range(6)]
    await settle()
    assert sum(work.began.is_set() for work in flood) == 1  # a quarter of four
    clinic = [Work(among, staff()) for _ in range(3)]
    await settle()
    assert all(work.began.is_set() for work in clinic)
    for work in [*clinic, *flood]:
        await work.finish()


async def test_patients_do_not_fill_the_house_between_two_cases_of_the_clinic(monkeypatch):
    among = turns(places=8)
    async with among.turn(staff()):
        pass
    flood = [Work(among, patient(number)) for number in range(4)]
    await settle()
    assert sum(work.began.is_set() for work in flood) == 1
    monkeypatch.setattr(fair_turns, "STAFF_PAUSE_S", 0.0)
    await flood[0].finish()
    await settle()
    assert sum(work.began.is_set() for work in flood) == 3  # the first, and a quarter of eight
    for work in flood[1:]:
        await work.finish()


async def test_staff_come_before_patients_who_waited_longer():
    among = turns(places=1, staff_share=0)
    first, waiting = Work(among, staff("a")), Work(among, patient("p"))
    await settle()
    late = Work(among, staff("b"))
    await settle()
    await first.finish()
    await settle()
    assert (late.began.is_set(), waiting.began.is_set()) == (True, False)
    await late.finish()
    await waiting.finish()


async def test_who_has_least_under_way_is_next():
    among = turns(places=4, per_caller=10)
    greedy = [Work(among, staff("greedy")) for _ in range(8)]
    await settle()
    other = Work(among, staff("other", OTHER))
    await settle()
    assert not other.began.is_set()
    await greedy[0].finish()
    await settle()
    assert other.began.is_set()
    assert sum(work.began.is_set() for work in greedy) == 4
    await other.finish()
    for work in greedy[1:]:
        await work.finish()


async def test_one_caller_has_so_much_under_way_and_no_more():
    among = turns()
    one = [Work(among, patient("p")) for _ in range(MOST_OF_A_PATIENT)]
    await settle()
    with pytest.raises(TooManyRequests) as refused:
        async with among.turn(patient("p")):
            pass
    assert refused.value.members["retry_after_s"] > 0
    for work in one:
        await work.finish()
    async with among.turn(patient("p")):
        pass


async def test_waiting_ends_and_leaves_nothing_behind():
    among = turns(places=1, patience_s=0.05)
    held = Work(among, staff("a"))
    await settle()
    for _ in range(3):
        with pytest.raises(TooBusy):
            async with among.turn(staff("b")):
                pass
    cancelled = Work(among, staff("c"))
    await settle()
    cancelled.task.cancel()
    await asyncio.gather(cancelled.task, return_exceptions=True)
    await held.finish()
    async with among.turn(staff("d")):
        assert (len(among._inside), among._waiting) == (1, [])
    assert among._inside == []


async def test_a_failure_gives_the_place_back():
    among = turns(places=1)
    with pytest.raises(ValueError, match="broken"):
        async with among.turn(staff()):
            raise ValueError("broken")
    async with among.turn(staff()):
        pass


# Long beside what a busy machine takes to wake somebody up.
WORK_S = 0.04


async def latencies(among, flood):
    """What four members of staff wait for each of their assessments of 40 ms, beside patients who never stop asking."""
    taken, stop = [], asyncio.Event()

    async def one(who, times):
        for _ in range(times):
            began = time.perf_counter()
            async with among.turn(who):
                await asyncio.sleep(WORK_S)
            taken.append(time.perf_counter() - began)

    async def never_stop(who):
        while not stop.is_set():
            try:
                async with among.turn(who):
                    await asyncio.sleep(WORK_S)
            except (TooBusy, TooManyRequests):
                await asyncio.sleep(0.005)

    strangers = [asyncio.create_task(never_stop(patient(number))) for number in range(flood)]
    await asyncio.gather(*(one(staff(str(number)), 15) for number in range(4)))
    stop.set()
    await asyncio.gather(*strangers)
    return sorted(taken)[int(len(taken) * 0.95)]


async def test_fifty_who_never_stop_do_not_hold_up_staff():
    alone = await latencies(turns(places=6, patience_s=5), 0)
    beside = await latencies(turns(places=6, patience_s=5), 50)
    assert beside <= 2 * alone
