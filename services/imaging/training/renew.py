"""`make imaging-figures DATA=DIR`: what a reading adds to the record, for the card of the network that ships.

The backbone is frozen, so the knees' out-of-fold probabilities can be had again in minutes and without a new network:
same pictures, same folds, same readouts. They must give the AUC that the card already has.
"""

import argparse
import os
from pathlib import Path

import numpy as np

from services.imaging.network import SITES
from services.imaging.training.baselines import OSTEOPOROSIS
from services.imaging.training.card import CONFUSION, ROC
from services.imaging.training.cases import read_cases, read_regions
from services.imaging.training.check import checked
from services.imaging.training.evaluate import bones, knees_of, of_site
from services.imaging.training.features import Extractor
from services.imaging.training.with_record import GIVEN, LIMIT, limits_of, with_record
from shared.contracts.models import ModelCard
from shared.training.backbone import efficientnet_lite0
from shared.training.card import write_model_card, write_page
from shared.training.evaluate import auc
from shared.training.run import CARDS, Run

MODEL = Path(__file__).parents[1] / "model"
# The AUC may differ by so much where another machine rounds otherwise.
NEAR = 0.005


def main() -> None:
    """Read the options, predict the knees out of fold, renew card, page and manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("TRABECULA_DATA")
    parser.add_argument("--data", type=Path, required=data is None, default=data and Path(data), help="data folder")
    options = parser.parse_args()
    run = Run(options.data, MODEL, True, MODEL, None, None, (), seed=0, version="")
    cases = read_cases(run.data, [row for row in checked(run.data, ()) if row.bone is not None and not row.held_out])
    regions, extractor = read_regions(cases, run), Extractor.of(efficientnet_lite0())
    features = np.stack([extractor.features(variant) for variant in regions.pixels])
    splits, rows = knees_of(cases, regions, features, run.seed), of_site(cases, SITES.index("knee"))
    card = ModelCard.model_validate_json((MODEL / "card.json").read_bytes())
    before = card.metrics["within_knees"]["auc_osteoporosis_against_rest"]["value"]
    now = auc(bones(cases, rows) == OSTEOPOROSIS, splits[0, rows, OSTEOPOROSIS])
    print(f"AUC of osteoporosis within knees: {now:.4f}, on the card {before:.4f}")
    if abs(now - before) > NEAR:
        raise SystemExit("These are not the pictures or not the readouts of the network that ships: nothing written.")
    joined = with_record(run.data, cases, splits, run.seed)
    if joined is None:
        raise SystemExit(f"{run.data} has no records of these patients: nothing written.")
    kept = [words for words in card.limits if not words.startswith((LIMIT, GIVEN))]
    limits = kept + limits_of(joined)
    card = card.model_copy(update={"metrics": card.metrics | joined, "limits": limits})
    write_page(card, CARDS / "imaging.md", (CONFUSION, ROC))
    write_model_card(card, MODEL)
    print(joined)


if __name__ == "__main__":
    main()
