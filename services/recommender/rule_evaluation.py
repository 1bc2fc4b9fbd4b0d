"""Whether a rule fires in a case."""

from dataclasses import dataclass, replace
from typing import Literal

from services.recommender.case import Case
from services.recommender.condition_evaluator import ConditionEvaluator, Evaluation
from services.recommender.facts import Facts
from services.recommender.finding_facts import REGISTRY
from services.recommender.rule_set import RuleSet
from services.recommender.schema import ConsultRule, Rule
from shared.contracts.recommendation import DrugClass, RecommendationRequest, Status, Urgency

Outcome = Literal["fired", "did not fire", "unknown", "other population", "disabled"]


@dataclass(frozen=True)
class RuleEvaluation:
    """The rules and one case: which rules fire in it, and what they quote of it."""

    rules: RuleSet
    case: Case
    facts: Facts
    evaluator: ConditionEvaluator

    @classmethod
    def of(cls, rules: RuleSet, request: RecommendationRequest) -> "RuleEvaluation":
        """The evaluation of a request whose drug classes are not yet resolved."""
        facts = Facts(Case(request), REGISTRY)
        return cls(rules, facts.case, facts, ConditionEvaluator(facts, rules.conditions))

    def with_statuses(self, statuses: dict[DrugClass, Status]) -> "RuleEvaluation":
        """The same case once its drug classes are resolved: some rules need their statuses."""
        return self._later(replace(self.case, statuses=statuses))

    def with_urgency(self, urgency: Urgency | None) -> "RuleEvaluation":
        """The same case once it is known how soon a doctor should be seen, which some items depend on."""
        return self._later(replace(self.case, urgency=urgency))

    def _later(self, case: Case) -> "RuleEvaluation":
        facts = self.facts.of(case)
        return RuleEvaluation(self.rules, case, facts, self.evaluator.with_facts(facts))

    def population(self, rule: Rule | ConsultRule) -> Evaluation:
        """Whether the patient belongs to those the rule is for."""
        return self.evaluator.defined(rule.population)

    def outcome(self, rule: Rule | ConsultRule) -> Outcome:
        """Whether a rule fires: its condition is true, and the patient is not known to be outside its population."""
        if not rule.enabled:
            return "disabled"
        if self.population(rule).truth is False:
            return "other population"
        truth = self.evaluator.evaluate(rule.condition).truth
        return "unknown" if truth is None else "fired" if truth else "did not fire"

    def quoted(self, names: set[str]) -> dict[str, str]:
        """The numbers that a text quotes, as they are printed; in one order, so that a case gives the same bytes."""
        return {name: _printed(self.facts[name]) for name in sorted(names)}


def _printed(value: bool | float | str | None) -> str:
    return f"{round(value, 1):g}" if isinstance(value, (int, float)) else "?" if value is None else value
