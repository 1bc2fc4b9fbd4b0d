"""DICOM files of every kind for the tests, made from the phantom's."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pydicom
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from shared.radiograph import phantom
from shared.radiograph.prepare import GrayPixels

COMPRESSOR = Path(__file__).with_name("gdcm_compressor.py")
IMPLICIT, EXPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
COMPRESSED = {
    "1.2.840.10008.1.2.4.57": "JPEG lossless, any predictor",
    "1.2.840.10008.1.2.4.70": "JPEG lossless",
    "1.2.840.10008.1.2.4.80": "JPEG-LS lossless",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 lossless",
    "1.2.840.10008.1.2.5": "RLE",
}
LOSSY = {
    "1.2.840.10008.1.2.4.51": "JPEG extended, 12 bit",
    "1.2.840.10008.1.2.4.81": "JPEG-LS near lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
}


def dataset_of(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def bytes_of(dataset: Dataset) -> bytes:
    file = io.BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def changed(pixels: GrayPixels, **elements: Any) -> bytes:
    """The phantom's DICOM with elements set, or removed where the value is None."""
    dataset = dataset_of(phantom.as_dicom(pixels))
    for name, value in elements.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
            if dataset[name].VR == "US or SS":
                dataset[name].VR = "US"
    return bytes_of(dataset)


def with_syntax(data: bytes, syntax: str) -> bytes:
    """The same file that names another transfer syntax; what its pixels hold is never looked at."""
    dataset = dataset_of(data)
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    if syntax.startswith("1.2.840.10008.1.2.4."):
        dataset.PixelData = encapsulate([b"frame"])
        dataset["PixelData"].VR = "OB"
    file = io.BytesIO()
    dataset.save_as(file, implicit_vr=False, little_endian=True, enforce_file_format=False)
    return file.getvalue()


def native(data: bytes, syntax: str) -> bytes:
    """The same object, uncompressed, in another encoding."""
    source, dataset = dataset_of(data), Dataset()
    swapped = source.pixel_array.astype(">u2").tobytes()
    for element in source:  # a new data set: pydicom does not change the byte order of one that it read
        dataset.add(element)
    dataset.file_meta = source.file_meta
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    if syntax == BIG_ENDIAN:
        dataset.PixelData = swapped
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def compressed(data: bytes, syntax: str, folder: Path) -> bytes:
    """The same object, compressed by gdcm, in a process of its own: its encoders corrupt the heap now and then."""
    source, target = folder / "source.dcm", folder / "target.dcm"
    source.write_bytes(data)
    subprocess.run(
        [sys.executable, str(COMPRESSOR), syntax, str(source), str(target)], capture_output=True, check=False
    )
    return target.read_bytes()
