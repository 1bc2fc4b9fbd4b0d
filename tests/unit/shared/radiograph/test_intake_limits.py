"""A header that announces 50,000 x 50,000 pixels is refused without the memory to hold them."""

import io
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from shared.problems import ImageTooLarge
from shared.radiograph import phantom
from shared.radiograph.intake import decode
from shared.radiograph.prepare import GrayPixels
from tests.unit.shared.radiograph.dicom_files import changed, compressed, dataset_of

SIDE = 50_000


def huge_png() -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(10_000_000), 9)  # and it would inflate
    chunks = [(body, len(body) - 4), (b"IDAT" + pixels, len(pixels)), (b"IEND", 0)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", length) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk, length in chunks
    )


def huge_jpeg(marker: bytes = b"\xff\xc0") -> bytes:
    file = io.BytesIO()
    Image.new("L", (16, 16)).save(file, "JPEG", progressive=marker == b"\xff\xc2")
    data = bytearray(file.getvalue())
    start = data.find(marker)
    data[start + 5 : start + 9] = struct.pack(">HH", SIDE, SIDE)
    return bytes(data)


def peak_bytes(read: Callable[[], object]) -> int:
    """Bytes at the peak until the refusal."""
    tracemalloc.start()
    with pytest.raises(ImageTooLarge, match="50,000 x 50,000"):
        read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("data", [huge_png(), huge_jpeg(), huge_jpeg(b"\xff\xc2")], ids=["png", "jpeg", "progressive"])
def test_pictures(data: bytes) -> None:
    peak = peak_bytes(lambda: decode(data))
    assert peak < 1_000_000


def test_dicom(knee: GrayPixels) -> None:
    decode(phantom.as_dicom(knee))  # pydicom is imported by the first one
    data = changed(knee, Rows=SIDE, Columns=SIDE)
    peak = peak_bytes(lambda: decode(data))
    assert peak < 1_000_000


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"])
def test_a_small_dicom_header_around_a_huge_codestream(knee: GrayPixels, syntax: str, tmp_path: Path) -> None:
    """The codec allocates by the stream's own header, so that one is checked as well."""
    data = bytearray(compressed(phantom.as_dicom(knee), syntax, tmp_path))
    frame = bytes(dataset_of(bytes(data)).PixelData)
    start = data.find(frame)
    if syntax.endswith("90"):
        at = data.find(b"\xff\x4f\xff\x51", start) + 8
        data[at : at + 8] = struct.pack(">II", SIDE, SIDE)
    else:
        at = data.find(b"\xff\xc3" if syntax.endswith("70") else b"\xff\xf7", start) + 5
        data[at : at + 4] = struct.pack(">HH", SIDE, SIDE)
    peak = peak_bytes(lambda: decode(bytes(data)))
    assert peak < 1_000_000


LARGE = {
    "16-bit gray PNG": (np.uint16, 1, "PNG"), "colour PNG": (np.uint8, 3, "PNG"), "alpha PNG": (np.uint8, 4, "PNG"),
    "gray PNG": (np.uint8, 1, "PNG"), "JPEG": (np.uint8, 3, "JPEG"),
}  # fmt: skip
MEASURE = """
import sys
from pathlib import Path
from shared.radiograph import phantom
from shared.radiograph.intake import decode
status = lambda name: int(Path("/proc/self/status").read_text().split(name + ":")[1].split()[0]) // 1024
for make in (phantom.as_jpeg, phantom.as_png16, phantom.as_dicom):
    decode(make(phantom.knee(size=(300, 250))))
data = Path(sys.argv[1]).read_bytes()
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
decode(data)
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("name", LARGE)
def test_a_legal_picture_costs_a_fraction_of_its_pixels(name: str, tmp_path: Path) -> None:
    """36 million pixels, which take up to 144 MB at full size."""
    kind, channels, file_kind = LARGE[name]
    pixels = cv2.resize(phantom.knee(size=(600, 500)), (6000, 6000), interpolation=cv2.INTER_NEAREST)
    deep = pixels.astype(kind) * (257 if kind == np.uint16 else 1)
    path = tmp_path / "large"
    Image.fromarray(np.dstack([deep] * channels) if channels > 1 else deep).save(path, file_kind)
    result = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True)
    assert int(result.stdout) < 80
