"""The anatomy head within an ONNX file: what it reads, and other weights for it."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper
from scipy.special import softmax

from services.imaging.network import ANATOMY_OUTPUT
from services.imaging.training.features import SHAPE, Features
from services.imaging.training.heads import Head
from shared.inference.onnx import OnnxScorer
from shared.training.backbone import FEATURES
from shared.training.export import PARITY_TOLERANCE

SAMPLES, BATCH = 16, 16


def head_of(network: onnx.ModelProto) -> tuple[str, str, str]:
    """The tensors' names: features (batch, 1280), kernel and bias; the output is softmax(features @ kernel + bias)."""
    made_by = {output: node for node in network.graph.node for output in node.output}
    add = made_by[made_by[ANATOMY_OUTPUT].input[0]]
    features, kernel = made_by[add.input[0]].input
    return features, kernel, add.input[1]


def add_head(file: Path, output: str, head: Head, pixels: npt.NDArray[np.uint8], plain: Features) -> None:
    """Put a further head beside the anatomy head of a network, on the same features; renew it where it is there.

    Args:
        output: its name among the network's outputs; softmax(features @ kernel + bias).
        pixels: uint8 (count, 224, 224). plain: their features, which the answers are checked against.

    Raises:
        ValueError: another output changed, or the new one is not what the head says.
    """
    every = max(1, len(pixels) // SAMPLES)
    before = OnnxScorer(file).score(inputs(pixels[::every]))
    network = onnx.load(file)
    graph, features = network.graph, head_of(network)[0]
    kernel, bias, scores, sums = (f"{output}/{name}" for name in ("kernel", "bias", "scores", "sums"))
    for parts, names in ((graph.initializer, {kernel, bias}), (graph.output, {output})):
        kept = [part for part in parts if part.name not in names]
        del parts[:]
        parts.extend(kept)
    nodes = [node for node in graph.node if not {scores, sums, output} & set(node.output)]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(weights, np.float32), name)
        for name, weights in ((kernel, head.kernel), (bias, head.bias))
    )
    graph.node.extend(
        [
            onnx.helper.make_node("MatMul", [features, kernel], [scores]),
            onnx.helper.make_node("Add", [scores, bias], [sums]),
            onnx.helper.make_node("Softmax", [sums], [output], axis=-1),
        ]
    )
    shape = ["batch", len(head.bias)]
    graph.output.append(onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, shape))
    onnx.checker.check_model(network)
    onnx.save(network, file)
    check_head(file, output, before, head, pixels[::every], plain[::every])


def check_head(
    file: Path,
    output: str,
    before: dict[str, npt.NDArray[Any]],
    head: Head,
    pixels: npt.NDArray[np.uint8],
    plain: Features,
) -> None:
    """See that a network says what its new head says, and everything else as before.

    Raises:
        ValueError: it does not.
    """
    after = OnnxScorer(file).score(inputs(pixels))
    if any(not np.array_equal(before[name], after[name]) for name in before if name != output):
        raise ValueError(f"{file}: another output than {output} has changed")
    said = softmax(head.scores(plain[:, SHAPE]), axis=1)
    if np.abs(said - after[output]).max() > PARITY_TOLERANCE:
        raise ValueError(f"{file} does not say what the head says")


def features_in(file: Path) -> Callable[[npt.NDArray[np.uint8]], Features]:
    """What gives the features that the head of a network reads: uint8 (count, 224, 224) to (count, 1280).

    They are those of the frozen backbone in Keras, at a third of the time.
    """
    network = onnx.load(file)
    name = head_of(network)[0]
    del network.graph.output[:]
    shape = ["batch", FEATURES]
    network.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
    with TemporaryDirectory() as folder:
        onnx.save(network, Path(folder) / "features.onnx")
        scorer = OnnxScorer(Path(folder) / "features.onnx")

    def features(pixels: npt.NDArray[np.uint8]) -> Features:
        batches = (pixels[start : start + BATCH] for start in range(0, len(pixels), BATCH))
        return np.concatenate([scorer.score(inputs(batch))[name] for batch in batches])

    return features


def inputs(pixels: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.float32]]:
    """The network's input of uint8 (count, 224, 224)."""
    return {"radiograph": pixels[..., np.newaxis].astype(np.float32) / 255.0}


def replace_head(file: Path, head: Head, pixels: npt.NDArray[np.uint8], plain: Features) -> None:
    """Put other weights into the anatomy head of a network.

    Args:
        pixels: uint8 (count, 224, 224). plain: their features, which the answers are checked against.

    Raises:
        ValueError: another output changed, or the new one is not what the head says.
    """
    every = max(1, len(pixels) // SAMPLES)
    before = OnnxScorer(file).score(inputs(pixels[::every]))
    network = onnx.load(file)
    _, kernel, bias = head_of(network)
    weights = {kernel: head.kernel, bias: head.bias}
    for stored in network.graph.initializer:
        if stored.name in weights:
            stored.CopyFrom(numpy_helper.from_array(weights.pop(stored.name).astype(np.float32), stored.name))
    if weights:
        raise ValueError(f"{file} keeps its anatomy head elsewhere: {sorted(weights)}")
    (output,) = (output for output in network.graph.output if output.name == ANATOMY_OUTPUT)
    output.type.tensor_type.shape.dim[1].dim_value = len(head.bias)
    onnx.save(network, file)
    check_head(file, ANATOMY_OUTPUT, before, head, pixels[::every], plain[::every])
