"""A result as ORU^R01 (HL7 v2.5.1): preliminary until a clinician signs, final then, corrected, or withdrawn."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.interop.dicom.identity import date, time
from gateway.interop.fhir.writing.result import Result
from gateway.interop.hl7.destinations import Hl7Destination
from gateway.interop.hl7.observations import coded, comments, findings, segments
from gateway.interop.hl7.writing import VERSION, Encoded, Value, encoded, message, moment, segment
from shared.contracts.film import DicomIdentity

if TYPE_CHECKING:
    import hl7

CONTROL_ID_LENGTH = 20
# Of a name that is not told (table 0200).
NAMELESS = ("", "", "", "", "", "", "U")
SEXES = {"male": "M", "female": "F", "other": "O", "M": "M", "F": "F", "O": "O"}
# OBR-25 (table 0123) has no word for a result that was withdrawn, and OBX-11 (table 0085) has.
WITHDRAWN, CORRECTED = "W", "C"


@dataclass(frozen=True)
class ResultMessage:
    """A message on its way: what it is answered by, its bytes, and the words in it that name the patient."""

    control_id: str
    data: bytes
    names: Sequence[str]


def result_message(result: Result, to: Hl7Destination, pdf: bytes | None) -> ResultMessage:
    """The message that tells how a result stands; the same state gives the same bytes, however often it is sent.

    Args:
        pdf: the clinician's report, where it is to go along.
    """
    status = status_of(result)
    body = [_patient(result, to), *_order(result, status)]
    taken_at = _taken_at(result)
    number = 0
    for number, found in enumerate(findings(result), start=1):
        body += segments(found, number, status, result, taken_at)
    if pdf is not None:
        body += _report(pdf, number + 1, status, taken_at, to)
    # The report is left out: it is made anew each time, and only what it says is the same.
    told = "\r".join(str(one) for one in body if str(one(2)) != "ED").encode()
    control_id = base64.b32encode(hashlib.sha256(told).digest()).decode()[:CONTROL_ID_LENGTH]
    whole = message([_header(result, to, control_id), *body])
    return ResultMessage(control_id, encoded(whole, to.character_set), _names(result))


def status_of(result: Result) -> str:
    """Of each observation (table 0085): P, F once signed, C where something final was amended, W once withdrawn."""
    steps = result.assessment.review.steps
    if not steps:
        return "P"
    if steps[-1].action == "withdrawn":
        return WITHDRAWN
    final = [step for step in steps if step.action != "withdrawn"]
    return CORRECTED if steps[-1].action == "amended" and len(final) > 1 else "F"


def _header(result: Result, to: Hl7Destination, control_id: str) -> "hl7.Segment":
    changed = result.assessment.review.changed_at or result.assessment.created_at
    return segment(
        "MSH",
        {
            3: to.sending_application,
            4: to.sending_facility,
            5: to.application,
            6: to.facility,
            7: moment(changed),
            9: ("ORU", "R01", "ORU_R01"),
            10: control_id,
            11: "P",
            12: VERSION,
            18: to.character_set,
        },
    )


def _identity(result: Result) -> DicomIdentity | None:
    """Whom the film's own header names, where that is the patient whom the result is of and no pseudonym."""
    identity = result.content.identity
    same = identity is not None and (identity.patient_id or "").strip() == result.assessment.patient_number
    return identity if same else None


def _patient(result: Result, to: Hl7Destination) -> "hl7.Segment":
    identity = _identity(result)
    sex = (identity.patient_sex if identity else None) or result.content.gender or ""
    return segment(
        "PID",
        {
            1: "1",
            3: (result.assessment.patient_number or "", "", "", to.authority, "MR"),
            5: _name(identity.patient_name if identity else None) or NAMELESS,
            7: date(identity.patient_birth_date) if identity else None,
            8: SEXES.get(sex, "U"),
        },
    )


def _name(given: str | None) -> tuple[str, ...]:
    """A DICOM name (family, given, middle, prefix, suffix) as HL7 has them: the suffix before the prefix."""
    found = [part.strip() for part in (given or "").split("=")[0].split("^")]
    family, first, middle, prefix, suffix = [*found, "", "", "", "", ""][:5]
    return (family, first, middle, suffix, prefix) if family or first else ()


def _order(result: Result, status: str) -> list["hl7.Segment"]:
    """The order, what was done for it, and the disclaimer."""
    order, source = result.content.order, result.assessment.source
    has_film = result.assessment.imaging is not None or source is not None
    accession = (source.accession if source else None) or ""
    filler: Value = (order.filler if order else None) or accession or (str(result.assessment.id), "TRABECULA")
    placer: Value = order.placer if order else ""
    changed = result.assessment.review.changed_at or result.assessment.created_at
    request = {
        1: "1",
        2: placer,
        3: filler,
        4: coded("imaging_report" if has_film else "assessment-of-record"),
        7: _taken_at(result),
        16: order.provider if order else "",
        18: accession,
        22: moment(changed),
        24: "RAD" if has_film else "",
        25: CORRECTED if status == WITHDRAWN else status,
    }
    return [
        segment("ORC", {1: "RE", 2: placer, 3: filler}),
        segment("OBR", request),
        *comments([result.assessment.disclaimer]),
    ]


def _taken_at(result: Result) -> str:
    """When the film was taken, by the hospital's own clock; else when the assessment was made."""
    identity = result.content.identity
    day = date(identity.study_date) if identity else ""
    return day + time(identity.study_time if identity else None)[:6] if day else moment(result.assessment.created_at)


def _report(pdf: bytes, number: int, status: str, taken_at: str, to: Hl7Destination) -> list["hl7.Segment"]:
    if len(pdf) > to.pdf_most_bytes:
        return comments([f"The report is larger than {to.pdf_most_bytes} bytes, and left out."])
    data = Encoded(base64.b64encode(pdf).decode())
    value = ("", "application", "pdf", "Base64", data)
    fields: dict[int, Value | None] = {1: str(number), 2: "ED", 3: coded("report-pdf"), 5: value, 11: status}
    return [segment("OBX", {**fields, 14: taken_at})]


def _names(result: Result) -> list[str]:
    """What names the patient in the message, longest first."""
    identity = _identity(result)
    found = [result.assessment.patient_number or "", *_name(identity.patient_name if identity else None)]
    found.append((identity.patient_birth_date or "") if identity else "")
    return sorted({one for one in found if len(one) > 1}, key=len, reverse=True)
