"""Fired rules as the items that travel: text, reason, source, and the text in the other languages."""

from collections.abc import Iterator, Sequence
from typing import Literal

from services.recommender.field_words import listed
from services.recommender.medication import Medication
from services.recommender.messages import Message
from services.recommender.rule_evaluation import RuleEvaluation
from services.recommender.schema import Due, Rule
from shared.contracts.recommendation import Interval, MessageKey, Recommendation, Status, Translation


def medication_item(evaluation: RuleEvaluation, medication: Medication) -> Recommendation:
    """A drug class for a clinician to consider; the text opens with the status where that is not `consider`."""
    rule = medication.rule
    return Recommendation(
        id=rule.id,
        kind="medication",
        drug_class=medication.drug_class,
        status=medication.status,
        checks=list(medication.checks),
        text=_by_status(evaluation, medication),
        patient_text=_patient_text(evaluation, rule, medication.status),
        message=_message(evaluation, rule),
        rationale=rule.rationale,
        citation=str(rule.citation),
        url=_url(evaluation, rule),
        strength=rule.strength,
        review=rule.state,
        rule_version=rule.version,
        reasons=list(medication.reasons),
        further_sources=_sources(medication.others),
        translations=list(_translations(evaluation, rule, phrase=medication.status)),
    )


def other_item(evaluation: RuleEvaluation, rule: Rule, others: Sequence[Rule]) -> Recommendation:
    """An item that is not a drug class; `others` are the further rules of its group that fired as well."""
    return Recommendation(
        id=rule.id,
        kind=rule.output.kind,
        text=rule.output.text.format(**evaluation.quoted(rule.output.placeholders)),
        patient_text=_patient_text(evaluation, rule),
        message=_message(evaluation, rule),
        rationale=rule.rationale,
        citation=str(rule.citation),
        url=_url(evaluation, rule),
        strength=rule.strength,
        review=rule.state,
        rule_version=rule.version,
        further_sources=_sources(others),
        interval=_interval(evaluation, rule.output.due),
        translations=list(_translations(evaluation, rule)),
    )


# What opens a patient's text on a drug class, by its status; the catalogues have the same as phrases.
PATIENT_PHRASES: dict[Status, str] = {
    "consider": "",
    "check_first": "Some things have to be checked first; your doctor says which. ",
    "blocked": "On this record it does not suit you. What it is: ",
}


def _patient_text(evaluation: RuleEvaluation, rule: Rule, status: Status = "consider") -> str:
    return PATIENT_PHRASES[status] + rule.output.patient_text.format(**evaluation.quoted(rule.output.placeholders))


def _message(evaluation: RuleEvaluation, rule: Rule) -> MessageKey:
    return MessageKey(key=rule.id, params=evaluation.quoted(rule.output.placeholders))


def _interval(evaluation: RuleEvaluation, due: Due | Literal["next_dxa"] | None) -> Interval | None:
    """The time of a follow-up from now on; none while it is not known how much of it has passed."""
    if due is None:
        return None
    if due == "next_dxa":
        scan = evaluation.case.next_scan
        return Interval(after_months=round(scan.after, 1), by_months=round(scan.by, 1)) if scan else None
    elapsed = evaluation.facts[due.elapsed] if due.elapsed else 0.0
    if not isinstance(elapsed, (int, float)):
        return None
    return Interval(after_months=max(0.0, due.after - elapsed), by_months=max(0.0, due.by - elapsed))


def _sources(rules: Sequence[Rule]) -> list[str]:
    """Further rules behind an item, each under the name of its own framework."""
    return [f"{rule.citation}: {rule.strength}. {rule.rationale}" for rule in rules]


def _by_status(evaluation: RuleEvaluation, medication: Medication) -> str:
    text = medication.rule.output.text.format(**evaluation.quoted(medication.rule.output.placeholders))
    if medication.status == "blocked":
        return f"Not suitable on this record: {' '.join(medication.reasons)} What it is: {text}"
    return f"Check {listed(medication.checks)} first. {text}" if medication.status == "check_first" else text


def _url(evaluation: RuleEvaluation, rule: Rule) -> str | None:
    """The patient's page where the site has one, else the source."""
    return evaluation.rules.links.url(rule.guidance, rule.citation.url)


def _translations(evaluation: RuleEvaluation, rule: Rule, phrase: str | None = None) -> Iterator[Translation]:
    values = evaluation.quoted(rule.output.placeholders)
    for catalogue in evaluation.rules.catalogues:
        parts: list[Message | None] = [catalogue.find(rule.id, rule.version)]
        if phrase not in (None, "consider"):
            parts.insert(0, catalogue.phrases.get(str(phrase)))
        translation = catalogue.translation(parts, values)
        if translation is not None:
            yield translation
