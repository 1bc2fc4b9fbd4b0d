"""A box of the radiograph as it was read is taken back to where it is in the file."""

import io

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.interop.dicom.source_pixels import source_box, unturned
from shared.contracts.film import DicomIdentity
from shared.radiograph.intake import decode
from shared.radiograph.phantom import as_dicom, knee
from shared.radiograph.upright import Correction, corrected

TURNS = (0, 90, 180, 270)


def film(rows, columns, mark, spacing=None, photometric="MONOCHROME2"):
    """A DICOM file of a dim film with a bright mark at left, top, right, bottom."""
    pixels = (knee(bone_density=0.7, size=(rows, columns)) // 4).astype(np.uint8)
    left, top, right, bottom = mark
    pixels[top:bottom, left:right] = 255
    dataset = pydicom.dcmread(io.BytesIO(as_dicom(pixels, photometric)))
    if spacing is not None:
        dataset.ImagerPixelSpacing = list(spacing)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def bright(pixels):
    rows, columns = np.nonzero(pixels > 200)
    left, top = float(columns.min()), float(rows.min())
    return [left, top, columns.max() + 1 - left, rows.max() + 1 - top]


@pytest.mark.parametrize("turned", TURNS)
@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize(
    ("rows", "columns", "spacing"),
    [(2200, 1700, None), (1100, 1900, None), (640, 480, None), (1600, 1000, (0.2, 0.1)), (900, 1500, (0.1, 0.25))],
)
def test_a_mark_on_the_film_is_found_where_it_is_in_the_file(rows, columns, spacing, photometric, turned):
    mark = (columns // 5, rows // 3, columns // 2, rows * 3 // 5)
    radiograph = decode(film(rows, columns, mark, spacing, photometric))
    identity = radiograph.source
    # As imaging does with a film that lies turned.
    upright = corrected(radiograph, Correction(turned))
    found = source_box(bright(upright.pixels), turned, identity)
    slack = 2 * max(columns / identity.read_width, rows / identity.read_height)
    assert found.left == pytest.approx(mark[0], abs=slack)
    assert found.top == pytest.approx(mark[1], abs=slack)
    assert found.right == pytest.approx(mark[2], abs=slack)
    assert found.bottom == pytest.approx(mark[3], abs=slack)


def test_inverted_tones_move_nothing():
    mark = (300, 400, 700, 900)
    radiograph = decode(film(1600, 1200, mark))
    inverted = corrected(radiograph, Correction(90, inverted=True))
    found = source_box(bright(255 - inverted.pixels), 90, radiograph.source)
    assert (found.left, found.top, found.right, found.bottom) == pytest.approx(mark, abs=4)


@given(st.floats(0, 60), st.floats(0, 40), st.sampled_from(TURNS))
def test_a_point_goes_there_and_back(x, y, turned):
    width, height = 60, 40
    # Turning on by what is left to a whole turn is turning back.
    across, down = (height, width) if turned in (90, 270) else (width, height)
    sideways = unturned(x, y, (360 - turned) % 360, across, down)
    assert unturned(*sideways, turned, width, height) == pytest.approx((x, y))


def test_a_box_stays_within_the_film():
    identity = DicomIdentity(rows=2000, columns=1000, read_width=512, read_height=1024)
    found = source_box([-20, -20, 2000, 5000], 0, identity)
    assert (found.left, found.top, found.right, found.bottom) == (0, 0, 1000, 2000)
    assert found.outline == [(0, 0), (1000, 0), (1000, 2000), (0, 2000), (0, 0)]


def test_without_the_sizes_there_is_no_guess():
    with pytest.raises(ValueError, match="sizes"):
        source_box([0, 0, 1, 1], 0, DicomIdentity(rows=10, columns=10))
