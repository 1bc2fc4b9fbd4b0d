"""What a condition comes to in one case: true, false or unknown, and which fields would settle it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt

from services.recommender.conditions import AllOf, AnyOf, Condition, Defined, Not, OnRecord, Test
from services.recommender.facts import Facts
from shared.clinic.logic import Truth, negation

COMPARE: Mapping[str, Callable[[float, float], bool]] = {"at_least": ge, "at_most": le, "above": gt, "below": lt}
WORDS = {"at_least": "at least", "at_most": "at most", "above": "above", "below": "below"}


@dataclass(frozen=True)
class Evaluation:
    """The truth of a condition; `missing` names the fields that would settle an unknown one."""

    truth: Truth
    missing: frozenset[str] = frozenset()


TRUE, FALSE = Evaluation(True), Evaluation(False)


class ConditionEvaluator:
    """Evaluates conditions over the facts of one case; a definition is evaluated once."""

    def __init__(
        self, facts: Facts, definitions: Mapping[str, Condition], evaluated: Mapping[str, Evaluation] | None = None
    ) -> None:
        self._facts = facts
        self._definitions = definitions
        self._evaluated = dict(evaluated or {})

    def with_facts(self, facts: Facts) -> "ConditionEvaluator":
        """An evaluator for facts that differ in nothing a definition may ask for: it keeps what definitions came to."""
        return ConditionEvaluator(facts, self._definitions, self._evaluated)

    def evaluate(self, condition: Condition) -> Evaluation:
        """The evaluation of any part of a condition."""
        match condition:
            case Test():
                return self._test(condition)
            case Defined(definition=name):
                return self.defined(name)
            case AllOf(all=parts):
                return self._joined(parts, decisive=False)
            case AnyOf(any=parts):
                return self._joined(parts, decisive=True)
            case Not(not_=part):
                inner = self.evaluate(part)
                return Evaluation(negation(inner.truth), inner.missing)
            case OnRecord(on_record=part):
                return TRUE if self.evaluate(part).truth else FALSE

    def defined(self, name: str) -> Evaluation:
        """The evaluation of a definition or a population."""
        if name not in self._evaluated:
            self._evaluated[name] = self.evaluate(self._definitions[name])
        return self._evaluated[name]

    def _joined(self, parts: list[Condition], decisive: bool) -> Evaluation:
        """Kleene's `and` (a false part decides) or his `or` (a true one does); what is unknown is worth asking for."""
        unknown: list[Evaluation] = []
        for part in parts:
            result = self.evaluate(part)
            if result.truth is decisive:
                return TRUE if decisive else FALSE
            if result.truth is None:
                unknown.append(result)
        if unknown:
            return Evaluation(None, frozenset().union(*(result.missing for result in unknown)))
        return FALSE if decisive else TRUE

    def _test(self, test: Test) -> Evaluation:
        value = self._facts[test.fact]
        if test.known is not None:
            return TRUE if (value is not None) == test.known else FALSE
        if value is None:
            return Evaluation(None, frozenset(self._facts.missing(test.fact)))
        return TRUE if _holds(test, value) else FALSE

    def trace(self, condition: Condition) -> Iterator[str]:
        """Each test of a condition in words, with the value of this case."""
        match condition:
            case Test():
                yield f"{in_words(condition)}: {_said(self._test(condition).truth)} ({self._value(condition.fact)})"
            case AllOf(all=parts) | AnyOf(any=parts):
                for part in parts:
                    yield from self.trace(part)
            case Not(not_=part):
                yield from (f"not: {line}" for line in self.trace(part))
            case OnRecord(on_record=part):
                yield from (f"on record: {line}" for line in self.trace(part))
            case Defined(definition=name):
                yield f"{name}: {_said(self.evaluate(condition).truth)}"
                yield from (f"  {line}" for line in self.trace(self._definitions[name]))

    def _value(self, fact: str) -> str:
        value = self._facts[fact]
        return f"{value:.4g}" if isinstance(value, float) else "not known" if value is None else str(value).lower()


def in_words(test: Test) -> str:
    """A test as a person would read it."""
    if test.known is not None:
        return f"{test.fact} {'is known' if test.known else 'is not known'}"
    if test.is_ is not None:
        return f"{test.fact} is {str(test.is_).lower() if isinstance(test.is_, bool) else test.is_}"
    if test.in_ is not None:
        return f"{test.fact} is one of {', '.join(test.in_)}"
    return f"{test.fact} " + " and ".join(f"{WORDS[name]} {bound:g}" for name, bound in test.bounds.items())


def _holds(test: Test, value: bool | float | str) -> bool:
    if test.is_ is not None:
        return value == test.is_
    if test.in_ is not None:
        return value in test.in_
    # The rules are checked at load, so that only a number gets here.
    return not isinstance(value, str) and all(COMPARE[name](value, bound) for name, bound in test.bounds.items())


def _said(truth: Truth) -> str:
    return "unknown" if truth is None else "yes" if truth else "no"
