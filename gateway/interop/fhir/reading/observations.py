"""Observations: numbers by their LOINC code and UCUM unit, answers by their codes, densities with site and date."""

import datetime as dt
from collections.abc import Iterator
from functools import cache

from gateway.interop.fhir.code_map import DENSITY_FIELDS, Quantity, Question, code_map, system
from gateway.interop.fhir.code_map import Unused as KnownUnused
from gateway.interop.fhir.reading.findings import Candidate, Finding, Origin, Reader, Unused, reference_of
from gateway.interop.fhir.reading.nodes import Moment, Node, codes, moment, node, nodes, number, shown, text
from shared.contracts.record import BoneSite

USED_STATUS = ("final", "amended", "corrected")
DENSITY_VALUES = {"t_scores": "value", "z_scores": "value", "bmd": "g_per_cm2"}


@cache
def known() -> dict[tuple[str, str], Quantity | Question | KnownUnused]:
    """Every code of an Observation in the map, by system and code."""
    observations = code_map().observations
    rows: list[Quantity | Question | KnownUnused] = [
        *observations.quantities,
        *observations.answers,
        *observations.not_used,
    ]
    return {(system(row.system), row.code): row for row in rows}


def read_observation(resource: Node, reader: Reader) -> Iterator[Finding]:
    """What an Observation says, and each of its components that says something of its own."""
    origin, components = Origin(reference_of(resource)), nodes(resource, "component")
    status = text(resource, "status")
    if status not in USED_STATUS:
        yield Unused(origin, "status", f"its status is {shown(status) or 'missing'}, and not final")
        return
    when = _effective(resource)
    found = list(_read(resource, origin, when, resource, reader))
    is_group = components and all(isinstance(one, Unused) and one.reason != "unknown_unit" for one in found)
    if not is_group:
        yield from found
    for position, component in enumerate(components):
        part = Origin(f"{origin.reference}#component[{position}]")
        yield from _read(component, part, when, resource, reader)


def _read(part: Node, origin: Origin, when: Moment | None, whole: Node, reader: Reader) -> Iterator[Finding]:
    found = _row(part, origin.reference)
    if isinstance(found, Unused):
        yield found
        return
    origin, row = found
    if fault := reader.date_fault(origin, when) or _too_old(row, origin, when, reader.as_of):
        yield fault
    elif isinstance(row, Question):
        yield _answer(part, row, origin, when)
    else:
        yield _quantity(part, row, origin, when, whole, reader)


def _row(part: Node, reference: str) -> tuple[Origin, Quantity | Question] | Unused:
    """What the codes stand for; one that is used counts before one that is known and not used."""
    sent = list(codes(node(part, "code")))
    rows = [(code, row) for code in sent if (row := known().get((code.system, code.code)))]
    usable = [(code, row) for code, row in rows if not isinstance(row, KnownUnused)]
    if len({(row.field, getattr(row, "site", None)) for _, row in usable}) == 1:
        return Origin(reference, usable[0][0].words), usable[0][1]
    if usable:
        return Unused(Origin(reference, usable[0][0].words), "ambiguous_code", "its codes stand for different things")
    for code, row in rows:
        if isinstance(row, KnownUnused):
            return Unused(Origin(reference, code.words), "no_field", row.reason)
    origin = Origin(reference, sent[0].words if sent else "")
    why = "the code map does not have this code" if sent else "it has no code with a system"
    return Unused(origin, "unknown_code", why)


def _effective(resource: Node) -> Moment | None:
    """When it was true: the end of a period, and when it was issued where nothing better is said."""
    period = node(resource, "effectivePeriod")
    written = (
        text(resource, "effectiveDateTime"),
        text(resource, "effectiveInstant"),
        text(period, "end") or text(period, "start"),
        text(resource, "issued"),
    )
    return next((found for found in map(moment, written) if found), None)


def _too_old(row: Quantity | Question, origin: Origin, when: Moment | None, as_of: dt.date) -> Unused | None:
    if row.valid_days is None:
        return None
    if when is None:
        return Unused(origin, "undated", f"it has no date, and only values of the last {row.valid_days} days are used")
    if (as_of - when.day).days > row.valid_days:
        return Unused(origin, "out_of_date", f"it is of {when.words}, more than {row.valid_days} days ago")
    return None


def _answer(part: Node, row: Question, origin: Origin, when: Moment | None) -> Finding:
    values = {(system(answer.system), answer.code): answer.value for answer in row.values}
    for code in codes(node(part, "valueCodeableConcept")):
        if (code.system, code.code) in values:
            return Candidate(origin, row.field, values[(code.system, code.code)], when)
    return Unused(origin, "value_type", "its value is no code that the map has for it")


def _quantity(part: Node, row: Quantity, origin: Origin, when: Moment | None, whole: Node, reader: Reader) -> Finding:
    value = _in_own_unit(node(part, "valueQuantity"), row, origin)
    if isinstance(value, Unused):
        return value
    if row.field not in DENSITY_FIELDS:
        return Candidate(origin, row.field, value, when, row.caveat)
    site = _site(row, node(part, "bodySite") or node(whole, "bodySite"), reader.femur_site)
    if site is None:
        why = "the code and the bodySite do not say which part of the bone was measured"
        return Unused(origin, "site_ambiguous", why)
    density: dict[str, object] = {"site": site, DENSITY_VALUES[row.field]: value}
    if when is not None and when.parts >= 3:
        density["date"] = when.day.isoformat()
    return Candidate(origin, row.field, density, when, row.caveat)


def _in_own_unit(quantity: Node, row: Quantity, origin: Origin) -> float | Unused:
    """The value in the unit of the record's field; a unit is known by its UCUM code, never by its label."""
    value = number(quantity, "value")
    if value is None:
        return Unused(origin, "no_value", "it has no valueQuantity with a number")
    if text(quantity, "comparator"):
        return Unused(origin, "comparator", "it is a bound and no value")
    factors = code_map().observations.unit_sets[row.units]
    unit = text(quantity, "code") if text(quantity, "system") == system("ucum") else None
    if unit not in factors:
        given = f"its unit is {shown(unit)}" if unit else "its unit has no UCUM code"
        return Unused(origin, "unknown_unit", f"{given}; those read here are {', '.join(factors)}")
    return round(value * factors[unit], 6)


def _site(row: Quantity, body_site: Node, femur_site: str | None) -> BoneSite | str | None:
    """Where it was measured: as the body site says, else as the code does, else what the site has chosen."""
    named = {(system(site.system), site.code): site.site for site in code_map().observations.sites}
    for code in codes(body_site):
        if found := named.get((code.system, code.code)):
            return found if row.needs_site or row.site == "total_hip" else None
    return femur_site if row.needs_site else row.site
