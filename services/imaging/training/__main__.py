"""`make train-imaging DATA=DIR`: fit the heads, evaluate out of fold, export, write the card."""

import argparse
from pathlib import Path

import numpy as np

from services.imaging.training.baselines import baselines
from services.imaging.training.card import write_card
from services.imaging.training.cases import describe, drawn_cases, read_cases, read_regions
from services.imaging.training.check import checked
from services.imaging.training.evaluate import fit, judge
from services.imaging.training.features import Extractor
from services.imaging.training.held_out import held_out_figures
from services.imaging.training.ship import ship
from services.imaging.training.tables import limited
from services.imaging.training.variants import features_of_wholes
from shared.training.backbone import efficientnet_lite0
from shared.training.run import parse_run

SERVICE = Path(__file__).parents[1]


def main() -> None:
    """Train and write the card."""
    run = parse_run(argparse.ArgumentParser(description=__doc__), "imaging", SERVICE / "model")
    rows = limited(checked(run.data, run.exclude), run.limit)
    cases = read_cases(run.data, [row for row in rows if not row.held_out]) + drawn_cases(run.limit)
    print(describe(cases), flush=True)
    backbone = efficientnet_lite0()
    extractor = Extractor.of(backbone)
    wholes, regions = features_of_wholes(cases, extractor, run), read_regions(cases, run)
    features = np.stack([extractor.features(variant) for variant in regions.pixels])
    judged = judge(cases, wholes, regions, features, run.seed)
    heads = fit(cases, wholes, regions, features, judged, run.seed)
    parity = ship(backbone, heads, regions.pixels[0], run)
    against = baselines(cases, extractor, run)
    apart = read_cases(run.data, [row for row in rows if row.held_out])
    write_card(cases, wholes, judged, against, held_out_figures(apart, heads, extractor, run), parity, run)


if __name__ == "__main__":
    main()
