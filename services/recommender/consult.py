"""Whether a doctor should be seen, how soon, and why."""

from collections.abc import Iterator, Sequence
from typing import get_args

from services.recommender.evaluate import Bench
from services.recommender.schema import ConsultRule
from shared.contracts.recommendation import Consult, Translation, Urgency

SOONEST_FIRST: tuple[Urgency, ...] = tuple(reversed(get_args(Urgency)))


def consult_rules(bench: Bench) -> list[ConsultRule]:
    """The consult rules that fire, the most urgent first."""
    fired = [rule for rule in bench.rules.consults if bench.outcome(rule) == "fired"]
    return sorted(fired, key=lambda rule: SOONEST_FIRST.index(rule.urgency))


def consult(bench: Bench, fired: Sequence[ConsultRule]) -> Consult:
    """The consult block: as urgent as its most urgent reason; the links are there but for an emergency."""
    if not fired:
        return Consult(advised=False, links=bench.rules.links.consult_links)
    urgency = fired[0].urgency
    return Consult(
        advised=True,
        urgency=urgency,
        reason=" ".join(rule.reason for rule in fired),
        patient_reason=" ".join(rule.patient_reason for rule in fired),
        # An emergency is no matter for an online consultation.
        links=[] if urgency == "emergency" else bench.rules.links.consult_links,
        translations=list(_translations(bench, fired)),
    )


def _translations(bench: Bench, fired: Sequence[ConsultRule]) -> Iterator[Translation]:
    for catalogue in bench.rules.catalogues:
        parts = [catalogue.find(rule.id, rule.version) for rule in fired]
        translation = catalogue.translation(parts, {})
        if translation is not None:
            yield translation
