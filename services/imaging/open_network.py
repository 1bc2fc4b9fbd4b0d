"""The imaging network in an open installation (`TRABECULA_MODELS_OPEN`, docs/reference/weights.md).

Nothing that a research-only part says gets through: the anatomy comes from the open head, a picture is taken for
upright and not inverted where the heads for that are closed, and a closed readout says nothing of the bone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from services.imaging.network import (
    ANATOMY_OUTPUT,
    BONE_OUTPUT,
    CONTENTS,
    HEAT_OUTPUT,
    INVERTED_OUTPUT,
    OPEN_ANATOMY_OUTPUT,
    OUTPUTS,
    SITES,
    TURN_OUTPUT,
    Site,
)
from shared.contracts.film import FilmWarning
from shared.contracts.models import ModelCard
from shared.inference import CheckedScorer, Tensors
from shared.radiograph import joints
from shared.weights import closed_parts

# Log odds of a readout that says nothing: each class as likely as the others.
SAYS_NOTHING = np.log([2.0, 0.5])
UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
AS_SENT = FilmWarning(
    type="orientation_unchecked",
    detail="This installation runs without the weights that tell whether a film is turned or inverted: it was read as "
    "it was sent. See that it lies upright, with bone bright.",
)


@dataclass(frozen=True)
class Closed:
    """What is left unused.

    Args:
        parts: their names. sites: why the bone of a kind of picture is not read, in a sentence. warnings: on each film.
    """

    parts: Collection[str] = ()
    sites: Mapping[Site, str] = field(default_factory=dict)
    warnings: tuple[FilmWarning, ...] = ()


NOTHING_CLOSED = Closed()


def closed_in(card: ModelCard, no_finder: str | None = None) -> Closed:
    """What an open installation leaves unused of the package with this card.

    Args:
        no_finder: why there is no joint finder, without which no knee's frame is found; None where there is one.
    """
    parts = closed_parts(card.weights)
    sites = {site: parts[f"bone_{site}"] for site in SITES if f"bone_{site}" in parts}
    reasons = {site: _reason(use.restricted_by) for site, use in sites.items()}
    if no_finder and "knee" not in reasons:
        reasons["knee"] = no_finder
    return Closed(tuple(parts), reasons, (AS_SENT,) if {"turn", "inverted"} & set(parts) else ())


def _reason(restricted_by: list[str]) -> str:
    return (
        "Bone is not read from this kind of picture: this installation runs without weights that are for research "
        f"only, and these were learned from {' and '.join(restricted_by)}."
    )


def needed_outputs(closed: Closed) -> dict[str, tuple[int, ...]]:
    """What the network has to give: the open anatomy too where the usual one is closed."""
    return {**OUTPUTS, OPEN_ANATOMY_OUTPUT: (len(CONTENTS),)} if ANATOMY_OUTPUT in closed.parts else OUTPUTS


class NoFinder:
    """Finds no joint: in place of a joint finder that an open installation may not use."""

    def score(self, inputs: Tensors) -> dict[str, npt.NDArray[Any]]:
        """Empty maps; see `Scorer`."""
        empty = np.zeros((len(inputs[joints.INPUT]), joints.MAPS_SIZE, joints.MAPS_SIZE, 1), np.float32)
        return {joints.HEAT: empty, joints.WIDTH: empty}

    def check(self) -> None:
        """It is in this process; see `CheckedScorer`."""


class OpenNetwork:
    """A scorer that lets through what the open parts of the network say, and nothing else."""

    def __init__(self, network: CheckedScorer, closed: Closed) -> None:
        self._network, self._parts = network, frozenset(closed.parts)

    def score(self, inputs: Tensors) -> dict[str, npt.NDArray[Any]]:
        """Score one batch; see `Scorer`."""
        outputs = self._network.score(inputs)
        if ANATOMY_OUTPUT in self._parts:
            outputs[ANATOMY_OUTPUT] = outputs[OPEN_ANATOMY_OUTPUT]
        if TURN_OUTPUT in self._parts:
            outputs[TURN_OUTPUT] = np.tile(UPRIGHT, (len(outputs[TURN_OUTPUT]), 1))
        if INVERTED_OUTPUT in self._parts:
            outputs[INVERTED_OUTPUT] = np.zeros_like(outputs[INVERTED_OUTPUT])
        closed = [number for number, site in enumerate(SITES) if f"bone_{site}" in self._parts]
        bone, heat = outputs[BONE_OUTPUT].copy(), outputs[HEAT_OUTPUT].copy()
        bone[:, closed], heat[..., closed] = SAYS_NOTHING, 0.0
        return {**outputs, BONE_OUTPUT: bone, HEAT_OUTPUT: heat}

    def check(self) -> None:
        """See `CheckedScorer`."""
        self._network.check()
