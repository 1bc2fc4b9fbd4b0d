"""Who goes first: a case that somebody waits for, then the cases of batches."""

import asyncio
import datetime as dt

import pytest

from gateway.assessing.case import Case
from gateway.assessing.workflow import Workflow
from gateway.records.stored_risk import as_sent
from shared.contracts.policy import ClinicPolicy
from shared.contracts.record import ClinicalRecord
from shared.contracts.risk import RiskRequest
from shared.problems import ServiceUnavailable

# Turns of the event loop after which whoever can go on has gone on.
TURNS = 50


class HeldServices:
    """Nobody answers until the door opens; then both say that they are out of order."""

    def __init__(self):
        self.asked, self.door = [], asyncio.Event()

    async def risk(self, request):
        self.asked.append(request.record.age)
        await self.door.wait()
        raise ServiceUnavailable("closed")

    async def recommend(self, request):
        raise ServiceUnavailable("closed")


def case(age):
    return Case(None, RiskRequest(record=ClinicalRecord(age=age, gender="female")), None)


async def turns():
    for _ in range(TURNS):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("batch_max_wait_s", "asked"), [(3600, [80]), (0, [80, 61])])
async def test_a_batch_gives_way_to_people_for_as_long_as_its_patience(batch_max_wait_s, asked):
    services = HeldServices()
    workflow = Workflow(services, 4, batch_max_wait_s)
    person = asyncio.create_task(workflow.assess(case(80)))
    await turns()
    of_batch = asyncio.create_task(workflow.assess_in_turn(case(61)))
    await turns()
    assert services.asked == asked
    services.door.set()
    assert (await person).lacks_a_service
    assert (await of_batch).lacks_a_service
    assert services.asked == [80, 61]


async def test_a_batch_goes_on_when_nobody_waits():
    services = HeldServices()
    services.door.set()
    await Workflow(services, 4, 3600).assess_in_turn(case(61))
    assert services.asked == [61]


class NotingServices:
    """Answers nothing and notes what it is asked."""

    def __init__(self):
        self.questions = []

    async def risk(self, request):
        self.questions.append(request)
        raise ServiceUnavailable("closed")

    recommend = risk


async def test_one_policy_and_one_day_go_with_every_question_of_a_case():
    services, policy = NotingServices(), ClinicPolicy(postmenopausal_from=None, frax_thresholds={"india": {"hip": 4}})
    sent = case(61)
    before = dt.datetime.now(dt.UTC).date()
    await Workflow(services, 1, policy=policy).assess(sent)
    risk, recommendation = services.questions
    assert risk.policy == recommendation.policy == policy
    assert risk.as_of == recommendation.as_of
    assert before <= risk.as_of <= dt.datetime.now(dt.UTC).date()
    assert sent.risk.as_of is None
    asked = Case(None, risk, None)
    assert as_sent(asked.risk) == as_sent(sent.risk) == {
        "record": {"age": 61.0, "gender": "female"}, "clinical_model": "bone_density",
    }  # fmt: skip
    assert asked.digest() == sent.digest()
