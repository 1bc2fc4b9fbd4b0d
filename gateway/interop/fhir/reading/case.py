"""From what a Bundle was mapped to, the case that is assessed: the same as a form gives."""

from gateway.assessing.case import Case, invalid_record, read_record
from gateway.interop.fhir.reading.mapping import Mapping, left_out
from gateway.platform.validators import checked_patient_number
from shared.problems import MissingInput


def case_of(mapping: Mapping) -> Case:
    """The case.

    Raises:
        InvalidRecord: the Patient lacks what a record needs, or the record cannot be used.
        InvalidInput: the patient's number cannot be one.
        MissingInput: neither an image nor a patient's record.
    """
    if mapping.faults:
        raise invalid_record([{"field": f.field, "message": f.message, "code": "fhir"} for f in mapping.faults])
    if mapping.record is None and mapping.image is None:
        raise MissingInput("Send a Patient with Observations, Conditions or medicines, a radiograph, or both.")
    risk = read_record(mapping.record) if mapping.record is not None else None
    return Case(mapping.image, risk, checked_patient_number(mapping.patient_number), left_out(mapping))
