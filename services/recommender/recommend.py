"""From findings and record to what a clinician should consider next."""

from services.recommender.consult import consult, consult_rules
from services.recommender.items import medication_item, other_item
from services.recommender.letter import referral_letter
from services.recommender.medication import Medication, medications
from services.recommender.next_dxa import next_dxa
from services.recommender.rule_evaluation import RuleEvaluation
from services.recommender.rule_set import RuleSet
from services.recommender.schema import ConsultRule, Rule
from shared.contracts.recommendation import RecommendationRequest, RecommendationSet


def recommend(request: RecommendationRequest, rules: RuleSet) -> RecommendationSet:
    """What the rules say of one case: drug classes first, in guideline order, then everything else.

    Args:
        request: the findings and the record, each of which may be missing.
        rules: a checked rule set.
    """
    evaluation, drugs, doctor = resolved(request, rules)
    others = _grouped([rule for rule in rules.rules if rule.output.kind != "medication" and _fires(evaluation, rule)])
    advice = consult(evaluation, doctor)
    return RecommendationSet(
        items=[
            *(medication_item(evaluation, drug) for drug in drugs),
            *(other_item(evaluation, first, further) for first, *further in others),
        ],
        consult=advice,
        rules=rules.reference,
        next_dxa=next_dxa(evaluation, [first for first, *_ in others]),
        letter=referral_letter(
            evaluation,
            [first for first, *_ in others if first.output.kind == "referral"],
            advice.urgency,
            [rule.reason for rule in doctor],
            {field for drug in drugs for field in drug.checks},
        ),
    )


def resolved(
    request: RecommendationRequest, rules: RuleSet
) -> tuple[RuleEvaluation, list[Medication], list[ConsultRule]]:
    """The case with what later rules depend on, the drug classes, and the consult rules that fire.

    The status of the drug classes comes first, then how soon a doctor should be seen, which may depend on it.
    """
    evaluation = RuleEvaluation.of(rules, request)
    drugs = medications(evaluation)
    evaluation = evaluation.with_statuses({drug.drug_class: drug.status for drug in drugs})
    doctor = consult_rules(evaluation)
    return evaluation.with_urgency(doctor[0].urgency if doctor else None), drugs, doctor


def _fires(evaluation: RuleEvaluation, rule: Rule) -> bool:
    return evaluation.outcome(rule) == "fired"


def _grouped(fired: list[Rule]) -> list[list[Rule]]:
    """The fired rules, those of one group together under the first of them."""
    groups: dict[str, list[Rule]] = {}
    for rule in fired:
        groups.setdefault(f"group {rule.output.group}" if rule.output.group else rule.id, []).append(rule)
    return list(groups.values())
