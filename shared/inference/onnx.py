"""The default runtime: ONNX Runtime on the CPU, in process."""

from pathlib import Path
from typing import Any

import numpy.typing as npt
import onnxruntime as ort

from shared.inference import Tensors


class OnnxScorer:
    """Scores an ONNX file.

    Args:
        path: the ONNX file.
        threads: threads within one inference. ONNX Runtime would otherwise size itself to the host's cores and
            not to the container's share of them; spinning is off, since it burns the cores that decode images.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The arena keeps the largest activation ever seen; without it memory stays flat at no measurable cost here.
        options.enable_cpu_mem_arena = False
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._outputs = [output.name for output in self._session.get_outputs()]

    def score(self, inputs: Tensors) -> dict[str, npt.NDArray[Any]]:
        """Score one batch in this process; see `Scorer`."""
        return dict(zip(self._outputs, self._session.run(None, dict(inputs)), strict=True))

    def check(self) -> None:
        """It is in this process, loaded; see `CheckedScorer`."""
