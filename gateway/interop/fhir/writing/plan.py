"""What to consider: a CarePlan, the ServiceRequests it proposes, and DetectedIssues for what stands against a medicine.

Everything is a draft and a proposal. Medicines are named by their class alone, without a product and without a dose.
"""

from collections.abc import Iterator

from gateway.interop.fhir.code_map import concept
from gateway.interop.fhir.resource import Resource, compact, narrative, notes, reference, short_hash
from gateway.interop.fhir.writing.result import Result
from gateway.records.alert_rules import months_later
from shared.contracts.recommendation import Interval, NextDxa, Recommendation, Urgency

ORDERED = ("referral", "follow_up")
# Rules of which the request is a bone density scan.
SCANS = ("referral.dxa", "follow_up.next_dxa")
PRIORITY: dict[Urgency, str] = {"routine": "routine", "soon": "urgent", "urgent": "urgent", "emergency": "stat"}
SEVERITY = {"blocked": "high", "check_first": "moderate"}
PLAN = "-plan"


def items(result: Result) -> list[Recommendation]:
    """What the result suggests."""
    recommendation = result.assessment.recommendation
    return recommendation.items if recommendation else []


def care_plan(result: Result) -> Resource | None:
    """All of it in one plan; what another service would do is a ServiceRequest that the plan refers to."""
    recommendation = result.assessment.recommendation
    if recommendation is None:
        return None
    activities = [
        {"reference": reference("ServiceRequest", _order_id(result, item))}
        if item.kind in ORDERED
        else {"detail": _detail(result, item)}
        for item in recommendation.items
    ]
    words = [result.assessment.disclaimer, *(item.text for item in recommendation.items)]
    found = {**result.new("CarePlan", PLAN), "language": "en", "text": narrative(words)}
    found |= {
        "status": result.plan_status,
        "intent": "proposal",
        "title": "What to consider",
        "subject": result.subject,
    }
    found |= {"created": result.made_at, "author": _rules(result), "activity": activities}
    return compact(found)


def _detail(result: Result, item: Recommendation) -> Resource:
    return {
        "instantiatesUri": [_rule(item)],
        "code": {"text": (item.drug_class or item.kind).replace("_", " ")},
        "reasonCode": [{"text": item.rationale}],
        "status": "not-started",
        "doNotPerform": True if item.status == "blocked" else None,
        "scheduledPeriod": _period(result, item.interval),
        "description": item.text,
    }


def service_requests(result: Result) -> Iterator[Resource]:
    """The consultation where one is advised, then each referral and follow-up."""
    recommendation = result.assessment.recommendation
    if recommendation is None:
        return
    consult = recommendation.consult
    if consult.advised:
        found = _request(result, result.identity("-consult"), "consultation", consult.urgency)
        yield compact({**found, "reasonCode": [{"text": consult.reason}]})
    for item in recommendation.items:
        if item.kind in ORDERED:
            yield _order(result, item, consult.urgency, recommendation.next_dxa)


def _order(result: Result, item: Recommendation, urgency: Urgency | None, due: NextDxa | None) -> Resource:
    """A scan and a follow-up are never as urgent as the doctor's visit; another referral is what the visit is for."""
    is_scan = item.id.startswith(SCANS)
    soon = urgency if item.kind == "referral" and not is_scan else None
    found = _request(result, _order_id(result, item), "dxa" if is_scan else None, soon)
    code = found.get("code", {})
    found |= {"instantiatesUri": [_rule(item)], "code": {**code, "text": item.text}}
    found |= {"occurrencePeriod": _period(result, item.interval or (due if is_scan else None))}
    return compact({**found, "reasonCode": [{"text": item.rationale}], "note": notes([item.citation])})


def _request(result: Result, identity: str, code: str | None, urgency: Urgency | None) -> Resource:
    return result.new("ServiceRequest") | {
        "id": identity,
        "basedOn": result.order,
        "status": result.plan_status,
        "intent": "proposal",
        "priority": PRIORITY[urgency or "routine"],
        "code": concept(code) if code else {},
        "subject": result.subject,
        "authoredOn": result.made_at,
        "requester": _rules(result),
        "reasonReference": [reference("DiagnosticReport", result.identity())],
    }


def detected_issues(result: Result) -> Iterator[Resource]:
    """What stands against a medicine, or has to be looked at before it."""
    plan = reference("CarePlan", result.identity(PLAN))
    for item in items(result):
        if item.status not in SEVERITY:
            continue
        name = (item.drug_class or item.id).replace("_", " ")
        found = result.new("DetectedIssue", f"-issue-{short_hash(item.id)}")
        found |= {"status": result.status, "code": concept("condition_alert", text=f"{name}: {item.status}")}
        found |= {"severity": SEVERITY[item.status], "patient": result.subject, "identifiedDateTime": result.made_at}
        found |= {"author": _rules(result), "implicated": [plan], "detail": "; ".join(item.reasons)}
        evidence = [{"detail": [reference("DiagnosticReport", result.identity())]}]
        yield compact({**found, "evidence": evidence, "reference": item.url})


def _order_id(result: Result, item: Recommendation) -> str:
    return result.identity(f"-order-{short_hash(item.id)}")


def _rule(item: Recommendation) -> str:
    return f"urn:trabecula:rule:{item.id}"


def _rules(result: Result) -> Resource | None:
    recommendation = result.assessment.recommendation
    return result.device(recommendation.rules) if recommendation else None


def _period(result: Result, interval: Interval | NextDxa | None) -> Resource | None:
    if interval is None:
        return None
    day = result.assessment.created_at.date()
    start, end = (months_later(day, months) for months in (interval.after_months, interval.by_months))
    return {"start": start.isoformat(), "end": end.isoformat()}
