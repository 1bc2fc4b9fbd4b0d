"""The shipped networks as SavedModels behind a gRPC server of the official stubs, against ONNX Runtime."""

import threading
from concurrent import futures
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from pydantic import SecretStr
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from services.staging.app import load
from services.staging.settings import Settings as StagingSettings
from shared.inference.choice import open_scorer
from shared.inference.onnx import OnnxScorer
from shared.inference.tfserving import TfServingScorer
from shared.problems import ServiceUnavailable
from shared.radiograph import joints
from shared.radiograph.decoder import DecoderPool
from shared.radiograph.phantom import as_jpeg, knee
from shared.radiograph.upright import Correction
from shared.settings import ServiceSettings
from shared.training.saved_model import convert

pytestmark = pytest.mark.training
ROOT = Path(__file__).parents[2]
ONNX = {"staging": ROOT / "services/staging/model/staging.onnx", "knee_joints": joints.MODEL}
SECRET = SecretStr("a secret that is long enough for a test")
TOLERANCE = 1e-4
BLANK = np.zeros((1, 224, 224, 1), np.float32)


class Serving(prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    """What `tensorflow_model_server` answers to these calls, from the same SavedModels, one version of each."""

    def __init__(self, folder: Path) -> None:
        self.models = {name: tf.saved_model.load(str(folder / name / "1")) for name in ONNX}
        self.state = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        self.stalled, self.released = False, threading.Event()

    def known(self, spec, context):
        version = spec.version.value if spec.HasField("version") else 1
        if spec.name not in self.models or version != 1:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no {spec.name} version {version}")

    def Predict(self, request, context):  # noqa: N802 -- the protocol's name
        if self.stalled:
            self.released.wait()
        self.known(request.model_spec, context)
        signature = self.models[request.model_spec.name].signatures[request.model_spec.signature_name]
        given = {name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()}
        answer = predict_pb2.PredictResponse()
        for name, tensor in signature(**given).items():
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(tensor.numpy()))
        return answer

    def GetModelStatus(self, request, context):  # noqa: N802 -- the protocol's name
        self.known(request.model_spec, context)
        answer = get_model_status_pb2.GetModelStatusResponse()
        answer.model_version_status.add(version=1, state=self.state)
        return answer


@pytest.fixture(scope="module")
def saved_models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    for name, source in ONNX.items():
        assert convert(source, folder / name / "1") < TOLERANCE
    return folder


@pytest.fixture
def serving(saved_models):
    """The server's door, and the server itself."""
    serving, server = Serving(saved_models), grpc.server(futures.ThreadPoolExecutor(4))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(serving, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(serving, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", serving
    serving.released.set()
    server.stop(None).wait()


def settings(address, **given):
    return StagingSettings(
        internal_secret=SECRET, inference="tfserving", inference_address=address, _env_file=None, **given
    )


def test_a_radiograph_is_staged_as_by_onnx_runtime(serving):
    """Every picture goes through the whole service: joints found, cropped and graded by the server's answers."""
    address, _ = serving
    pool = DecoderPool(1)
    there = load(settings(address), pool)
    here = load(StagingSettings(internal_secret=SECRET, _env_file=None), pool)
    there.check()
    for seed in range(3):
        picture = as_jpeg(knee(seed=seed, size=(1200, 1000)))
        theirs, ours = there.stage(picture, Correction()).finding, here.stage(picture, Correction()).finding
        assert theirs.stage == ours.stage
        assert theirs.probabilities == pytest.approx(ours.probabilities, abs=TOLERANCE)
        assert [graded.box for graded in theirs.knees] == [graded.box for graded in ours.knees]
    there.decoder.close()
    here.decoder.close()


def test_every_output_comes_back_in_its_shape(serving):
    inputs = {"radiograph": np.random.default_rng(1).random((2, 224, 224, 1), np.float32)}
    theirs = TfServingScorer(serving[0], "staging").score(inputs)
    ours = OnnxScorer(ONNX["staging"]).score(inputs)
    assert theirs.keys() == ours.keys()
    for name, array in ours.items():
        assert theirs[name] == pytest.approx(array, abs=1e-3)


def test_a_version_is_asked_for_by_number(serving):
    address, _ = serving
    TfServingScorer(address, "staging", version=1).check()
    pinned = open_scorer(settings(address, inference_versions={"staging": 2}), "staging", ONNX["staging"])
    with pytest.raises(ServiceUnavailable, match="NOT_FOUND"):
        pinned.check()
    with pytest.raises(ServiceUnavailable, match="NOT_FOUND"):
        pinned.score({"radiograph": BLANK})


def test_a_model_that_still_loads_is_not_ready(serving):
    address, server = serving
    server.state = get_model_status_pb2.ModelVersionStatus.LOADING
    with pytest.raises(ServiceUnavailable, match="not loaded staging yet"):
        TfServingScorer(address, "staging").check()


def test_a_server_that_stalls_is_given_up_at_the_deadline(serving):
    address, server = serving
    server.stalled = True
    with pytest.raises(ServiceUnavailable, match="DEADLINE_EXCEEDED"):
        TfServingScorer(address, "staging", deadline_s=0.2).score(
            {"radiograph": np.zeros((1, 224, 224, 1), np.float32)}
        )


def test_a_server_that_is_not_there_is_unavailable():
    given = ServiceSettings(
        internal_secret=SECRET, inference="tfserving", inference_address="127.0.0.1:9", _env_file=None
    )
    with pytest.raises(ServiceUnavailable):
        open_scorer(given, "staging", ONNX["staging"]).check()


def test_an_operation_that_the_conversion_does_not_know_is_named(tmp_path):
    with pytest.raises(ValueError, match="this conversion does not know"):
        convert(ROOT / "services/clinical/model/lifestyle.onnx", tmp_path / "1")
