"""`make weights-on-cards`: writes what the weights may be used for onto the shipped cards and their pages.

The rows come from `shared.weights`. Training writes them too; this is for a change of a set's licence or of a row,
which changes no figure.
"""

from pathlib import Path

from shared.contracts.models import ModelCard
from shared.manifest import write_manifest
from shared.training.page import page
from shared.weights import BONE_DENSITY, IMAGING, JOINTS, LIFESTYLE, STAGING, uses_of

ROOT = Path(__file__).parents[2]
CARDS = ROOT / "docs" / "model-cards"
# Each shipped card, the files whose weights it speaks of, and its page, where the training code here writes one.
SHIPPED = {
    "services/imaging/model/card.json": ((IMAGING, JOINTS), "imaging.md"),
    "services/staging/model/card.json": ((STAGING, JOINTS), "staging.md"),
    "services/clinical/model/card.json": ((BONE_DENSITY,), None),
    "services/clinical/model/card-lifestyle.json": ((LIFESTYLE,), None),
    "shared/radiograph/model/card.json": ((JOINTS,), None),
}


def main() -> None:
    """Renew every shipped card, its manifest and its page."""
    for name, (files, page_name) in SHIPPED.items():
        card = with_weights(ROOT / name, files)
        if page_name:
            (CARDS / page_name).write_text(page(card, pictures_of(CARDS / page_name)), encoding="utf-8")
        print(f"{name}: {len(card.weights)} rows")


def with_weights(file: Path, files: tuple[str, ...]) -> ModelCard:
    """Put the rows of these weights onto a card; its manifest is renewed where it holds the card."""
    card = ModelCard.model_validate_json(file.read_bytes()).model_copy(update={"weights": uses_of(*files)})
    indent = 1 if file.read_text(encoding="utf-8").startswith('{\n "') else 2
    file.write_text(card.model_dump_json(indent=indent) + "\n", encoding="utf-8")
    write_manifest(file.parent)
    return card


def pictures_of(page_file: Path) -> tuple[str, ...]:
    """The pictures that a page shows, by their names."""
    lines = page_file.read_text(encoding="utf-8").splitlines()
    return tuple(line.partition("](")[2].rstrip(")") for line in lines if line.startswith("!["))


if __name__ == "__main__":
    main()
