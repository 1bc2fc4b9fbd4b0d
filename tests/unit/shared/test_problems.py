import inspect

import pytest

from shared import problems
from shared.contracts.assessment import MISSING_PART_TYPES
from shared.problems import (
    PROBLEMS,
    ImageRefused,
    InvalidInput,
    InvalidRecord,
    MissingInput,
    NotAuthenticated,
    ServiceUnavailable,
    TooBusy,
    TrabeculaError,
    problem_for,
)


def error_classes():
    return [
        kind for _, kind in inspect.getmembers(problems, inspect.isclass)
        if issubclass(kind, TrabeculaError) and kind is not TrabeculaError
    ]  # fmt: skip


# Callers get the answer of its parent: a service did not answer.
TOLD_APART_INSIDE = {problems.ServiceBrokeOff}


@pytest.mark.parametrize("kind", error_classes())
def test_every_error_has_a_row_of_its_own_and_a_place_in_the_drawing(kind):
    assert kind in PROBLEMS or kind in TOLD_APART_INSIDE
    assert kind.__name__ in problems.__doc__


def test_types_are_unique():
    types = [problem.type for problem in PROBLEMS.values()]
    assert len(set(types)) == len(types)


def test_an_error_of_ones_own_takes_the_row_of_what_it_derives_from():
    class OddImage(ImageRefused):
        pass

    assert problem_for(OddImage("odd")) is PROBLEMS[ImageRefused]


def test_an_error_without_a_row_is_a_mistake_of_the_programmer():
    with pytest.raises(LookupError):
        problem_for(TrabeculaError("nothing"))


def test_members_travel_with_the_error():
    assert InvalidInput("no", field="image").members == {"field": "image"}


def test_a_missing_part_can_carry_every_problem_that_leaves_one_out():
    left_out = {
        kind for kind in PROBLEMS if issubclass(kind, InvalidInput) and kind not in (InvalidRecord, MissingInput)
    }
    types = {PROBLEMS[kind].type for kind in (*left_out, ServiceUnavailable, TooBusy, NotAuthenticated)}
    assert types == MISSING_PART_TYPES
