"""The preview is the pixels and nothing else."""

import io

import numpy as np
from PIL import Image

from shared.radiograph import phantom
from shared.radiograph.intake import decode
from shared.radiograph.prepare import GrayPixels
from shared.radiograph.preview import preview_png


def test_the_preview_holds_the_pixels(knee: GrayPixels) -> None:
    with Image.open(io.BytesIO(preview_png(decode(phantom.as_dicom(knee))))) as image:
        assert image.mode == "L"
        assert not image.info
        assert (np.asarray(image) == knee).all()


def test_nothing_of_the_file_is_in_it(knee: GrayPixels) -> None:
    preview = preview_png(decode(phantom.as_dicom(knee)))
    assert b"PHANTOM" not in preview
    assert preview.count(b"tEXt") + preview.count(b"eXIf") + preview.count(b"tIME") == 0
