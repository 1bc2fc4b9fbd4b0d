"""Models to ONNX by skl2onnx, written so that the same training gives the same bytes."""

from pathlib import Path
from typing import Any

from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType


def export(model: Any, columns: int, path: Path, *, raw_scores: bool = False) -> None:
    """Write one model with one input `x`, any number of rows.

    Args:
        model: a fitted scikit-learn model.
        columns: how many inputs a row has.
        path: the ONNX file.
        raw_scores: for a boosted classifier, log odds in place of probabilities.
    """
    options = {id(model): {"raw_scores": True, "zipmap": False}} if raw_scores else None
    converted = convert_sklearn(
        model, initial_types=[("x", FloatTensorType([None, columns]))], options=options, name=path.stem
    )
    path.write_bytes(converted.SerializeToString())
