"""Model packages by version, and the first line of defence against a network that is another."""

import json

import numpy as np
import pytest

from shared.inference.choice import require_outputs
from shared.manifest import DamagedModel, verify_manifest, write_manifest
from shared.packages import MissingVersion, model_folder


@pytest.fixture
def models(tmp_path):
    for version in ("0.3.0", "2026.11.24"):
        folder = tmp_path / "imaging" / version
        (folder / "saved_model").mkdir(parents=True)
        (folder / "imaging.onnx").write_bytes(b"weights")
        (folder / "saved_model" / "saved_model.pb").write_bytes(b"graph")
        (folder / "card.json").write_text(json.dumps({"version": version}))
        write_manifest(folder)
    return tmp_path


def folder_of(models, version):
    return model_folder(models / "shipped", models, "imaging", version)


def test_no_version_is_the_model_that_the_project_ships(models):
    assert folder_of(models, "") == models / "shipped"


def test_a_version_is_a_folder_and_going_back_is_the_other_one(models):
    for version in ("2026.11.24", "0.3.0"):
        folder = folder_of(models, version)
        assert folder == models / "imaging" / version
        verify_manifest(folder)


@pytest.mark.parametrize("file", ["card.json", "saved_model/saved_model.pb"])
def test_every_file_of_a_package_has_a_checksum(models, file):
    folder = folder_of(models, "0.3.0")
    (folder / file).write_bytes(b"{}")
    with pytest.raises(DamagedModel, match=r"damaged.*go back to another version"):
        verify_manifest(folder)


def test_a_version_that_is_not_there_names_those_that_are(models):
    with pytest.raises(MissingVersion, match=r"TRABECULA_IMAGING_VERSION=9: .*0\.3\.0, 2026\.11\.24"):
        folder_of(models, "9")


@pytest.mark.parametrize("version", ["../imaging/0.3.0", "/etc", "0.3.0/..", ".", "a b"])
def test_a_version_is_never_a_path(models, version):
    with pytest.raises(MissingVersion, match="is no version"):
        folder_of(models, version)


def test_a_card_of_another_version_is_found(models):
    (models / "imaging" / "0.3.0").rename(models / "imaging" / "0.4.0")
    with pytest.raises(DamagedModel, match=r"holds the version 0\.3\.0"):
        folder_of(models, "0.4.0")


class Network:
    def score(self, inputs):
        assert inputs["radiograph"].shape[-1] == 1
        return {"turn": np.zeros((1, 4))}


def test_a_network_must_answer_as_the_service_asks():
    require_outputs(Network(), (8, 8, 1), {"turn": (4,)}, "imaging")
    for size, shapes in (((8, 8, 1), {"bone": (3, 2)}), ((8, 8, 1), {"turn": (5,)}), ((8, 8, 3), {"turn": (4,)})):
        with pytest.raises(DamagedModel, match=r"imaging network .*made for this service"):
            require_outputs(Network(), size, shapes, "imaging")
