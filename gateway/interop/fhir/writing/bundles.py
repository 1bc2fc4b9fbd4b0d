"""A result as Bundles: a collection, a document, a transaction for another server; and the pages of a search."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.interop.fhir.resource import Resource, compact
from gateway.interop.fhir.writing.findings import observations
from gateway.interop.fhir.writing.identities import devices, imaging_study, patient, service_order
from gateway.interop.fhir.writing.plan import care_plan, detected_issues, service_requests
from gateway.interop.fhir.writing.report import composition, diagnostic_report, provenance, report_identifier
from gateway.interop.fhir.writing.result import Result
from gateway.interop.fhir.writing.risk import risk_assessment

BundleType = Literal["collection", "document", "transaction"]


@dataclass(frozen=True)
class Resources:
    """Every resource of one result: the report, and the others in the order of a Bundle."""

    report: Resource
    others: list[Resource]

    @property
    def all(self) -> list[Resource]:
        return [self.report, *self.others]


def resources_of(result: Result) -> Resources:
    """The resources of a result, its Provenance last."""
    found, study = list(observations(result)), imaging_study(result)
    order = service_order(result)
    single = (order, study, risk_assessment(result), care_plan(result))
    report = diagnostic_report(result, found, study)
    others = [patient(result), *devices(result), *found, *(one for one in single if one is not None)]
    others += [*service_requests(result), *detected_issues(result)]
    made = [one for one in [report, *others] if one is not order and one["resourceType"] not in ("Patient", "Device")]
    return Resources(report, [*others, provenance(result, made)])


def bundle_of(result: Result, kind: BundleType) -> Resource:
    """The whole result in one Bundle."""
    resources = resources_of(result)
    listed = resources.all
    if kind == "document":
        listed = [composition(result, resources.report, resources.others), *listed]
    found: Resource = {
        "resourceType": "Bundle",
        "id": result.identity(f"-{kind}"),
        "meta": {"lastUpdated": result.changed_at},
        "identifier": report_identifier(result) if kind == "document" else None,
        "type": kind,
        # A document has to have it; a transaction may not be told apart from one sent again.
        "timestamp": result.changed_at if kind == "document" else None,
    }
    return compact({**found, "entry": [_entry(result.base, one, kind) for one in listed]})


def _entry(base: str, resource: Resource, kind: BundleType) -> Resource:
    address = f"{resource['resourceType']}/{resource['id']}"
    entry = {"fullUrl": f"{base}/{address}", "resource": resource}
    return {**entry, "request": {"method": "PUT", "url": address}} if kind == "transaction" else entry


def searchset(base: str, resources: Sequence[Resource], links: dict[str, str], outcome: Resource | None) -> Resource:
    """One page of a search.

    Args:
        links: addresses by their relation: `self`, and `next` where there is another page.
        outcome: what was ignored of the search, as an OperationOutcome.
    """
    entries: list[Resource] = [
        {"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one, "search": {"mode": "match"}}
        for one in resources
    ]
    if outcome is not None:
        entries.append({"resource": outcome, "search": {"mode": "outcome"}})
    link = [{"relation": relation, "url": url} for relation, url in links.items()]
    return compact({"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entries})
