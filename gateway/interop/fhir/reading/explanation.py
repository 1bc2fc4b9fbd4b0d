"""The mapping of a Bundle for those who connect a system: as Parameters, and as lines for a terminal."""

import json
from collections.abc import Iterator
from typing import Any

from gateway.interop.fhir.reading.findings import Candidate, Unused
from gateway.interop.fhir.reading.mapping import Mapping
from gateway.interop.fhir.reading.patient import Fault
from gateway.interop.fhir.resource import Resource, compact


def as_parameters(mapping: Mapping) -> Resource:
    """`record` (JSON of the clinical record), `patient_number`, then every `used`, `unused` and `fault`."""
    parameters = [_text("record", json.dumps(mapping.record, ensure_ascii=True) if mapping.record else None)]
    parameters.append(_text("patient_number", mapping.patient_number))
    parameters += [_part("used", _used(one)) for one in mapping.used]
    parameters += [_part("unused", _unused(one)) for one in mapping.unused]
    parameters += [_part("fault", _fault(one)) for one in mapping.faults]
    return compact({"resourceType": "Parameters", "parameter": [one for one in parameters if len(one) > 1]})


def as_json(mapping: Mapping) -> dict[str, Any]:
    """The same without FHIR around it."""
    return {
        "record": mapping.record,
        "patient_number": mapping.patient_number,
        "used": [_used(one) for one in mapping.used],
        "unused": [_unused(one) for one in mapping.unused],
        "faults": [_fault(one) for one in mapping.faults],
    }


def as_lines(mapping: Mapping) -> Iterator[str]:
    """The same for people."""
    for one in mapping.used:
        date = f", {one.when.words}" if one.when else ""
        caveat = f" ({one.caveat})" if one.caveat else ""
        yield f"used    {one.field} = {json.dumps(one.value)}  from {one.origin.words}{date}{caveat}"
    for left in mapping.unused:
        yield f"unused  {left.origin.words}: {left.why} [{left.reason}]"
    for fault in mapping.faults:
        yield f"fault   {fault.field}: {fault.message}"
    yield f"record  {json.dumps(mapping.record)}"


def _used(one: Candidate) -> dict[str, Any]:
    return {
        "reference": one.origin.reference,
        "code": one.origin.code,
        "field": one.field,
        "value": one.value,
        "date": one.when.words if one.when else None,
        "caveat": one.caveat,
    }


def _unused(one: Unused) -> dict[str, Any]:
    return {"reference": one.origin.reference, "code": one.origin.code, "reason": one.reason, "why": one.why}


def _fault(one: Fault) -> dict[str, Any]:
    return {"field": one.field, "why": one.message}


def _part(name: str, values: dict[str, Any]) -> Resource:
    parts = [_text(key, value if isinstance(value, str | None) else json.dumps(value)) for key, value in values.items()]
    return {"name": name, "part": [part for part in parts if len(part) > 1]}


def _text(name: str, value: str | None) -> Resource:
    return {"name": name, "valueString": value} if value else {"name": name}
