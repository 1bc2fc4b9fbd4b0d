"""Drug classes: which are named, and whether one may be considered, needs a check first, or is blocked."""

from dataclasses import dataclass

from services.recommender.field_words import listed
from services.recommender.rule_evaluation import RuleEvaluation
from services.recommender.schema import Contraindication, Rule
from shared.contracts.recommendation import DrugClass, Status


@dataclass(frozen=True)
class Medication:
    """One drug class with its status.

    Attributes:
        drug_class: the class.
        rule: the first rule, in the order of the files, that names the class for this patient.
        status: blocked wins over check first, which wins over consider.
        checks: the record fields to look at first, sorted by name.
        reasons: why it is blocked, or what to check and why.
        others: further rules, of other frameworks, that name the class as well.
    """

    drug_class: DrugClass
    rule: Rule
    status: Status
    checks: tuple[str, ...]
    reasons: tuple[str, ...]
    others: tuple[Rule, ...]


def medications(evaluation: RuleEvaluation) -> list[Medication]:
    """The drug classes that some rule names for the patient, in the order of the rules, each with its status."""
    named = [rule for rule in evaluation.rules.rules if rule.output.kind == "medication"]
    fired = [rule for rule in named if evaluation.outcome(rule) == "fired"]
    by_class: dict[DrugClass, list[Rule]] = {}
    for rule in fired:
        if rule.output.drug_class:
            by_class.setdefault(rule.output.drug_class, []).append(rule)
    return [_resolved(evaluation, drug_class, rules) for drug_class, rules in by_class.items()]


def _resolved(evaluation: RuleEvaluation, drug_class: DrugClass, rules: list[Rule]) -> Medication:
    """The status of one class: every contraindication counts, and one that is unknown asks for a check."""
    enabled = [rule for rule in evaluation.rules.contraindications if rule.enabled]
    against = [rule for rule in enabled if drug_class in rule.drug_classes]
    # A framework that is sure of its indication takes precedence over one that asks about it first.
    first = next((rule for rule in rules if not rule.output.checks), rules[0])
    others = tuple(rule for rule in rules if rule is not first)
    blocking = [rule for rule in against if rule.effect == "block"]
    blocks = [rule for rule in blocking if evaluation.evaluator.evaluate(rule.condition).truth]
    if blocks:
        return Medication(drug_class, first, "blocked", (), tuple(block.reason for block in blocks), others)
    checks, reasons = _open_questions(evaluation, first, against)
    status: Status = "check_first" if checks else "consider"
    return Medication(drug_class, first, status, tuple(sorted(checks)), tuple(reasons), others)


def _open_questions(
    evaluation: RuleEvaluation, rule: Rule, against: list[Contraindication]
) -> tuple[set[str], list[str]]:
    """The fields to check before a class is considered, and why."""
    population = evaluation.population(rule)
    checks = set(rule.output.checks)
    reasons = [f"Confirm first: {listed(checks)}."] if checks else []
    if population.truth is None:
        checks |= population.missing
        reasons.append(f"It is not known whether the patient is of those it is for: {listed(population.missing)}.")
    for contraindication in against:
        result = evaluation.evaluator.evaluate(contraindication.condition)
        if result.truth is None:
            checks |= result.missing
            reasons.append(f"Not on the record ({listed(result.missing)}), to be ruled out: {contraindication.reason}")
        elif result.truth:
            checks |= _still_open(evaluation, contraindication.checks)
            reasons.append(contraindication.reason)
    return checks, reasons


def _still_open(evaluation: RuleEvaluation, fields: list[str]) -> set[str]:
    """Of the fields to check, those that nobody filled in; all of them where each has a value to look at again."""
    record = evaluation.case.record
    return {name for name in fields if getattr(record, name, None) is None} or set(fields)
