"""Kleene's laws, over the condition language itself."""

from hypothesis import given
from hypothesis import strategies as st

from services.recommender.case import Case
from services.recommender.condition_evaluator import ConditionEvaluator, Evaluation
from services.recommender.conditions import AllOf, AnyOf, Not, OnRecord, Test
from services.recommender.facts import Fact, Facts
from shared.clinic.logic import any_of, negation
from shared.contracts.recommendation import RecommendationRequest

truths = st.sampled_from([True, False, None])
CASE = Case(RecommendationRequest())


def evaluator(**values: bool | None) -> ConditionEvaluator:
    registry = {name: Fact(name, "yes_no", lambda _, v=value: v, (name,)) for name, value in values.items()}
    return ConditionEvaluator(Facts(CASE, registry), {})


def yes(name: str) -> Test:
    return Test(fact=name, is_=True)


def both(a: str = "a", b: str = "b") -> AllOf:
    return AllOf(all=[yes(a), yes(b)])


def either(a: str = "a", b: str = "b") -> AnyOf:
    return AnyOf(any=[yes(a), yes(b)])


@given(truths, truths)
def test_and_or_commute_and_obey_de_morgan(a: bool | None, b: bool | None) -> None:
    evaluation = evaluator(a=a, b=b)
    assert evaluation.evaluate(both()).truth == evaluation.evaluate(both("b", "a")).truth
    assert evaluation.evaluate(either()).truth == evaluation.evaluate(either("b", "a")).truth
    neither = AllOf(all=[Not(not_=yes("a")), Not(not_=yes("b"))])
    assert evaluation.evaluate(Not(not_=either())).truth == evaluation.evaluate(neither).truth


@given(truths)
def test_double_negation_and_identity(a: bool | None) -> None:
    evaluation = evaluator(a=a, t=True, f=False)
    assert evaluation.evaluate(Not(not_=Not(not_=yes("a")))).truth is a
    assert evaluation.evaluate(both("a", "t")).truth is a
    assert evaluation.evaluate(either("a", "f")).truth is a


@given(truths, truths, truths)
def test_and_distributes_over_or(a: bool | None, b: bool | None, c: bool | None) -> None:
    evaluation = evaluator(a=a, b=b, c=c)
    left = AllOf(all=[yes("a"), either("b", "c")])
    right = AnyOf(any=[both("a", "b"), both("a", "c")])
    assert evaluation.evaluate(left).truth == evaluation.evaluate(right).truth


@given(st.lists(truths, min_size=1, max_size=4), st.integers(0, 3), st.booleans())
def test_learning_more_never_turns_an_evaluation(values: list[bool | None], position: int, learnt: bool) -> None:
    """What was decided stays decided, whatever an unknown turns out to be."""
    names = [f"n{number}" for number in range(len(values))]
    before = dict(zip(names, values, strict=True))
    place = names[position % len(names)]
    after = {**before, place: learnt if before[place] is None else before[place]}
    for whole in (AllOf(all=[yes(name) for name in names]), AnyOf(any=[Not(not_=yes(name)) for name in names])):
        truth = evaluator(**before).evaluate(whole).truth
        if truth is not None:
            assert evaluator(**after).evaluate(whole).truth is truth


@given(truths, truths)
def test_missing_names_what_is_unknown_and_only_where_it_matters(a: bool | None, b: bool | None) -> None:
    result = evaluator(a=a, b=b).evaluate(both())
    if result.truth is None:
        assert result.missing == {name for name, value in (("a", a), ("b", b)) if value is None}
    else:
        assert result == Evaluation(result.truth)


@given(truths)
def test_on_record_is_never_unknown(a: bool | None) -> None:
    assert evaluator(a=a).evaluate(OnRecord(on_record=yes("a"))).truth is (a is True)


def test_known_asks_whether_a_fact_is_known() -> None:
    evaluation = evaluator(a=None, b=False)
    assert evaluation.evaluate(Test(fact="a", known=False)).truth is True
    assert evaluation.evaluate(Test(fact="b", known=True)).truth is True


def test_bounds_are_inclusive_or_not_as_their_names_say() -> None:
    registry = {"n": Fact("n", "number", lambda _: 30.0, ("n",))}
    evaluation = ConditionEvaluator(Facts(CASE, registry), {})
    assert evaluation.evaluate(Test(fact="n", at_least=30)).truth is True
    assert evaluation.evaluate(Test(fact="n", at_most=30)).truth is True
    assert evaluation.evaluate(Test(fact="n", above=30)).truth is False
    assert evaluation.evaluate(Test(fact="n", at_least=20, below=30)).truth is False


@given(st.lists(truths))
def test_any_of_and_negation(parts: list[bool | None]) -> None:
    expected = True if True in parts else None if None in parts else False
    assert any_of(parts) is expected
    assert negation(negation(expected)) is expected
