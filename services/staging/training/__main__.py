"""`make train-staging DATA=DIR`: fit the five-stage knee CNN, calibrate, evaluate once, export, write the card."""

import argparse
from pathlib import Path

from services.staging.training.card import write_card
from services.staging.training.fit import fit
from shared.training.run import Run, parse_run

SERVICE = Path(__file__).parents[1]


def main() -> None:
    """Train and write the card."""
    run: Run = parse_run(argparse.ArgumentParser(description=__doc__), "staging", SERVICE / "model")
    write_card(fit(run), run)


if __name__ == "__main__":
    main()
