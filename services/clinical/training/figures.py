"""`make clinical-figures DATA=DIR`: what the categories of the model that ships mean, in seconds, without training it.

The model itself has learned from every survey cycle, so its recipe is fitted again without the people it is judged on.
First that recipe, fitted to all, has to give the model's own answers: otherwise the figures would be another model's.
"""

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from services.clinical.encoding import COLUMN_NAMES
from services.clinical.parameters import read_bone_density
from services.clinical.training.additive import fit_additive
from services.clinical.training.candidates import training_rows
from services.clinical.training.categories import category_metrics
from services.clinical.training.category_page import categories
from services.clinical.training.companions import Derived, derive, write_companions
from services.clinical.training.document import write_document
from services.clinical.training.export import export
from services.clinical.training.nhanes import Cohort, read_cohort
from services.clinical.training.tested import score
from shared.clinic.expected import write_expected
from shared.contracts.models import ModelCard
from shared.manifest import write_manifest

SHIPPED = Path(__file__).parents[1] / "model"
DOCUMENTS = Path(__file__).parents[3] / "docs" / "model-cards"
NEAR = 1e-5


class AnotherModel(Exception):
    """The model is not what this recipe makes of these data."""


def main() -> None:
    """Print the tables; with `--write`, renew the companions, the card and the page too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("TRABECULA_DATA"), help="folder with the table")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="the model's folder")
    parser.add_argument("--documents", type=Path, default=DOCUMENTS, help="where the page is")
    parser.add_argument("--write", action="store_true", help="renew bone_density.json, card.json, manifest and page")
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data (or TRABECULA_DATA) has to name the folder with nhanes_bone.csv")
    people = read_cohort(Path(options.data))
    try:
        require_same(people, options.model / "bone_density.onnx")
    except AnotherModel as error:
        raise SystemExit(f"{error}: make train-clinical") from error
    derived = derive(people, read_bone_density(options.model).model)
    print("\n".join(categories(category_metrics(derived))))
    if options.write:
        renew(derived, options.model, options.documents)


def require_same(people: Cohort, model: Path) -> None:
    """Fit the recipe to everybody and compare.

    Raises:
        AnotherModel: it answers otherwise than the model's file.
    """
    with TemporaryDirectory() as folder:
        again = Path(folder) / model.name
        export(fit_additive(training_rows(people)), len(COLUMN_NAMES), again)
        farthest = float(np.abs(score(again, people) - score(model, people)).max())
        same = again.read_bytes() == model.read_bytes()
    if farthest > NEAR:
        raise AnotherModel(f"{model} is not what this recipe makes of these data (up to {farthest:.4f} away)")
    print(f"The recipe, fitted to all cycles, gives the {'same file' if same else 'same answers'} as {model}.\n")


def renew(derived: Derived, model: Path, documents: Path) -> None:
    """Companions, card, manifest and page; the model stays as it is."""
    write_companions(derived.parameters, model)
    if model == SHIPPED:
        write_expected(derived.expected_t)
    path = model / "card.json"
    card = ModelCard.model_validate_json(path.read_bytes())
    card = card.model_copy(update={"metrics": card.metrics | category_metrics(derived)})
    path.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    write_manifest(model)
    write_document(model, documents)


if __name__ == "__main__":
    main()
