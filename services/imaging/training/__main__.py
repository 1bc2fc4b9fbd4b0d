"""`make train-imaging DATA=DIR`: fit the two heads, evaluate out of fold, export, write the card."""

import argparse
from pathlib import Path

from services.imaging.training.card import write_card
from services.imaging.training.cases import read_cases
from services.imaging.training.features import features_of
from services.imaging.training.heads import evaluate, fit
from services.imaging.training.ship import ship
from shared.training.backbone import efficientnet_lite0
from shared.training.run import parse_run

SERVICE = Path(__file__).parents[1]


def main() -> None:
    """Train and write the card."""
    run = parse_run(argparse.ArgumentParser(description=__doc__), "imaging", SERVICE / "model")
    cases = read_cases(run)
    print(cases.describe(), flush=True)
    backbone = efficientnet_lite0()
    features = features_of(backbone, cases, run)
    judged = evaluate(cases, features, run.seed)
    parity = ship(backbone, fit(cases, features, judged.calibration), cases, run)
    write_card(cases, judged, parity, run)


if __name__ == "__main__":
    main()
