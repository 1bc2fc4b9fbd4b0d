"""What of the film's reading counts for one person, and whose film it is by its own words."""

from typing import Literal

from gateway.platform.validators import checked_patient_number
from shared.contracts.film import DicomIdentity
from shared.contracts.findings import ClassifyAnswer, ImagingFinding
from shared.problems import PatientMismatch

# What is done with the PatientID of a DICOM file, beside storing it: taken where the request names no patient, and
# compared where it does; only compared; or neither, where requests carry pseudonyms.
PatientIdPolicy = Literal["use", "check", "ignore"]

BONE_READ_FROM_AGE = 50
TOO_YOUNG = f"Indeterminate: the network was not shown to read bone density below {BONE_READ_FROM_AGE} years of age."


def read_at_age(finding: ImagingFinding, age: float | None) -> ImagingFinding:
    """The finding as it may be used at this age; an age that nobody gave changes nothing."""
    if age is None or age >= BONE_READ_FROM_AGE:
        return finding
    return finding.model_copy(update={"indeterminate": True, "summary": TOO_YOUNG, "stand_alone": None})


def as_it_counts(seen: ClassifyAnswer, age: float | None) -> ClassifyAnswer:
    """The answer of imaging for a person of this age; an indeterminate reading has no heat map to believe in."""
    finding = read_at_age(seen.finding, age)
    return seen.model_copy(update={"finding": finding, "heatmap": None if finding.indeterminate else seen.heatmap})


def patient_number(sent: str | None, identity: DicomIdentity | None, policy: PatientIdPolicy) -> str | None:
    """Whose the film is: the number that was sent, or by the site's policy the file's own PatientID.

    Raises:
        PatientMismatch: both are there and differ.
        InvalidInput: the file's is no number that could have been sent.
    """
    in_file = identity.patient_id if identity else None
    if in_file is None or policy == "ignore":
        return sent
    if sent is None:
        return checked_patient_number(in_file) if policy == "use" else None
    if sent.strip() != in_file.strip():
        raise PatientMismatch(
            "patient_number is not the PatientID in the DICOM file: send the file of this patient, or correct the "
            "number. Nothing was stored.",
            field="patient_number",
        )
    return sent
