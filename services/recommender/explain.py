"""Why each rule did or did not fire, and the report on a rules directory: for the command line."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.recommender.load import SHIPPED_RULES, BrokenRules, load_rules
from services.recommender.recommend import resolved
from services.recommender.rule_evaluation import Outcome, RuleEvaluation
from services.recommender.rule_set import RuleSet
from services.recommender.schema import ConsultRule, Contraindication, Rule
from shared.contracts.recommendation import RecommendationRequest


class Explanation(BaseModel):
    """What became of one rule in one case.

    Attributes:
        id: the rule's id, and `file` the file it stands in.
        sort: a rule for an item, a contraindication of drug classes, or a rule for the consult block.
        outcome: for a contraindication, `fired` means that it holds.
        missing: the fields that would settle an unknown outcome.
        because: each test of the condition with this case's value.
        citation: the source of the rule.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    file: str
    sort: Literal["rule", "limit", "consult"]
    outcome: Outcome
    missing: list[str]
    because: list[str]
    citation: str


class RulesReport(BaseModel):
    """The state of a rules directory; it is usable where `faults` is empty.

    `unsigned` gives, for each rule that waits for a clinician, its id and the digest to sign.
    """

    model_config = ConfigDict(frozen=True)

    faults: list[str]
    version: str | None = None
    counts: dict[str, int] = {}
    unsigned: dict[str, str] = {}
    disabled: list[str] = []
    untranslated: list[str] = []

    @property
    def usable(self) -> bool:
        return not self.faults


def explain(request: RecommendationRequest, rules: RuleSet | None = None) -> list[Explanation]:
    """Why each rule, contraindication and consult rule did or did not fire.

    Raises:
        BrokenRules: no rule set was given and the shipped one does not load.
    """
    rules = rules or load_rules()
    evaluation, _, _ = resolved(request, rules)
    evaluated: list[Rule | Contraindication | ConsultRule] = [*rules.rules, *rules.contraindications, *rules.consults]
    return [_explained(evaluation, rule) for rule in evaluated]


def _explained(evaluation: RuleEvaluation, rule: Rule | Contraindication | ConsultRule) -> Explanation:
    result = evaluation.evaluator.evaluate(rule.condition)
    if isinstance(rule, Contraindication):
        outcome: Outcome = "unknown" if result.truth is None else "fired" if result.truth else "did not fire"
        outcome = outcome if rule.enabled else "disabled"
        population = []
    else:
        outcome = evaluation.outcome(rule)
        population = [
            f"for {evaluation.rules.populations[rule.population].words}: {_said(evaluation.population(rule).truth)}"
        ]
    return Explanation(
        id=rule.id,
        file=evaluation.rules.origin[rule.id],
        sort="limit" if isinstance(rule, Contraindication) else "rule" if isinstance(rule, Rule) else "consult",
        outcome=outcome,
        missing=sorted(result.missing),
        because=[*population, *evaluation.evaluator.trace(rule.condition)],
        citation=str(rule.citation),
    )


def _said(truth: bool | None) -> str:
    return "not known" if truth is None else "yes" if truth else "no"


def rules_check(directory: Path = SHIPPED_RULES) -> RulesReport:
    """The report of `trabecula rules check`: every fault; or else what waits for a clinician or a translator."""
    try:
        rules = load_rules(directory)
    except BrokenRules as error:
        return RulesReport(faults=[str(fault) for fault in error.faults])
    wanted = {rule.id: rule.version for rule in (*rules.rules, *rules.consults) if rule.enabled}
    return RulesReport(
        faults=[],
        version=rules.reference.version,
        counts={
            "rules": len(rules.rules),
            "limits": len(rules.contraindications),
            "consult rules": len(rules.consults),
            "definitions": len(rules.definitions),
            "sourced or signed": sum(part.state in ("sourced", "signed by a clinician") for part in rules.statements()),
            "house judgements": sum(part.state == "house" for part in rules.statements()),
        },
        unsigned={part.id: part.digest for part in rules.statements() if part.state == "needs clinician sign-off"},
        disabled=[part.id for part in rules.statements() if not part.enabled],
        untranslated=[gap for catalogue in rules.catalogues for gap in catalogue.gaps(wanted)],
    )
