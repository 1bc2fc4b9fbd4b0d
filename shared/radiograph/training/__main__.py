"""`make train-joints DATA=DIR`: fit the joint finder, measure it once on held-out groups, export, write the card."""

import argparse

import keras
import numpy as np

from shared.inference.onnx import OnnxScorer
from shared.radiograph.joints import FINDER_SIZE, HEAT, MODEL, WIDTH
from shared.radiograph.prepare import network_input
from shared.radiograph.training.annotations import Parts, read_parts
from shared.radiograph.training.card import joints_card
from shared.radiograph.training.evaluate import KerasScorer, figures, judged
from shared.radiograph.training.network import finder, heat_loss, width_loss
from shared.radiograph.training.views import Views
from shared.training.card import write_model_card
from shared.training.export import export
from shared.training.fit import Phase, Trainer
from shared.training.run import Run, parse_run

EPOCHS, EPOCH_LENGTH = 14, 1280
# The one is a sum over the map, the other a mean over a joint: without this the widths are learned last.
LOSS_WEIGHTS = {HEAT: 1.0, WIDTH: 8.0}


def main() -> None:
    """Train, measure, export and write the card."""
    run = parse_run(argparse.ArgumentParser(description=__doc__), "knee_joints", MODEL.parent)
    parts = read_parts(run.data, run.limit, run.seed, run.exclude)
    model = fitted(parts, run)
    onnx = run.model / MODEL.name
    samples = np.concatenate([network_input(case.pixels, FINDER_SIZE) for case in parts.validation[:8]])
    export(model, run.saved_model, onnx, samples)
    measured = figures(parts.test, OnnxScorer(onnx))
    write_model_card(joints_card(run, parts, measured, figures(parts.validation, OnnxScorer(onnx))), run.model)
    print({name: value for name, value in measured.items() if not isinstance(value, list)})


def fitted(parts: Parts, run: Run) -> keras.Model:
    """The network at its best epoch by the validation part."""
    model = finder()
    length = EPOCH_LENGTH if run.limit is None else max(96, 4 * run.limit)
    views = Views(parts.train, length, seed=run.seed)
    trainer = Trainer(model, run.work, lambda present: judged(parts.validation, KerasScorer(present)))
    phase = Phase(FINDER_SIZE, run.count(EPOCHS), 3e-3, warm_up=True, patience=EPOCHS)
    losses = {HEAT: heat_loss, WIDTH: width_loss}
    trainer.run(phase, views, lambda optimizer: model.compile(optimizer, losses, loss_weights=LOSS_WEIGHTS))
    return model


if __name__ == "__main__":
    main()
