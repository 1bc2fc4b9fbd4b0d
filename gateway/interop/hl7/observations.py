"""A result's findings as OBX segments, each read off its FHIR resource: one reading of an answer, in two languages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.interop.fhir.code_map import code_map, concept, system
from gateway.interop.fhir.resource import Resource
from gateway.interop.fhir.writing.findings import observations
from gateway.interop.fhir.writing.report import conclusion
from gateway.interop.fhir.writing.result import Result
from gateway.interop.fhir.writing.risk import risk_assessment
from gateway.interop.hl7.writing import Value, moment, segment

if TYPE_CHECKING:
    import hl7

# Names of coding systems in HL7 v2 (table 0396); what is not here is of our own.
LOINC, LOCAL, UNITS = "LN", "L", "UCUM"
KNEE = "-kl-"
UUID_LENGTH = 36
# Results cannot be obtained for this observation (table 0085).
NOT_OBTAINED = "X"
PER_CENT = ("%", "", UNITS)


@dataclass(frozen=True)
class Finding:
    """One OBX segment with its comments.

    Args:
        code: what was observed: code, text, coding system.
        kind: NM, CWE or TX; null where there is no value.
        part: tells findings of one code apart, as `right`.
        device: which model found it.
    """

    code: Sequence[str]
    kind: str | None
    value: Value = ""
    part: str = ""
    units: Sequence[str] = ()
    notes: Sequence[str] = ()
    device: str = ""


def findings(result: Result) -> Iterator[Finding]:
    """Everything that was found, then what follows from it in words."""
    for resource in observations(result):
        yield from _observed(resource)
    yield from _risk(result)
    yield Finding(coded("conclusion"), "TX", " ".join(conclusion(result)))


def segments(found: Finding, number: int, status: str, result: Result, taken_at: str) -> list["hl7.Segment"]:
    """The OBX of a finding, and an NTE for each of its comments.

    Args:
        number: of the OBX, from 1.
        status: of the result (OBX-11).
        taken_at: when what is observed was so (OBX-14).
    """
    fields: dict[int, Value | None] = {
        1: str(number),
        2: found.kind,
        3: found.code,
        4: found.part,
        5: found.value,
        6: found.units,
        11: NOT_OBTAINED if found.kind is None and status != "W" else status,
        14: taken_at,
        18: (found.device, "TRABECULA") if found.device else None,
        19: moment(result.assessment.created_at),
    }
    return [segment("OBX", fields), *comments(found.notes)]


def comments(lines: Sequence[str]) -> list["hl7.Segment"]:
    """An NTE segment for each line, of the filler's."""
    return [segment("NTE", {1: str(number), 2: "L", 3: line}) for number, line in enumerate(lines, start=1)]


def coded(name: str, text: str | None = None) -> tuple[str, str, str]:
    """One of the codes that are written, by its key in the code map."""
    return _coded(concept(name), text)


def _coded(found: Resource, text: str | None = None) -> tuple[str, str, str]:
    coding = found["coding"][0]
    named = LOINC if coding["system"] == system("loinc") else LOCAL
    display = str(coding["display"])
    return str(coding["code"]), f"{display}, {text[0].lower()}{text[1:]}" if text else display, named


def _observed(resource: Resource) -> Iterator[Finding]:
    suffix = str(resource["id"])[UUID_LENGTH:]
    part = suffix.removeprefix(KNEE) if suffix.startswith(KNEE) else ""
    device = str(resource.get("device", {}).get("reference", "")).removeprefix("Device/")
    where = resource.get("bodySite", {}).get("text") if part else None
    kind, value, units = _value(resource)
    said = [note["text"] for note in resource.get("note", [])]
    yield Finding(_coded(resource["code"], where), kind, value, part, units, said, device)
    for component in resource.get("component", []):
        kind, value, units = _value(component)
        yield Finding(_coded(component["code"], where), kind, value, part, units, (), device)


def _value(resource: Resource) -> tuple[str | None, Value, Sequence[str]]:
    """The kind of value, the value and its units, as HL7 v2 has them."""
    if "valueInteger" in resource:
        return "NM", str(resource["valueInteger"]), ()
    if "valueQuantity" in resource:
        quantity = resource["valueQuantity"]
        return "NM", f"{quantity['value']:.10g}", (quantity["code"], quantity["unit"], UNITS)
    if "valueCodeableConcept" in resource:
        return "CWE", _coded(resource["valueCodeableConcept"]), ()
    if resource.get("interpretation"):  # it was read, and says neither the one nor the other
        return "CWE", ("indeterminate", code_map().written.codes["indeterminate"].display, LOCAL), ()
    return None, "", ()


def _risk(result: Result) -> Iterator[Finding]:
    resource = risk_assessment(result)
    if resource is None:
        return
    device = str(resource.get("performer", {}).get("reference", "")).removeprefix("Device/")
    said = [note["text"] for note in resource.get("note", [])]
    predictions = resource.get("prediction", [])
    several = [one["outcome"] for one in predictions].count(concept("osteoporosis")) > 1
    for number, prediction in enumerate(predictions, start=1):
        is_osteoporosis = prediction["outcome"] == concept("osteoporosis")
        part = str(number) if is_osteoporosis and several else ""
        because = [prediction["rationale"]] if prediction.get("rationale") else []
        if "probabilityDecimal" in prediction:
            code = coded("osteoporosis-probability" if is_osteoporosis else "low-bone-mass-probability")
            chance = f"{prediction['probabilityDecimal']:.10g}"
            yield Finding(code, "NM", chance, part, PER_CENT, because, device)
        if "qualitativeRisk" in prediction:
            level = _coded(prediction["qualitativeRisk"])
            yield Finding(coded("risk-category"), "CWE", level, part, (), [*because, *said], device)
