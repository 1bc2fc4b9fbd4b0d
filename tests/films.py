"""Drawn films in tests, each an object of its own, and what is sent with them."""

import io
from functools import cache
from typing import Any
from uuid import uuid4

import pydicom

from shared.radiograph.phantom import as_dicom, knee


@cache
def _drawn(seed: int) -> bytes:
    return as_dicom(knee(bone_density=0.7, size=(700, 550), seed=seed))


def film(number: str = "MRN-1", seed: int = 1, **elements: object) -> pydicom.FileDataset:
    """A DX file of a drawn knee with a UID of its own; `elements` are set or, where null, deleted."""
    dataset = pydicom.dcmread(io.BytesIO(_drawn(seed)))
    uid = f"2.25.{uuid4().int}"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{uid}.1"[:64], f"{uid}.2"[:64]
    dataset.PatientID, dataset.PatientName, dataset.AccessionNumber = number, "DOE^JANE", "A-1"
    for name, value in elements.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    return dataset


@cache
def chest() -> bytes:
    """A film that is taken in and ignored."""
    return file_of(film(BodyPartExamined="CHEST"))


def pushed(*files: bytes, boundary: str = "b0undary") -> dict[str, Any]:
    """What is sent by STOW-RS: arguments of a request."""
    parts = b"".join(
        b"--" + boundary.encode() + b"\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n" for data in files
    )
    return {
        "content": parts + b"--" + boundary.encode() + b"--\r\n",
        "headers": {"Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}'},
    }


def file_of(dataset: pydicom.FileDataset) -> bytes:
    """The file's bytes."""
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()
