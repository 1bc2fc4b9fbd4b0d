"""The DICOM objects of a result, by kind."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from gateway.assessing.dicom_results import DicomContent
from gateway.interop.dicom.encapsulated_pdf import encapsulated_pdf
from gateway.interop.dicom.installed import require_installed
from gateway.interop.dicom.presentation_state import presentation_state
from gateway.interop.dicom.rejection_note import rejection_note
from gateway.interop.dicom.secondary_capture import heat_map, picture_with_boxes
from gateway.interop.dicom.structured_report import structured_report
from gateway.records.dicom_objects import SentObject

if TYPE_CHECKING:
    from pydicom import Dataset

# Structured report, picture with boxes, heat map, presentation state, PDF.
ResultKind = Literal["sr", "sc", "heatmap", "pr", "pdf"]
ObjectKind = Literal[ResultKind, "ko"]
RESULT_KINDS: tuple[ResultKind, ...] = get_args(ResultKind)
REJECTION: Literal["ko"] = "ko"
MAKERS: Mapping[ObjectKind, "Callable[[DicomContent], Dataset | None]"] = {
    "sr": structured_report,
    "sc": picture_with_boxes,
    "heatmap": heat_map,
    "pr": presentation_state,
    "pdf": encapsulated_pdf,
    REJECTION: rejection_note,
}


@dataclass(frozen=True)
class DicomObject:
    """A DICOM object of a result."""

    kind: ObjectKind
    dataset: "Dataset"

    @property
    def file(self) -> bytes:
        """The object as a file (PS3.10), Explicit VR Little Endian."""
        written = io.BytesIO()
        self.dataset.save_as(written, enforce_file_format=True)
        return written.getvalue()

    @property
    def reference(self) -> SentObject:
        """What is remembered of an object that was sent."""
        named = self.dataset
        return SentObject(self.kind, str(named.SOPClassUID), str(named.SeriesInstanceUID), str(named.SOPInstanceUID))


def objects_of(content: DicomContent, kinds: Sequence[ObjectKind]) -> list[DicomObject]:
    """The objects of these kinds that there are, and nothing but the rejection note of what was withdrawn.

    Raises:
        NotInstalled: the packages for it are not there.
    """
    require_installed()
    wanted = [kind for kind in kinds if (kind == REJECTION) == content.assessment.is_withdrawn]
    made = [(kind, MAKERS[kind](content)) for kind in wanted]
    return [DicomObject(kind, dataset) for kind, dataset in made if dataset is not None]
