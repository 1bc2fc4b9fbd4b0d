"""Any server of the Open Inference Protocol v2 as the runtime, over REST: MLServer, Triton, OpenVINO, KServe."""

import weakref
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt

from shared.inference import Tensors
from shared.problems import ServiceUnavailable

DATATYPES = {"float32": "FP32", "float64": "FP64", "int64": "INT64", "int32": "INT32", "uint8": "UINT8", "bool": "BOOL"}
DTYPES = {datatype: dtype for dtype, datatype in DATATYPES.items()}


class OipScorer:
    """Scores one model of such a server.

    Args:
        address: its URL, without the path.
        model: the name there.
        version: the one to ask for; the server's choice if null.
        deadline_s: seconds that one answer may take.
    """

    def __init__(self, address: str, model: str, version: int | None = None, deadline_s: float = 5.0) -> None:
        self._model = model
        self._path = f"/v2/models/{model}" + ("" if version is None else f"/versions/{version}")
        self._http = httpx.Client(base_url=address, timeout=deadline_s, trust_env=False)
        weakref.finalize(self, self._http.close)

    def score(self, inputs: Tensors) -> dict[str, npt.NDArray[Any]]:
        """Score one batch there; see `Scorer`."""
        body = {"inputs": [_tensor(name, array) for name, array in inputs.items()]}
        answer = self._call("POST", f"{self._path}/infer", json=body)
        try:
            return {output["name"]: _array(output) for output in answer.json()["outputs"]}
        except (KeyError, TypeError, ValueError) as error:
            raise ServiceUnavailable(
                f"The inference server's answer for {self._model} is not of the protocol."
            ) from error

    def check(self) -> None:
        """See that the model is ready; see `CheckedScorer`."""
        self._call("GET", f"{self._path}/ready")

    def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise ServiceUnavailable(f"The inference server did not answer for {self._model}.") from error
        if not response.is_success:
            raise ServiceUnavailable(f"The inference server answered {response.status_code} for {self._model}.")
        return response


def _tensor(name: str, array: npt.NDArray[Any]) -> dict[str, Any]:
    datatype = DATATYPES[str(array.dtype)]
    return {"name": name, "shape": list(array.shape), "datatype": datatype, "data": array.ravel().tolist()}


def _array(output: dict[str, Any]) -> npt.NDArray[Any]:
    return np.asarray(output["data"], DTYPES[output["datatype"]]).reshape(output["shape"])
