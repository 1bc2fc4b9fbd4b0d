"""The report that holds a result together: DiagnosticReport, a document's Composition, and the Provenance."""

from collections.abc import Sequence

from gateway.interop.fhir.code_map import coding, concept
from gateway.interop.fhir.resource import Resource, compact, narrative, reference_to
from gateway.interop.fhir.writing.result import URI_SYSTEM, Result, organisation
from gateway.platform.language import translator_for
from gateway.reports.presentation import amended_lines, headline, missing_parts

TITLE = "Assessment of bone health"
SHA256 = "urn:trabecula:sha256"


def diagnostic_report(result: Result, observations: Sequence[Resource], study: Resource | None) -> Resource:
    """The report: preliminary until a clinician signs it, or partial where a part of it is missing."""
    assessment, has_film = result.assessment, _has_film(result)
    words = conclusion(result)
    found = {**result.new("DiagnosticReport"), "language": "en", "text": narrative([assessment.disclaimer, *words])}
    found |= {
        "identifier": [report_identifier(result)],
        "basedOn": result.order,
        "status": "partial" if (assessment.status, result.status) == ("partial", "preliminary") else result.status,
        "category": [concept("imaging_category")] if has_film else [],
        "code": concept("imaging_report" if has_film else "assessment-of-record", text=TITLE),
        "subject": result.subject,
        "effectiveDateTime": result.made_at,
        "issued": result.made_at,
        "result": [reference_to(observation) for observation in observations],
        "imagingStudy": [reference_to(study)] if study else [],
        "conclusion": " ".join(words),
        "presentedForm": [_form(result)],
    }
    return compact(found)


def report_identifier(result: Result) -> Resource:
    """The assessment's own id."""
    return {"system": URI_SYSTEM, "value": f"urn:uuid:{result.assessment.id}"}


def conclusion(result: Result) -> list[str]:
    """The result in a few sentences: what leads, why, what the film shows, what is missing."""
    assessment = result.assessment
    lines = [f"{headline(translator_for('en'), assessment)}.", *assessment.combined.basis]
    if assessment.imaging is not None and not assessment.combined.basis:
        lines.append(assessment.imaging.summary)
    for step in assessment.review.steps:
        because = f": {step.reason}" if step.reason else ""
        lines.append(f"{step.action.capitalize()} by a clinician{because}.")
        lines += amended_lines(translator_for("en"), step.findings)
    lines += [f"Missing: {warning.component}. {warning.detail}" for warning in missing_parts(assessment)]
    return lines


def _has_film(result: Result) -> bool:
    """Whether a radiograph was sent, read or not."""
    assessment = result.assessment
    missing = any(w.component == "imaging" for w in missing_parts(assessment))
    return assessment.imaging is not None or missing


def _form(result: Result) -> Resource:
    audience = "patient" if result.content.for_patient else "clinician"
    url = f"{result.root}/v1/assessments/{result.assessment.id}/report.pdf?audience={audience}"
    return {"contentType": "application/pdf", "language": "en", "url": url, "title": TITLE}


def provenance(result: Result, targets: Sequence[Resource]) -> Resource:
    """How the resources came about: by which software, for which organisation, by which rules, from what."""
    recommendation = result.assessment.recommendation
    rules = recommendation.rules if recommendation else None
    found = result.new("Provenance", "-provenance")
    found |= {
        "target": [reference_to(target) for target in targets],
        "recorded": result.made_at,
        "policy": [f"urn:trabecula:rules:{rules.version}"] if rules else [],
        "agent": [
            {"type": concept("assembler"), "who": result.gateway_device},
            {"type": concept("custodian"), "who": organisation(result)},
        ],
        "entity": _sources(result),
    }
    return compact(found)


def _sources(result: Result) -> list[Resource]:
    kinds = {"image": result.content.image_sha256, "record": result.content.record_sha256}
    return [
        {"role": "source", "what": {"identifier": {"system": f"{SHA256}:{kind}", "value": digest}, "display": kind}}
        for kind, digest in kinds.items()
        if digest
    ]


def composition(result: Result, report: Resource, others: Sequence[Resource]) -> Resource:
    """The first resource of a document: the results, the risk, and what to consider."""
    sections = [
        _section("Results", [report, *_of(others, "Observation")], "ips_results"),
        _section("Risk", _of(others, "RiskAssessment")),
        _section("What to consider", _of(others, "CarePlan", "ServiceRequest", "DetectedIssue")),
    ]
    found = {**result.new("Composition", "-document"), "language": "en"}
    found |= {
        "text": narrative([result.assessment.disclaimer, *conclusion(result)]),
        "identifier": report_identifier(result),
        "status": result.status,
        "type": report["code"],
        "subject": result.subject,
        "date": result.made_at,
        "author": [result.gateway_device],
        "title": TITLE,
        "custodian": organisation(result),
        "section": [section for section in sections if section["entry"]],
    }
    return compact(found)


def _section(title: str, resources: Sequence[Resource], code: str | None = None) -> Resource:
    entries = [reference_to(resource) for resource in resources]
    return {"title": title, "code": {"coding": [coding(code)]} if code else None, "entry": entries}


def _of(resources: Sequence[Resource], *kinds: str) -> list[Resource]:
    return [resource for resource in resources if resource["resourceType"] in kinds]
