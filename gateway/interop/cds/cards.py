"""Cards: what a clinician is told within the record system. Built from findings and rules; nothing here decides.

A card never holds an order for a medicine. The one suggestion is a draft of an order for a bone density scan.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid4

from gateway.interop.cds.card_words import as_item, bullets, escaped, first_sentence, named, shortened, the
from gateway.interop.cds.orders import Chosen
from gateway.interop.fhir.code_map import coding, concept
from gateway.interop.fhir.resource import Resource, compact
from gateway.platform.language import translator_for
from gateway.records.alert_rules import months_later
from gateway.reports.presentation import headline
from shared.contracts.assessment import Assessment
from shared.contracts.recommendation import DrugClass, Recommendation, RecommendationSet

Indicator = Literal["info", "warning", "critical"]
Card = dict[str, Any]
MOST_CARDS, MOST_ITEMS = 3, 8
ORDER: tuple[Indicator, ...] = ("critical", "warning", "info")
SOURCE = "Trabecula (research)"
OVERRIDES = ("override-contraindicated", "override-declined", "override-done", "override-disagree")
# Rules of which the request is a bone density scan.
SCANS = ("referral.dxa", "follow_up.next_dxa")
TOLD = ("referral", "follow_up")


@dataclass(frozen=True)
class EarlierFilm:
    """The newest radiograph that is stored here of the same patient, and what it shows."""

    assessment_id: UUID
    taken: dt.date
    summary: str
    possibly_low: bool


@dataclass(frozen=True)
class Told:
    """What cards are made of.

    Args:
        assessment: of the record that the client sent; of its id and date nothing is shown unless it is `stored`.
        patient_id: as the client calls the patient.
        root: the gateway's address, for links.
        film: an earlier radiograph's finding; it has no part in the assessment.
        left_out: what was sent and not used, a sentence each.
    """

    assessment: Assessment
    patient_id: str
    root: str
    film: EarlierFilm | None = None
    left_out: tuple[str, ...] = ()
    stored: bool = False

    @property
    def advice(self) -> RecommendationSet | None:
        """What the rules say; null where the recommender was out of order."""
        return self.assessment.recommendation


def view_cards(told: Told) -> list[Card]:
    """For `patient-view`: what stands out, and a bone density scan that is due."""
    return _first([_overview(told), _scan_due(told)]) or _first([_out_of_order(told)])


def order_cards(told: Told, ordered: Chosen) -> list[Card]:
    """For `order-select`: what stands against the medicines that are chosen, and whether a scan is due."""
    if told.advice is None:
        return _first([_out_of_order(told)])
    found = [_medicine(told, told.advice, drug_class) for drug_class in ordered.drug_classes]
    urgent = _overview(told) if _urgency(told) in ("emergency", "urgent") else None
    return _first([urgent, *found, _scan_not_due(told) if ordered.dxa else None])


def _first(cards: list[Card | None]) -> list[Card]:
    """As many as may be, the gravest first."""
    made = [card for card in cards if card is not None]
    return sorted(made, key=lambda card: ORDER.index(card["indicator"]))[:MOST_CARDS]


def _overview(told: Told) -> Card | None:
    """The diagnosis or the category, and whether to see to it soon; null where nothing stands out."""
    combined, advice = told.assessment.combined, told.advice
    urgency, advised = _urgency(told), bool(advice and advice.consult.advised)
    diagnosed = combined.diagnosis is not None and combined.diagnosis.who_class != "normal"
    stands_out = diagnosed or combined.category in ("moderate", "high")
    stands_out = stands_out or (told.film is not None and told.film.possibly_low)
    if not stands_out and urgency in (None, "routine"):
        return None
    reason = advice.consult.reason if advice and advised else None
    title = headline(translator_for("en"), told.assessment)
    indicators: dict[str | None, Indicator] = {"emergency": "critical", "urgent": "warning", "soon": "warning"}
    why = first_sentence(reason or "")
    lead = {
        "emergency": f"Emergency: {why}",
        "urgent": f"Urgent: {why}",
        "soon": f"Bone health: {title}. {why}",
    }.get(urgency or "", f"Bone health: {title}")
    items = [as_item(item) for item in advice.items if item.kind in TOLD] if advice else []
    detail = [
        *([f"**{escaped(reason)}**"] if reason else []),
        *map(escaped, combined.basis),
        *bullets(items, MOST_ITEMS),
        *_about_film(told),
        *_about_gaps(told),
    ]
    return _card(told, lead, indicators.get(urgency, "info"), detail, "overview")


def _scan_due(told: Told) -> Card | None:
    """A scan that is due today, with the draft of an order for it."""
    due = told.advice.next_dxa if told.advice else None
    if told.advice is None or due is None or due.after_months > 0:
        return None
    items = [item for item in told.advice.items if item.id.startswith(SCANS)]
    detail = bullets([as_item(item) for item in items], MOST_ITEMS)
    card = _card(told, f"A bone density scan (DXA) is due: {due.basis}", "info", detail, "scan")
    suggestion = {
        "label": "Draft an order for a bone density scan (DXA)",
        "uuid": str(uuid4()),
        "actions": [
            {
                "type": "create",
                "description": "A draft, which a clinician completes and signs",
                "resource": _scan_order(told, items),
            }
        ],
    }
    return {**card, "suggestions": [suggestion], "selectionBehavior": "any"}


def _scan_order(told: Told, items: list[Recommendation]) -> Resource:
    reasons = [{"text": item.rationale} for item in items]
    return compact(
        {
            "resourceType": "ServiceRequest",
            "status": "draft",
            "intent": "proposal",
            "priority": "routine",
            "code": concept("dxa"),
            "subject": {"reference": f"Patient/{told.patient_id}"},
            "reasonCode": reasons,
            "note": [{"text": told.assessment.disclaimer}],
        }
    )


def _scan_not_due(told: Told) -> Card | None:
    """That the scan which is being ordered is early; null where it is due, or nothing is known of it."""
    due = told.advice.next_dxa if told.advice else None
    if due is None or due.after_months <= 0:
        return None
    day = months_later(told.assessment.created_at.date(), due.after_months)
    return _card(
        told,
        f"On this record a bone density scan (DXA) is due from {day.isoformat()} on: {due.basis}",
        "info",
        _about_gaps(told),
        "scan",
    )


def _out_of_order(told: Told) -> Card | None:
    """That nothing could be said: without it no card would look like good news."""
    if not any(warning.part_is_missing for warning in told.assessment.warnings):
        return None
    return _card(told, "This record could not be looked at: a service is out of order", "info", _about_gaps(told))


def _medicine(told: Told, advice: RecommendationSet, drug_class: DrugClass) -> Card | None:
    """What stands against a class of medicines; null where the rules would consider it."""
    name = named(drug_class)
    items = [item for item in advice.items if item.drug_class == drug_class]
    if not items:
        reason = advice.consult.reason
        detail = [*([escaped(reason)] if reason else []), *_about_gaps(told)]
        none = f"No rule here proposes {the(name)} on this record"
        return _card(told, none, "info", ["That says nothing against it: contraindications were not judged.", *detail])
    item = items[0]
    if item.status not in ("blocked", "check_first"):
        return None
    is_blocked = item.status == "blocked"
    reasons = bullets([escaped(reason) for reason in item.reasons], MOST_ITEMS)
    summary = f"{name.capitalize()}: not suitable on this record" if is_blocked else f"Check first: {name}"
    if is_blocked and item.reasons:
        summary = f"{summary}. {item.reasons[0]}"
    detail = [*reasons, f"Source: {escaped(item.citation)}", *_about_gaps(told)]
    return _card(told, summary, "critical" if is_blocked else "warning", detail, link=item)


def _card(
    told: Told,
    summary: str,
    indicator: Indicator,
    detail: list[str],
    about: Literal["overview", "scan", "medicine"] = "medicine",
    link: Recommendation | None = None,
) -> Card:
    words = [f"*{escaped(told.assessment.disclaimer)}*", *detail]
    return compact(
        {
            "uuid": str(uuid4()),
            "summary": shortened(summary),
            "detail": "\n\n".join(words),
            "indicator": indicator,
            "source": {"label": SOURCE, "url": told.root, "topic": coding("osteoporosis")},
            "overrideReasons": [dict(coding(name)) for name in OVERRIDES],
            "links": _links(told, about, link),
        }
    )


def _links(told: Told, about: str, item: Recommendation | None) -> list[dict[str, str]]:
    """Absolute ones: to the pages here of what is stored, which ask for a sign-in, and to the source of a rule."""
    pages = []
    if told.stored:
        pages.append(("The assessment in Trabecula", told.assessment.id))
    if told.film is not None and about == "overview":
        pages.append(("The earlier radiograph in Trabecula", told.film.assessment_id))
    found = [{"label": label, "url": f"{told.root}/assessments/{page}", "type": "absolute"} for label, page in pages]
    if item is not None and item.url:
        found.append({"label": "For patients and clinicians: about this", "url": item.url, "type": "absolute"})
    return found


def _urgency(told: Told) -> str | None:
    return told.advice.consult.urgency if told.advice and told.advice.consult.advised else None


def _about_film(told: Told) -> list[str]:
    if told.film is None:
        return []
    return [f"Radiograph of {told.film.taken.isoformat()}, stored here: {escaped(told.film.summary)}"]


def _about_gaps(told: Told) -> list[str]:
    """What a clinician has to know was not looked at."""
    missing = [warning.component for warning in told.assessment.warnings if warning.part_is_missing]
    lines = [f"A part is missing, as a service is out of order: {', '.join(missing)}."] if missing else []
    if told.left_out:
        lines += ["Sent and not used:", *bullets([escaped(line) for line in told.left_out], MOST_ITEMS)]
    return lines
