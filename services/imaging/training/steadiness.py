"""From where on a knee's bone reading moves when the same film is sent smaller, blurred or compressed.

    make steadiness DATA=DIR

Writes docs/model-cards/imaging-steadiness.md: the figures behind the limits of `shared.radiograph.detail`.
"""

import argparse
from pathlib import Path

from PIL import Image

from services.imaging.classification import Reading, classify
from services.imaging.settings import SHIPPED
from shared.contracts.base import ModelReference
from shared.inference.onnx import OnnxScorer
from shared.problems import ImageRefused
from shared.radiograph.detail import LACKS, LEAST_PIXELS
from shared.radiograph.intake import decode
from shared.radiograph.joints import MODEL
from shared.training.degrade import Moved, films, table, ways

PAGE = Path("docs/model-cards/imaging-steadiness.md")
SOME, SEED = 60, 0
ORDER = ("normal", "osteopenia", "osteoporosis")
HEAD = f"""# How steady the bone reading of a knee is

`make steadiness DATA=DIR` gives this page. The 12 films at full size and {SOME} of `knee_bone` are sent again smaller,
smaller and enlarged again, blurred (at 1,024 pixels of the long side) or compressed. The leading bone class and the
probability of osteoporosis are compared with those of the film itself. "Warned" is the share that is indeterminate for
its lack of detail: a frame of two joints' width under {LEAST_PIXELS} pixels, blurred, or compressed too much.
"""
REFERENCE = ModelReference(name="imaging", version="shipped")


def moved(before: Reading, after: Reading) -> Moved:
    """How the reading differs."""
    one, other = before.finding, after.finding
    steps = abs(ORDER.index(_leading(before)) - ORDER.index(_leading(after)))
    warned = any(warning.type in LACKS for warning in after.warnings)
    sure = not one.indeterminate and not other.indeterminate
    return Moved(steps, other.bone.osteoporosis - one.bone.osteoporosis, sure, warned)


def _leading(reading: Reading) -> str:
    bone = reading.finding.bone
    return max(ORDER, key=lambda name: getattr(bone, name))


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    network, finder = OnnxScorer(SHIPPED / "imaging.onnx"), OnnxScorer(MODEL)

    def read(data: bytes) -> Reading | None:
        try:
            return classify(decode(data), network, finder, REFERENCE, {})
        except ImageRefused:
            return None

    found: dict[str, dict[str, list[Moved]]] = {}
    for name, path in films(options.data, SOME, SEED):
        before, image = read(path.read_bytes()), Image.open(path).convert("L")
        for way, degrade in ways().items():
            after = read(degrade(image))
            if before is not None and after is not None:
                found.setdefault(name, {}).setdefault(way, []).append(moved(before, after))
    sections = [f"## {name}\n\n{table(rows, 'bone class')}\n" for name, rows in found.items()]
    PAGE.write_text("\n".join([HEAD, *sections]), encoding="utf-8")
    print(f"{PAGE} is written.")


if __name__ == "__main__":
    main()
