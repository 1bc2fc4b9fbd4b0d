"""An ONNX file as a model of MLServer: what the real server loads and runs in the test beside this folder."""

from pathlib import Path

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from shared.inference.onnx import OnnxScorer


class OnnxModel(MLModel):
    """One ONNX file, named by the model's `uri`."""

    async def load(self) -> bool:
        self._scorer = OnnxScorer(Path(self.settings.parameters.uri))
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        inputs = {input.name: NumpyCodec.decode_input(input) for input in payload.inputs}
        outputs = self._scorer.score(inputs)
        encoded = [NumpyCodec.encode_output(name, array) for name, array in outputs.items()]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=encoded)
