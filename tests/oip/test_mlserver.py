"""The Open Inference Protocol against a real MLServer, which runs in .venv-oip: `make test-oip`."""

import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from services.staging.app import load
from services.staging.settings import Settings as StagingSettings
from shared.inference.oip import OipScorer
from shared.inference.onnx import OnnxScorer
from shared.problems import ServiceUnavailable
from shared.radiograph import joints
from shared.radiograph.decoder import DecoderPool
from shared.radiograph.phantom import as_jpeg, knee
from shared.radiograph.upright import Correction
from tests.e2e.conftest import free_port

pytestmark = pytest.mark.oip
ROOT = Path(__file__).parents[2]
MLSERVER = ROOT / ".venv-oip" / "bin" / "mlserver"
ONNX = {"staging": ROOT / "services/staging/model/staging.onnx", "knee_joints": joints.MODEL}
SECRET = SecretStr("a secret that is long enough for a test")
START_S = 120


def write_models(folder):
    for name, source in ONNX.items():
        (folder / name).mkdir()
        parameters = {"uri": str(source), "version": "1"}
        about = {"name": name, "implementation": "onnx_runtime.OnnxModel", "parameters": parameters}
        (folder / name / "model-settings.json").write_text(json.dumps(about))
    ports = {"http_port": free_port(), "grpc_port": free_port(), "metrics_port": free_port()}
    (folder / "settings.json").write_text(json.dumps({"host": "127.0.0.1", "parallel_workers": 0, **ports}))
    return f"http://127.0.0.1:{ports['http_port']}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    assert MLSERVER.exists(), "python up.py --setup-only oip makes .venv-oip"
    folder = tmp_path_factory.mktemp("mlserver")
    address = write_models(folder)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent / "runtime")])}
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [MLSERVER, "start", folder], env=environment, stdout=output, stderr=subprocess.STDOUT, cwd=folder
        )
        try:
            wait_for(address, process, log)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(address, process, log):
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            for name in ONNX:
                OipScorer(address, name).check()
        except ServiceUnavailable:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"MLServer is not ready: {log.read_text()}")


def test_every_output_is_that_of_onnx_runtime(server):
    inputs = {"radiograph": np.random.default_rng(1).random((2, 224, 224, 1), np.float32)}
    theirs, ours = OipScorer(server, "staging", version=1).score(inputs), OnnxScorer(ONNX["staging"]).score(inputs)
    assert theirs.keys() == ours.keys()
    for name, array in ours.items():
        assert theirs[name].shape == array.shape
        assert theirs[name] == pytest.approx(array, abs=1e-5)


def test_a_radiograph_is_staged_as_by_onnx_runtime(server):
    asked = StagingSettings(internal_secret=SECRET, inference="oip", inference_address=server, _env_file=None)
    pool = DecoderPool(1)
    there, here = load(asked, pool), load(StagingSettings(internal_secret=SECRET, _env_file=None), pool)
    there.check()
    picture = as_jpeg(knee(size=(1200, 1000)))
    theirs, ours = there.stage(picture, Correction()).finding, here.stage(picture, Correction()).finding
    there.decoder.close()
    here.decoder.close()
    assert theirs.stage == ours.stage
    assert theirs.probabilities == pytest.approx(ours.probabilities, abs=1e-5)


def test_a_model_or_version_that_the_server_lacks_is_unavailable(server):
    for scorer in (OipScorer(server, "oracle"), OipScorer(server, "staging", version=7)):
        with pytest.raises(ServiceUnavailable):
            scorer.check()
        with pytest.raises(ServiceUnavailable):
            scorer.score({"radiograph": np.zeros((1, 224, 224, 1), np.float32)})
