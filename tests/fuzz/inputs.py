"""Whole files of every kind that the intake reads or names, built from the phantom: what the fuzzer mutates."""

import io
import struct
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID, RLELossless

from shared.radiograph import phantom
from tests.unit.shared.radiograph.dicom_files import BIG_ENDIAN, IMPLICIT, compressed, native
from tests.unit.shared.radiograph.heic_file import SMALL_HEIC

PIXELS = phantom.knee(size=(60, 50))
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def gray(mode: str = "L") -> Image.Image:
    return Image.fromarray(PIXELS).convert(mode)


def sideways() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def interlaced_png(pixels: np.ndarray, colour_type: int) -> bytes:
    """Adam7 (ISO/IEC 15948 8.2), without filters: Pillow and OpenCV write none."""
    deep = pixels.astype(">u2") if pixels.dtype == np.uint16 else pixels
    rows = b""
    for left, top, across, down in PASSES:
        part = np.ascontiguousarray(deep[top::down, left::across])
        rows += b"".join(b"\x00" + row.tobytes() for row in part if part.size)
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8 * deep.dtype.itemsize, colour_type, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def dicom(**elements: object) -> Dataset:
    dataset = dcmread(io.BytesIO(phantom.as_dicom(PIXELS)))
    for name, value in elements.items():
        setattr(dataset, name, value)
    return dataset


def written(dataset: Dataset) -> bytes:
    file = io.BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def encapsulated(stream: bytes, syntax: str, **elements: object) -> bytes:
    dataset = dicom(**elements)
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    return written(dataset)


def with_tables() -> bytes:
    item = Dataset()
    item.LUTDescriptor = [256, 0, 12]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = list(range(0, 4096, 16))
    item["LUTData"].VR = "US"
    dataset = dicom(
        VOILUTSequence=[item], PixelPaddingValue=0, PatientName="Müller^Änne", SpecificCharacterSet="ISO_IR 100"
    )
    dataset["PixelPaddingValue"].VR = "US"
    return written(dataset)


def rle() -> bytes:
    dataset = dicom()
    dataset.compress(RLELossless, generate_instance_uid=False)
    return written(dataset)


def lossless_files() -> dict[str, bytes]:
    """What gdcm decodes, which may end its process: for `--apart` alone."""
    base = phantom.as_dicom(PIXELS)
    with TemporaryDirectory() as folder:
        return {
            name: compressed(base, f"1.2.840.10008.1.2.4.{tail}", Path(folder))
            for name, tail in (("dicom lossless", 70), ("dicom lossless 14", 57), ("dicom jpeg-ls", 80))
        }


def files() -> dict[str, bytes]:
    colour = gray("RGB")
    deep = PIXELS.astype(np.uint16) * 200
    eight = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    rgb = {**eight, "SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    j2k = saved(Image.fromarray(deep), "JPEG2000", no_jp2=True, irreversible=False)
    base = phantom.as_dicom(PIXELS)
    return {
        "jpeg": phantom.as_jpeg(PIXELS), "jpeg colour": saved(colour, "JPEG"),
        "jpeg progressive": saved(colour, "JPEG", progressive=True),
        "jpeg exif": saved(gray(), "JPEG", exif=sideways()),
        "jpeg cmyk": saved(gray("CMYK"), "JPEG"), "png": saved(gray(), "PNG"), "png 16": phantom.as_png16(PIXELS),
        "png palette": saved(gray("P"), "PNG", transparency=bytes(range(256))), "png 1": saved(gray("1"), "PNG"),
        "png rgba": saved(gray("RGBA"), "PNG"), "png la": saved(gray("LA"), "PNG", exif=sideways()),
        "png interlaced": interlaced_png(PIXELS, 0), "png interlaced 16": interlaced_png(deep, 0),
        "png interlaced colour": interlaced_png(np.dstack([PIXELS] * 3), 2),
        "tiff": saved(gray(), "TIFF"), "tiff lzw": saved(colour, "TIFF", compression="tiff_lzw"),
        "tiff 16": saved(Image.fromarray(deep), "TIFF", compression="tiff_adobe_deflate", exif=sideways()),
        "tiff jpeg": saved(colour, "TIFF", compression="jpeg"),
        "tiff 1": saved(gray("1"), "TIFF", compression="group4"),
        "webp": saved(colour, "WEBP"), "webp lossless": saved(gray("RGBA"), "WEBP", lossless=True), "heic": SMALL_HEIC,
        "dicom": base, "dicom inverted": phantom.as_dicom(PIXELS, "MONOCHROME1"),
        "dicom implicit": native(base, IMPLICIT), "dicom big endian": native(base, BIG_ENDIAN),
        "dicom bare": base[132:], "dicom rle": rle(), "dicom tables": with_tables(),
        "dicom jpeg": encapsulated(phantom.as_jpeg(PIXELS), "1.2.840.10008.1.2.4.50", **eight),
        "dicom jpeg colour": encapsulated(saved(colour, "JPEG"), "1.2.840.10008.1.2.4.50", **rgb),
        "dicom jpeg 2000": encapsulated(j2k, "1.2.840.10008.1.2.4.90", BitsStored=16, HighBit=15),
        "dicom colour": written(dicom(**rgb, PixelData=np.dstack([PIXELS] * 3).tobytes())),
    }  # fmt: skip
