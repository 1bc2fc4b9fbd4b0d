"""Whether a rule fires in a case."""

from dataclasses import dataclass, replace
from typing import Literal

from services.recommender.case import Case
from services.recommender.facts import Facts
from services.recommender.finding_facts import REGISTRY
from services.recommender.rule_set import RuleSet
from services.recommender.schema import ConsultRule, Rule
from services.recommender.verdict import Judge, Verdict
from shared.contracts.recommendation import DrugClass, RecommendationRequest, Status, Urgency

Outcome = Literal["fired", "did not fire", "unknown", "other population", "disabled"]


@dataclass(frozen=True)
class Bench:
    """The rules and one case, ready for judgement."""

    rules: RuleSet
    case: Case
    facts: Facts
    judge: Judge

    @classmethod
    def of(cls, rules: RuleSet, request: RecommendationRequest) -> "Bench":
        """The bench for a request whose drug classes are not yet resolved."""
        facts = Facts(Case(request), REGISTRY)
        return cls(rules, facts.case, facts, Judge(facts, rules.conditions))

    def with_statuses(self, statuses: dict[DrugClass, Status]) -> "Bench":
        """The same case once its drug classes are resolved, which some rules look back at."""
        return self._later(replace(self.case, statuses=statuses))

    def with_urgency(self, urgency: Urgency | None) -> "Bench":
        """The same case once it is known how soon a doctor should be seen, which some items look back at."""
        return self._later(replace(self.case, urgency=urgency))

    def _later(self, case: Case) -> "Bench":
        facts = self.facts.of(case)
        return Bench(self.rules, case, facts, self.judge.over(facts))

    def population(self, rule: Rule | ConsultRule) -> Verdict:
        """Whether the patient belongs to those the rule is for."""
        return self.judge.defined(rule.population)

    def outcome(self, rule: Rule | ConsultRule) -> Outcome:
        """Whether a rule fires: its condition is true, and the patient is not known to be outside its population."""
        if not rule.enabled:
            return "disabled"
        if self.population(rule).truth is False:
            return "other population"
        truth = self.judge.verdict(rule.condition).truth
        return "unknown" if truth is None else "fired" if truth else "did not fire"

    def quoted(self, names: set[str]) -> dict[str, str]:
        """The numbers that a text quotes, as they are printed; in one order, so that a case gives the same bytes."""
        return {name: _printed(self.facts[name]) for name in sorted(names)}


def _printed(value: bool | float | str | None) -> str:
    return f"{round(value, 1):g}" if isinstance(value, (int, float)) else "?" if value is None else value
