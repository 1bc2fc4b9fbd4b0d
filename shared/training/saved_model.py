"""The shipped networks as SavedModels in TensorFlow Serving's layout, made from their ONNX files.

    make saved-models

writes deploy/models/tfserving/NAME/VERSION and a models.config, after comparing both forms on the same inputs. Training
writes a SavedModel of its own before the ONNX file (shared/training/export.py); this is for who has the shipped files
only. It knows the operations that these networks use, and refuses any other.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
from onnx import helper, numpy_helper

from shared.training.export import PARITY_TOLERANCE, parity

Attributes = dict[str, Any]
CONFIG = """model_config_list {{
{models}}}
"""
MODEL = """  config {{
    name: "{name}"
    base_path: "/models/tfserving/{name}"
    model_platform: "tensorflow"
  }}
"""


def _convolution(attributes: Attributes, x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None = None) -> tf.Tensor:
    """ONNX has channels first and TensorFlow's CPU kernels channels last. A group is the whole, or a channel each."""
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    x = tf.pad(tf.transpose(x, (0, 2, 3, 1)), ((0, 0), (top, bottom), (left, right), (0, 0)))
    rows, columns = attributes["strides"]
    if attributes["group"] == 1:
        y = tf.nn.conv2d(x, tf.transpose(kernel, (2, 3, 1, 0)), (rows, columns), "VALID")
    elif attributes["group"] == kernel.shape[0]:
        y = tf.nn.depthwise_conv2d(x, tf.transpose(kernel, (2, 3, 0, 1)), (1, rows, columns, 1), "VALID")
    else:
        raise ValueError(f"a convolution of {attributes['group']} groups is not known")
    y = y if bias is None else y + bias
    return tf.transpose(y, (0, 3, 1, 2))


def _resize(_: Attributes, x: tf.Tensor, __: Any, scales: tf.Tensor) -> tf.Tensor:
    """Bilinear with half-pixel centres, as TensorFlow does it too."""
    size = np.round(np.asarray(x.shape[2:]) * scales.numpy()[2:]).astype(int)
    return tf.transpose(tf.image.resize(tf.transpose(x, (0, 2, 3, 1)), size), (0, 3, 1, 2))


def _slice(
    _: Attributes, x: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor, axes: tf.Tensor, steps: tf.Tensor | None = None
) -> tf.Tensor:
    """What lies beyond the largest 32-bit number means "to the end"."""
    parts = [slice(None)] * len(x.shape)
    strides = np.ones(len(axes)) if steps is None else steps.numpy()
    for start, end, axis, step in zip(starts.numpy(), ends.numpy(), axes.numpy(), strides, strict=True):
        first, last = (None if abs(int(edge)) >= 2**31 - 1 else int(edge) for edge in (start, end))
        parts[int(axis)] = slice(first, last, int(step))
    return x[tuple(parts)]


def _average_pool(attributes: Attributes, x: tf.Tensor) -> tf.Tensor:
    pooled = tf.nn.avg_pool2d(tf.transpose(x, (0, 2, 3, 1)), attributes["kernel_shape"], attributes["strides"], "VALID")
    return tf.transpose(pooled, (0, 3, 1, 2))


def _unsqueeze(_: Attributes, x: tf.Tensor, axes: tf.Tensor) -> tf.Tensor:
    for axis in sorted(axes.numpy().tolist()):
        x = tf.expand_dims(x, axis)
    return x


OPERATIONS: dict[str, Callable[..., tf.Tensor]] = {
    "Add": lambda _, x, y: x + y,
    "AveragePool": _average_pool,
    "Cast": lambda a, x: tf.cast(x, helper.tensor_dtype_to_np_dtype(a["to"])),
    "Concat": lambda a, *parts: tf.concat(parts, a["axis"]),
    "Div": lambda _, x, y: x / y,
    "Gather": lambda a, x, indices: tf.gather(x, indices, axis=a.get("axis", 0)),
    "MatMul": lambda _, x, y: tf.matmul(x, y),
    "Mul": lambda _, x, y: x * y,
    "Shape": lambda _, x: tf.cast(tf.shape(x), tf.int64),
    "Slice": _slice,
    "Sqrt": lambda _, x: tf.sqrt(x),
    "Sub": lambda _, x, y: x - y,
    "Tile": lambda _, x, repeats: tf.tile(x, repeats),
    "Unsqueeze": _unsqueeze,
    "Clip": lambda _, x, low, high: tf.clip_by_value(x, low, high),
    "Conv": _convolution,
    "Exp": lambda _, x: tf.exp(x),
    "ReduceMean": lambda a, x, axes: tf.reduce_mean(x, axes.numpy().tolist(), keepdims=bool(a["keepdims"])),
    "ReduceSum": lambda a, x, axes: tf.reduce_sum(x, axes.numpy().tolist(), keepdims=bool(a["keepdims"])),
    "Relu": lambda _, x: tf.nn.relu(x),
    "Reshape": lambda _, x, shape: tf.reshape(x, shape),
    "Resize": _resize,
    "Sigmoid": lambda _, x: tf.sigmoid(x),
    "Softmax": lambda a, x: tf.nn.softmax(x, a.get("axis", -1)),
    "Transpose": lambda a, x: tf.transpose(x, a["perm"]),
}


def convert(source: Path, saved_model: Path) -> float:
    """Write one ONNX file as a SavedModel; the largest difference between the two on random inputs.

    Raises:
        ValueError: an operation is not known, or the two differ by more than `PARITY_TOLERANCE`.
    """
    graph = onnx.load(str(source)).graph
    if unknown := {node.op_type for node in graph.node} - OPERATIONS.keys():
        raise ValueError(f"{source} uses {', '.join(sorted(unknown))}, which this conversion does not know")
    (given,) = graph.input
    shape = [None, *(axis.dim_value for axis in given.type.tensor_type.shape.dim[1:])]
    constants = {tensor.name: tf.constant(numpy_helper.to_array(tensor)) for tensor in graph.initializer}

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, given.name)])
    def serve(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        values = {**constants, given.name: pixels}
        for node in graph.node:
            attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
            values[node.output[0]] = OPERATIONS[node.op_type](attributes, *(values.get(name) for name in node.input))
        return {output.name: values[output.name] for output in graph.output}

    module = tf.Module()
    module.serve = serve
    tf.saved_model.save(module, str(saved_model), signatures={"serving_default": serve})
    samples = np.random.default_rng(0).random((4, *shape[1:]), np.float32)
    difference = parity(saved_model, source, samples)
    if difference > PARITY_TOLERANCE:
        raise ValueError(f"{saved_model} differs from {source} by {difference:.2e}")
    return difference


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+", metavar="NAME=FILE")
    parser.add_argument(
        "--output", type=Path, required=True, help="the folder that the server sees as /models/tfserving"
    )
    parser.add_argument("--version", type=int, default=1, help="the server's version number of these files [1]")
    options = parser.parse_args()
    networks = dict(pair.split("=", 1) for pair in options.networks)
    for name, source in networks.items():
        difference = convert(Path(source), options.output / name / str(options.version))
        print(f"{name} version {options.version}: differs from {source} by {difference:.1e} at most")
    models = "".join(MODEL.format(name=name) for name in networks)
    (options.output / "models.config").write_text(CONFIG.format(models=models), encoding="utf-8")


if __name__ == "__main__":
    main()
