"""TensorFlow Serving as the runtime, over gRPC, by its official stubs.

The stubs import TensorFlow, which takes seconds and half a gigabyte: hence an extra of its own (`tfserving`), and
imports that happen only where a scorer of this kind is made.
"""

from typing import Any

import numpy.typing as npt

from shared.inference import Tensors
from shared.problems import ServiceUnavailable

# A picture of 224 x 224 floats is 200 kB; the heat maps that come back are smaller.
LARGEST_MESSAGE = 64 * 1024 * 1024


class TfServingScorer:
    """Scores one model of a TensorFlow Serving server.

    Args:
        address: host:port of its gRPC endpoint.
        model: the name in its models.config; the signature is `serving_default`.
        version: the one to ask for; the newest that it serves if null.
        deadline_s: seconds that one answer may take.
    """

    def __init__(self, address: str, model: str, version: int | None = None, deadline_s: float = 5.0) -> None:
        import grpc
        import tensorflow
        from tensorflow_serving.apis import (
            get_model_status_pb2,
            model_service_pb2_grpc,
            predict_pb2,
            prediction_service_pb2_grpc,
        )

        self._model, self._version, self._deadline_s = model, version, deadline_s
        self._tensorflow, self._predict, self._status, self._error = (
            tensorflow,
            predict_pb2,
            get_model_status_pb2,
            grpc.RpcError,
        )
        options = [("grpc.max_receive_message_length", LARGEST_MESSAGE)]
        channel = grpc.insecure_channel(address, options)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(channel)

    def score(self, inputs: Tensors) -> dict[str, npt.NDArray[Any]]:
        """Score one batch there; see `Scorer`."""
        request = self._predict.PredictRequest()
        self._name(request.model_spec)
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(self._tensorflow.make_tensor_proto(array))
        try:
            answer = self._predictions.Predict(request, timeout=self._deadline_s)
        except self._error as error:
            raise ServiceUnavailable(f"TensorFlow Serving did not score {self._model}: {error.code().name}.") from error
        return {name: self._tensorflow.make_ndarray(tensor) for name, tensor in answer.outputs.items()}

    def check(self) -> None:
        """See that the model, in the version asked for, is AVAILABLE; see `CheckedScorer`."""
        request = self._status.GetModelStatusRequest()
        self._name(request.model_spec)
        try:
            answer = self._models.GetModelStatus(request, timeout=self._deadline_s)
        except self._error as error:
            raise ServiceUnavailable(f"TensorFlow Serving has no {self._model}: {error.code().name}.") from error
        available = self._status.ModelVersionStatus.AVAILABLE
        if not any(status.state == available for status in answer.model_version_status):
            raise ServiceUnavailable(f"TensorFlow Serving has not loaded {self._model} yet.", retry_after_s=2)

    def _name(self, spec: Any) -> None:
        spec.name = self._model
        spec.signature_name = "serving_default"
        if self._version is not None:
            spec.version.value = self._version
