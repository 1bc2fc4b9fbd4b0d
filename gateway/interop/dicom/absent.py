"""Why a result has no object of a kind, for whoever asked for it."""

from gateway.assessing.dicom_results import DicomContent
from gateway.interop.dicom.objects import REJECTION, ObjectKind
from shared.problems import Conflict, NotFound, TrabeculaError

KEPT = {
    "sc": "This site kept no picture of the radiograph, or it has expired: set TRABECULA_STORE_RENDERINGS=true.",
    "heatmap": "There is no heat map of this radiograph, or this site kept none, or it has expired.",
}
NO_STATE = (
    "There is no knee to mark, or the file says by a table how it is shown, which is not kept: take the picture (sc)."
)


def why_absent(content: DicomContent, kind: ObjectKind) -> TrabeculaError:
    """The problem, with a reason for programs."""
    if content.assessment.is_withdrawn:
        return Conflict("This assessment was withdrawn: only its rejection note (ko) goes out.", reason="withdrawn")
    if kind == REJECTION:
        return NotFound("Nothing was withdrawn, so there is nothing to reject.", reason="not_withdrawn")
    if kind == "pr":
        return NotFound(NO_STATE, reason="no_presentation_state")
    return NotFound(KEPT.get(kind, "There is no such object of this result."), reason="not_kept")
