"""Whether a doctor should be seen, how soon, and why."""

from collections.abc import Iterator, Sequence
from typing import get_args

from services.recommender.rule_evaluation import RuleEvaluation
from services.recommender.schema import ConsultRule
from shared.contracts.recommendation import Consult, Translation, Urgency

SOONEST_FIRST: tuple[Urgency, ...] = tuple(reversed(get_args(Urgency)))


def consult_rules(evaluation: RuleEvaluation) -> list[ConsultRule]:
    """The consult rules that fire, the most urgent first."""
    fired = [rule for rule in evaluation.rules.consults if evaluation.outcome(rule) == "fired"]
    return sorted(fired, key=lambda rule: SOONEST_FIRST.index(rule.urgency))


def consult(evaluation: RuleEvaluation, fired: Sequence[ConsultRule]) -> Consult:
    """The consult block: as urgent as its most urgent reason; the links are there but for an emergency."""
    if not fired:
        return Consult(advised=False, links=evaluation.rules.links.consult_links)
    urgency = fired[0].urgency
    return Consult(
        advised=True,
        urgency=urgency,
        reason=" ".join(rule.reason for rule in fired),
        patient_reason=" ".join(rule.patient_reason for rule in fired),
        # An emergency is no matter for an online consultation.
        links=[] if urgency == "emergency" else evaluation.rules.links.consult_links,
        translations=list(_translations(evaluation, fired)),
    )


def _translations(evaluation: RuleEvaluation, fired: Sequence[ConsultRule]) -> Iterator[Translation]:
    for catalogue in evaluation.rules.catalogues:
        parts = [catalogue.find(rule.id, rule.version) for rule in fired]
        translation = catalogue.translation(parts, {})
        if translation is not None:
            yield translation
