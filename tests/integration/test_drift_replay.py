"""Shifts replayed with drawn films, read by the real services: how many cases until each is noticed."""

import cv2
import numpy as np
import pytest

from gateway.assessing.case import Case
from gateway.assessing.drift_test import REFERENCE, WINDOWS, compared, counted
from gateway.assessing.observing import observed, refused
from gateway.assessing.workflow import Workflow
from shared.contracts.risk import RiskRequest
from shared.problems import ImageRefused
from shared.radiograph.phantom import as_jpeg, knee
from tests.conftest import shared_services

FILMS = 12


def record(age):
    return RiskRequest.model_validate({"record": {"age": age, "gender": "female", "weight_kg": 60}})


def squashed(picture):
    """A piece of the film, pulled to another shape: no view that the networks have learned."""
    return cv2.resize(picture[:, :150], (900, 300))


async def pool(services, change=lambda picture: picture, age=65, only_film=False):
    """What a dozen drawn knees look like after a change, as a gateway would observe them."""
    workflow, random, found = Workflow(services, 1), np.random.default_rng(7), []
    for number in range(FILMS):
        picture = change(knee(float(random.uniform(0.4, 0.9)), number, (700, 550)))
        risk = None if only_film else record(float(age + random.integers(-8, 9)))
        case = Case(as_jpeg(picture), risk, None)
        try:
            found.append(observed(await workflow.assess(case), case.risk))
        except ImageRefused as error:
            found.append(refused(str(error.members["reason"])))
    return found


def noticed_after(before, after, share=1.0, seed=0):
    """So many cases until the first whole window that raises an alarm, `share` of them being of the changed kind."""
    random = np.random.default_rng(seed)
    reference = counted([before[number] for number in random.integers(0, len(before), REFERENCE)])
    cases = [
        (after if random.uniform() < share else before)[random.integers(0, FILMS)] for _ in range(4 * max(WINDOWS))
    ]
    ends = (
        start + size
        for size in WINDOWS
        for start in range(0, len(cases) - size + 1, size)
        if any(changed.alarm for changed in compared(reference, cases[start : start + size]))
    )
    return min(ends, default=None)


@pytest.fixture(scope="module")
async def pools():
    async with shared_services()() as services:
        return {
            "as before": await pool(services),
            "inverted": await pool(services, lambda picture: 255 - picture),
            "wrong views": await pool(
                services, lambda picture: cv2.resize(picture[:, :150], (900, 300)), only_film=True
            ),
            "younger": await pool(services, age=25),
        }


@pytest.mark.slow
@pytest.mark.parametrize("change", ["inverted", "wrong views", "younger"])
def test_a_change_of_all_cases_is_noticed_with_the_first_window(pools, change):
    assert noticed_after(pools["as before"], pools[change]) == WINDOWS[0]


@pytest.mark.slow
def test_a_change_of_one_case_in_five_is_noticed_and_no_change_is_not(pools):
    before = pools["as before"]
    found = [noticed_after(before, pools["inverted"], share=0.2, seed=seed) for seed in range(10)]
    assert all(cases is not None and cases <= max(WINDOWS) for cases in found), found
    # 24 windows in each of twenty runs, of which one in a hundred may raise an alarm: 4.8 are expected at the most.
    assert sum(noticed_after(before, before, seed=seed) is not None for seed in range(20)) <= 9
