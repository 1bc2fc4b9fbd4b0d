"""From where on a knee's grade moves when the same film is sent smaller, blurred or compressed.

    make steadiness DATA=DIR

Writes docs/model-cards/staging-steadiness.md: the figures behind the limits of `shared.radiograph.detail`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from services.staging.settings import SHIPPED
from services.staging.staging import stage
from shared.contracts.base import ModelReference
from shared.contracts.findings import Knee
from shared.inference.onnx import OnnxScorer
from shared.problems import ImageRefused
from shared.radiograph.detail import LACKS, LEAST_PIXELS
from shared.radiograph.intake import decode
from shared.radiograph.joints import MODEL
from shared.training.degrade import Moved, films, table, ways

PAGE = Path("docs/model-cards/staging-steadiness.md")
SOME, SEED = 80, 0
# Knees of the same film are the same knee where their middles lie this near, in shares of the width.
SAME_PLACE = 0.12
HEAD = f"""# How steady the grade is

`make steadiness DATA=DIR` gives this page. The 12 films at full size and {SOME} of `knee_bone` are sent again smaller,
smaller and enlarged again, blurred (at 1,024 pixels of the long side) or compressed, and each knee's grade is compared
with that of the film itself. "Warned" is the share that is called uncertain for its lack of detail: a joint under
{LEAST_PIXELS} pixels, blurred, or compressed too much.
"""
REFERENCE = ModelReference(name="staging", version="shipped")
Placed = list[tuple[float, Knee, bool]]


class Grader:
    """The shipped networks on the bytes of a file."""

    def __init__(self) -> None:
        self._network, self._finder = OnnxScorer(SHIPPED / "staging.onnx"), OnnxScorer(MODEL)

    def knees(self, data: bytes) -> Placed:
        """(place in shares of the width, knee, lacks detail) of each knee; none where the film is refused."""
        radiograph = decode(data)
        try:
            reading = stage(radiograph, self._network, self._finder, REFERENCE)
        except ImageRefused:
            return []
        width, lacks = radiograph.pixels.shape[1], [w.detail for w in reading.warnings if w.type in LACKS]
        return [((knee.box[0] + knee.box[2] / 2) / width, knee, knee.note in lacks) for knee in reading.finding.knees]


def compared(before: Placed, after: Placed) -> Iterator[Moved]:
    """How each knee that is found again has moved."""
    for place, knee, _ in before:
        for other_place, other, warned in after:
            if abs(place - other_place) < SAME_PLACE:
                by = float(np.dot(other.probabilities, range(5)) - np.dot(knee.probabilities, range(5)))
                sure = knee.quality == other.quality == "good"
                yield Moved(abs(other.stage - knee.stage), by, sure, warned)
                break


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    grader, parts = Grader(), [HEAD]
    found: dict[str, dict[str, list[Moved]]] = {}
    for name, path in films(options.data, SOME, SEED):
        before = grader.knees(path.read_bytes())
        image = Image.open(path).convert("L")
        rows = found.setdefault(name, {"as it is": []})
        rows["as it is"] += compared(before, before)
        for way, degrade in ways().items():
            rows.setdefault(way, []).extend(compared(before, grader.knees(degrade(image))))
    for name, rows in found.items():
        parts += [f"## {name}\n", table({way: moved for way, moved in rows.items() if moved}, "grade")]
    PAGE.write_text("\n".join(parts) + "\n", encoding="utf-8")
    print(f"{PAGE} is written.")


if __name__ == "__main__":
    main()
