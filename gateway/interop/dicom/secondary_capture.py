"""Pictures of a result for viewers that show nothing else: the radiograph with boxes and grades, and the heat map."""

import io
from typing import TYPE_CHECKING

from gateway.assessing.dicom_results import DicomContent
from gateway.interop.dicom.identity import PRODUCT, finished, source_dataset
from gateway.interop.dicom.revisions import current
from gateway.interop.dicom.words import headline, knee_words

if TYPE_CHECKING:
    from PIL import Image
    from pydicom import Dataset

BOXES, HEAT_MAP = "sc", "heatmap"
# A colour that stands out from gray on both of a film's ends.
COLOUR, BEHIND = (255, 214, 0), (0, 0, 0)
LARGEST_LETTERS, SMALLEST_LETTERS = 28, 12


def picture_with_boxes(content: DicomContent) -> "Dataset | None":
    """The radiograph as it was read with each knee's box and grade; nothing where the site kept no picture."""
    preview = content.report.renderings.get("preview")
    if preview is None:
        return None
    picture = opened(preview)
    for knee in content.assessment.staging.knees if content.assessment.staging else []:
        x, y, width, height = knee.box
        draw_box(picture, (x, y, x + width, y + height), knee_words(content, knee))
    return captured(content, BOXES, with_band(picture, headline(content)))


def heat_map(content: DicomContent) -> "Dataset | None":
    """Where the network found its evidence; nothing where no heat map may be shown or none was kept."""
    kept = content.report.renderings
    png = kept.get("staging") or kept.get("imaging")
    if png is None:
        return None
    return captured(content, HEAT_MAP, with_band(opened(png), f"Heat map: {headline(content)}"))


def opened(png: bytes) -> "Image.Image":
    """A kept picture, which a service of this installation wrote."""
    from PIL import Image

    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return image.convert("RGB")


def letters(picture: "Image.Image") -> int:
    """A size of letters in proportion to the picture."""
    return min(LARGEST_LETTERS, max(SMALLEST_LETTERS, picture.width // 36))


def draw_box(picture: "Image.Image", box: tuple[float, float, float, float], words: list[str]) -> None:
    """A box with words inside its lower edge, on a ground of their own."""
    from PIL import ImageDraw, ImageFont

    draw, size = ImageDraw.Draw(picture), letters(picture)
    draw.rectangle(box, outline=COLOUR, width=max(2, size // 8))
    font = ImageFont.load_default(size)
    for line, text in enumerate(reversed(words), start=1):
        place = (box[0] + size / 3, box[3] - line * size * 1.3)
        draw.rectangle(draw.textbbox(place, text, font=font), fill=BEHIND)
        draw.text(place, text, fill=COLOUR, font=font)


def with_band(picture: "Image.Image", words: str) -> "Image.Image":
    """The picture under a band with words, so that they cover nothing."""
    from PIL import Image, ImageDraw, ImageFont

    size = letters(picture)
    font = ImageFont.load_default(size)
    while font.getlength(words) > picture.width - size and size > 6:
        size -= 1
        font = ImageFont.load_default(size)
    whole = Image.new("RGB", (picture.width, picture.height + 2 * size), BEHIND)
    whole.paste(picture, (0, 2 * size))
    ImageDraw.Draw(whole).text((size / 2, size / 2), words, fill=COLOUR, font=font)
    return whole


def captured(content: DicomContent, kind: str, picture: "Image.Image") -> "Dataset":
    """A picture as a secondary capture that says what it was made from."""
    import numpy as np
    from highdicom.sc import SCImage
    from pydicom import Dataset

    revision, source = current(content), source_dataset(content.identity)
    made = SCImage.from_ref_dataset(
        source,
        pixel_array=np.asarray(picture),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),
        series_instance_uid=revision.series_uid(kind),
        series_number=1,
        sop_instance_uid=revision.sop_uid(kind),
        instance_number=revision.number + 1,
        manufacturer=PRODUCT,
        transfer_syntax_uid="1.2.840.10008.1.2.1",
    )
    made.copy_patient_and_study_information(source)
    made.PatientOrientation = []  # the library wants one; the picture was put upright, and what it shows is not said
    made.BurnedInAnnotation = "YES"
    made.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    made.DerivationDescription = headline(content)
    from_source = Dataset()
    from_source.ReferencedSOPClassUID = content.identity.sop_class_uid
    from_source.ReferencedSOPInstanceUID = content.identity.sop_uid
    made.SourceImageSequence = [from_source]
    return finished(made, kind, content, revision)
