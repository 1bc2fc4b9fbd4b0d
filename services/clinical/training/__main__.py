"""`python -m services.clinical.training --data DIR`: both models, their cards and the page about them."""

import argparse
import os
from pathlib import Path

from services.clinical.training.bone_density import train_bone_density
from services.clinical.training.cards import bone_density_card, lifestyle_card
from services.clinical.training.category_page import categories
from services.clinical.training.document import BONE_DENSITY_CARD, LIFESTYLE_CARD, write_document
from services.clinical.training.lifestyle import train_lifestyle
from services.clinical.training.plots import plot_bone_density, plot_lifestyle
from shared.contracts.models import ModelCard
from shared.manifest import write_manifest

MODEL_DIR = Path(__file__).parents[1] / "model"
DOCUMENTS = Path(__file__).parents[3] / "docs" / "model-cards"
TABLES = ("nhanes_bone", "lifestyle")


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description="Train the clinical service's models.")
    parser.add_argument("--data", type=Path, default=os.environ.get("TRABECULA_DATA"), help="folder with the tables")
    parser.add_argument("--limit", type=int, help="at most so many rows a survey cycle, for trying out")
    parser.add_argument(
        "--exclude", action="append", default=[], choices=TABLES, help="keep this table's model as it is"
    )
    parser.add_argument("--model", type=Path, default=MODEL_DIR, help="where models, parameters and cards go")
    parser.add_argument("--documents", type=Path, default=DOCUMENTS, help="where the page and its figures go")
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data (or TRABECULA_DATA) has to name the folder with nhanes_bone.csv and lifestyle.csv")
    options.model.mkdir(parents=True, exist_ok=True)
    options.documents.mkdir(parents=True, exist_ok=True)
    data = Path(options.data)
    if "lifestyle" not in options.exclude:
        lifestyle(data, options.model, options.documents, options.limit)
    if "nhanes_bone" not in options.exclude:
        bone_density(data, options.model, options.documents, options.limit)
    write_manifest(options.model)
    write_document(options.model, options.documents)


def bone_density(data: Path, model: Path, documents: Path, limit: int | None) -> None:
    """Train the default model; write it, its card and its figure."""
    trained = train_bone_density(data, model, limit)
    _write(model / BONE_DENSITY_CARD, bone_density_card(trained.metrics))
    plot_bone_density(trained, documents / "clinical-bone-density.png")
    print("\n".join(categories(trained.metrics)))
    print("bone density: trained")


def lifestyle(data: Path, model: Path, documents: Path, limit: int | None) -> None:
    """Train the seed's model; write it, its card and its figure."""
    trained = train_lifestyle(data, model, limit)
    _write(model / LIFESTYLE_CARD, lifestyle_card(trained.metrics))
    plot_lifestyle(trained, documents / "clinical-lifestyle.png")
    print("lifestyle: trained")


def _write(path: Path, card: ModelCard) -> None:
    path.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
