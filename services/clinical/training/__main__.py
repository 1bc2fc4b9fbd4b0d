"""`python -m services.clinical.training --data DIR`: both models, their cards and the page about them."""

import argparse
import os
from pathlib import Path

from services.clinical.training.bone_density import train_bone_density
from services.clinical.training.cards import bone_density_card, lifestyle_card
from services.clinical.training.document import document
from services.clinical.training.lifestyle import train_lifestyle
from services.clinical.training.plots import plot_bone_density, plot_lifestyle
from shared.contracts.models import ModelCard
from shared.manifest import write_manifest

MODEL_DIR = Path(__file__).parents[1] / "model"
DOCUMENTS = Path(__file__).parents[3] / "docs" / "model-cards"


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description="Train the clinical service's models.")
    parser.add_argument("--data", type=Path, default=os.environ.get("TRABECULA_DATA"), help="folder with the tables")
    parser.add_argument("--limit", type=int, help="at most so many rows a survey cycle, for a quick run")
    parser.add_argument("--model-dir", type=Path, default=MODEL_DIR)
    parser.add_argument("--documents", type=Path, default=DOCUMENTS)
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data (or TRABECULA_DATA) has to name the folder with nhanes_bone.csv and lifestyle.csv")
    train(Path(options.data), options.model_dir, options.documents, options.limit)


def train(data: Path, model_dir: Path, documents: Path, limit: int | None = None) -> None:
    """Train both models.

    Args:
        data: the folder with `nhanes_bone.csv` and `lifestyle.csv`; it is only read.
        model_dir: where models, parameters and cards go.
        documents: where the page and its figures go.
        limit: at most so many rows a survey cycle.
    """
    model_dir.mkdir(parents=True, exist_ok=True)
    documents.mkdir(parents=True, exist_ok=True)
    lifestyle = train_lifestyle(data, model_dir, limit)
    print("lifestyle: trained")
    bone_density = train_bone_density(data, model_dir, limit)
    print("bone density: trained")
    cards = bone_density_card(bone_density.metrics), lifestyle_card(lifestyle.metrics)
    for card, name in zip(cards, ("card.json", "card-lifestyle.json"), strict=True):
        _write(model_dir / name, card)
    write_manifest(model_dir)
    (documents / "clinical.md").write_text(document(*cards), encoding="utf-8")
    plot_bone_density(bone_density, documents / "clinical-bone-density.png")
    plot_lifestyle(lifestyle, documents / "clinical-lifestyle.png")


def _write(path: Path, card: ModelCard) -> None:
    path.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
