"""The compression of a JPEG is known from its table, in a file of its own and in a DICOM file."""

import pytest

from shared.radiograph import phantom
from shared.radiograph.intake import decode
from tests.unit.shared.radiograph.test_dicom import in_jpeg


@pytest.mark.parametrize("quality", [20, 35, 60, 92])
def test_the_quality_of_a_jpeg(knee, quality):
    assert decode(phantom.as_jpeg(knee, quality)).jpeg_quality == pytest.approx(quality, abs=1)


def test_other_pictures_have_none(knee):
    assert decode(phantom.as_png16(knee)).jpeg_quality is None
    assert decode(phantom.as_dicom(knee)).jpeg_quality is None


def test_a_jpeg_within_dicom_has_one(knee):
    assert 50 < (decode(in_jpeg(knee, "1.2.840.10008.1.2.4.50")).jpeg_quality or 0) <= 100
