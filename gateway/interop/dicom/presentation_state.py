"""Boxes and grades to be laid over the source itself: a grayscale softcopy presentation state."""

from typing import TYPE_CHECKING

from gateway.assessing.dicom_results import DicomContent
from gateway.interop.dicom.identity import PRODUCT, device_uid, finished, models_of, source_dataset
from gateway.interop.dicom.revisions import current
from gateway.interop.dicom.source_pixels import SourceBox, source_box
from gateway.interop.dicom.words import headline, knee_words

if TYPE_CHECKING:
    from highdicom.pr import GraphicAnnotation, GraphicLayer, TextObject
    from pydicom import Dataset

KIND = "pr"


def presentation_state(content: DicomContent) -> "Dataset | None":
    """The source shown as its file wants it, with each knee's box and grade in the source's pixels.

    Nothing where there is no knee, where the file does not say how its values are shown, or says it by a table: tables
    are not kept, and without it the picture would be shown wrong.
    """
    from highdicom import PresentationLUTTransformation
    from highdicom.pr import GraphicLayer, GrayscaleSoftcopyPresentationState

    shown, staging = content.identity.grayscale, content.assessment.staging
    if shown is None or shown.has_table or staging is None or not staging.knees:
        return None
    revision, source = current(content), source_dataset(content.identity)
    layer = GraphicLayer("AI", order=1, description=headline(content))
    is_inverse = shown.presentation_shape == "INVERSE" or (
        shown.presentation_shape is None and shown.photometric == "MONOCHROME1"
    )
    made = GrayscaleSoftcopyPresentationState(
        referenced_images=[source],
        series_instance_uid=revision.series_uid(KIND),
        series_number=1,
        sop_instance_uid=revision.sop_uid(KIND),
        instance_number=revision.number + 1,
        manufacturer=PRODUCT,
        manufacturer_model_name=PRODUCT,
        software_versions=models_of(content)[0],
        device_serial_number=device_uid(content),
        content_label="AI_RESULT",
        content_description=headline(content)[:64],
        graphic_layers=[layer],
        graphic_annotations=[annotation(content, layer, source)],
        presentation_lut_transformation=PresentationLUTTransformation(
            presentation_lut_shape="INVERSE" if is_inverse else "IDENTITY"
        ),
    )
    return finished(made, KIND, content, revision)


def annotation(content: DicomContent, layer: "GraphicLayer", source: "Dataset") -> "GraphicAnnotation":
    """Every knee's box with its words, and above them what this is."""
    import numpy as np
    from highdicom.pr import AnnotationUnitsValues, GraphicAnnotation, GraphicObject, GraphicTypeValues

    staging, imaging = content.assessment.staging, content.assessment.imaging
    knees = staging.knees if staging else []
    turned = imaging.turned_degrees if imaging else 0
    boxes = [source_box(knee.box, turned, content.identity) for knee in knees]
    outlines = [
        GraphicObject(GraphicTypeValues.POLYLINE, np.array(box.outline), AnnotationUnitsValues.PIXEL) for box in boxes
    ]
    texts = [text(" / ".join(knee_words(content, knee)), box) for knee, box in zip(knees, boxes, strict=True)]
    texts.append(text(headline(content), SourceBox(0, 0, source.Columns, source.Rows * 0.04)))
    return GraphicAnnotation([source], layer, graphic_objects=outlines, text_objects=texts)


def text(words: str, within: SourceBox) -> "TextObject":
    """Words within a box of the source."""
    from highdicom.pr import AnnotationUnitsValues, TextObject

    place = (within.left, within.top, within.right, within.bottom)
    return TextObject(words, AnnotationUnitsValues.PIXEL, bounding_box=place)
