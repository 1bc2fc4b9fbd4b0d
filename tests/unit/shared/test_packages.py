"""Model packages by version, and the first line of defence against a network that is another."""

import json

import numpy as np
import pytest

from shared.inference.choice import require_outputs
from shared.manifest import DamagedModel, verify_manifest, write_manifest
from shared.packages import MissingVersion, model_folder
from shared.signatures import UntrustedPackage, make_key, sign_package


@pytest.fixture
def key(tmp_path):
    return tmp_path / "key.pem"


@pytest.fixture
def signers(key):
    return {"physics": make_key(key)}


@pytest.fixture
def models(tmp_path, key, signers):
    for version in ("0.3.0", "2026.11.24"):
        folder = tmp_path / "imaging" / version
        (folder / "saved_model").mkdir(parents=True)
        (folder / "imaging.onnx").write_bytes(b"weights")
        (folder / "saved_model" / "saved_model.pb").write_bytes(b"graph")
        (folder / "card.json").write_text(json.dumps({"service": "imaging", "version": version}))
        write_manifest(folder)
        sign_package(folder, key)
    return tmp_path


@pytest.fixture
def folder_of(models, signers):
    return lambda version, trusted=signers: model_folder(models / "shipped", models, "imaging", version, trusted)


def test_no_version_is_the_model_that_the_project_ships(models, folder_of):
    assert folder_of("") == models / "shipped"


def test_a_version_is_a_folder_and_going_back_is_the_other_one(models, folder_of):
    for version in ("2026.11.24", "0.3.0"):
        folder = folder_of(version)
        assert folder == models / "imaging" / version
        verify_manifest(folder)


@pytest.mark.parametrize("file", ["card.json", "saved_model/saved_model.pb"])
def test_every_file_of_a_package_has_a_checksum(folder_of, file):
    folder = folder_of("0.3.0")
    (folder / file).write_bytes(b"{}")
    with pytest.raises(DamagedModel, match=r"damaged.*go back to another version"):
        verify_manifest(folder)


def test_a_version_that_is_not_there_names_those_that_are(folder_of):
    with pytest.raises(MissingVersion, match=r"TRABECULA_IMAGING_VERSION=9: .*0\.3\.0, 2026\.11\.24"):
        folder_of("9")


@pytest.mark.parametrize("version", ["../imaging/0.3.0", "/etc", "0.3.0/..", ".", "a b"])
def test_a_version_is_never_a_path(folder_of, version):
    with pytest.raises(MissingVersion, match="is no version"):
        folder_of(version)


def test_a_package_of_nobody_who_is_trusted_is_not_loaded(models, folder_of):
    with pytest.raises(UntrustedPackage, match="TRABECULA_MODEL_SIGNERS"):
        folder_of("0.3.0", {})
    (models / "imaging" / "0.3.0" / "signature.json").unlink()
    with pytest.raises(UntrustedPackage, match="not signed"):
        folder_of("0.3.0")


def test_a_card_of_another_version_is_found(models, folder_of):
    (models / "imaging" / "0.3.0").rename(models / "imaging" / "0.4.0")
    with pytest.raises(DamagedModel, match=r"holds imaging 0\.3\.0"):
        folder_of("0.4.0")


class Network:
    def score(self, inputs):
        assert inputs["radiograph"].shape[-1] == 1
        return {"turn": np.zeros((1, 4))}


def test_a_network_must_answer_as_the_service_asks():
    require_outputs(Network(), (8, 8, 1), {"turn": (4,)}, "imaging")
    for size, shapes in (((8, 8, 1), {"bone": (3, 2)}), ((8, 8, 1), {"turn": (5,)}), ((8, 8, 3), {"turn": (4,)})):
        with pytest.raises(DamagedModel, match=r"imaging network .*made for this service"):
            require_outputs(Network(), size, shapes, "imaging")
