"""Scoring a trained network or model, whichever runtime holds it. Only the modules of this package know a runtime."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy.typing as npt

Tensors = Mapping[str, npt.NDArray[Any]]


class Scorer(Protocol):
    """Named arrays in, named arrays out. Safe to call from several threads at once."""

    def score(self, inputs: Tensors) -> dict[str, npt.NDArray[Any]]:
        """Score one batch.

        Args:
            inputs: the model's inputs by name, the first axis being the batch.

        Returns:
            the model's outputs by name.

        Raises:
            ServiceUnavailable: the runtime is on another machine and does not answer.
        """
        ...


class CheckedScorer(Scorer, Protocol):
    """A scorer that may be on another machine, and can be asked whether it is there."""

    def check(self) -> None:
        """See that the model can be asked; nothing to see where it is in this process.

        Raises:
            ServiceUnavailable: the runtime is on another machine and does not answer, or has not loaded the model.
        """
        ...
