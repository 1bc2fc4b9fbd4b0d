"""DICOM results in tests: a source, what its result is made of, and the programs of others that judge the objects."""

import datetime as dt
import io
import json
import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import pydicom
import pytest

import gateway.api.examples.assessments
from gateway.assessing.assessments import ReportContent
from gateway.assessing.dicom_results import DicomContent
from shared.contracts.assessment import Assessment
from shared.contracts.review import AmendedFindings, AmendedKnee, Review, ReviewStep
from shared.radiograph.intake import decode
from shared.radiograph.phantom import as_dicom, knee
from shared.radiograph.preview import preview_png

EXAMPLE = Assessment.model_validate(json.loads(
    Path(gateway.api.examples.assessments.__file__).with_name("assessment.json").read_text(encoding="utf-8")
))  # fmt: skip
ORGANISATION = UUID("0199f7a0-7b1c-7c3e-8f00-3a5d9b1e2c4d")
ACTOR, EMAIL = "account:0199f7a0-7b1c-7c3e-8f00-3a5d9b1e2c4e", "doctor@clinic.example"
PATIENT = {
    "PatientName": "DOE^JANE", "PatientID": "MRN-1", "PatientBirthDate": "19500102", "PatientSex": "F",
    "AccessionNumber": "A-1", "StudyID": "S-1", "StudyDate": "20261120", "StudyTime": "101112",
    "StudyDescription": "Knee AP", "ReferringPhysicianName": "HOUSE^GREGORY",
}  # fmt: skip
SIGNED = ReviewStep(action="signed", at=dt.datetime(2026, 11, 27, 9, 30, tzinfo=dt.UTC), by=ACTOR)
AMENDED = ReviewStep(
    action="amended",
    at=dt.datetime(2026, 11, 27, 9, 40, tzinfo=dt.UTC),
    by=ACTOR,
    reason="Osteophyte at the medial tibia",
    findings=AmendedFindings(knees=[AmendedKnee(side="right", kl_grade=3)], bone="low"),
)
WITHDRAWN = ReviewStep(
    action="withdrawn", at=dt.datetime(2026, 11, 27, 9, 50, tzinfo=dt.UTC), by=ACTOR, reason="It is of Jim Roe, MRN-2"
)


def source_file(pixels=None, photometric="MONOCHROME2", **elements) -> bytes:
    """A DX file of a drawn knee with a patient and an order; `elements` are set or, where null, deleted."""
    drawn = knee(bone_density=0.7, size=(700, 550)) if pixels is None else pixels
    dataset = pydicom.dcmread(io.BytesIO(as_dicom(drawn, photometric)))
    for name, value in {**PATIENT, **elements}.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def content_of(source: bytes, *steps: ReviewStep, pictures=True, sent=(), report_class="comprehensive_3d", **parts):
    """What the objects of the example's result for this source are made of, after these steps."""
    radiograph = decode(source)
    staging = EXAMPLE.staging.model_copy(
        update={"knees": [EXAMPLE.staging.knees[0].model_copy(update={"side": "right"})]}
    )
    review = Review(status=steps[-1].action if steps else "preliminary", steps=list(steps))
    assessment = EXAMPLE.model_copy(update={"staging": staging, "review": review, **parts})
    png = preview_png(radiograph)
    kept = {"preview": png, "staging": png} if pictures else {}
    report = ReportContent(assessment, "clinician", kept)
    names = {ACTOR: EMAIL}
    return DicomContent(radiograph.source, ORGANISATION, "Clinic", names, report, report_class, tuple(sent))


def program(name: str) -> str:
    """A program that judges DICOM files; the test is skipped where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine (apt install dicom3tools dcmtk)")
    return found


def said(*command: str | Path) -> str:
    """Everything that a program prints."""
    done = subprocess.run(command, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace")
