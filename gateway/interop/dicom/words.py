"""The few words on pictures of a result: short, and each with whose they are."""

from gateway.assessing.dicom_results import DicomContent
from gateway.interop.dicom.revisions import current
from shared.contracts.findings import Knee


def knee_words(content: DicomContent, knee: Knee) -> list[str]:
    """A knee's grade by the software, and by the clinician where one gave another."""
    unsure = ", uncertain" if knee.quality == "uncertain" else ""
    side = "" if knee.side == "unknown" else f"{knee.side} "
    words = [f"{side}KL {knee.stage} (AI{unsure})"]
    amended = current(content).grades.get(knee.side)
    return words if amended is None else [*words, f"{side}KL {amended} (clinician)"]


def headline(content: DicomContent) -> str:
    """What stands on every picture."""
    return f"AI result, research, not for diagnosis - {current(content).status}"
