import pytest

from shared.manifest import DamagedModel, verify_manifest, write_manifest


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "network.onnx").write_bytes(b"weights")
    write_manifest(tmp_path)
    return tmp_path


def test_an_untouched_folder_passes(folder):
    verify_manifest(folder)


def test_one_changed_byte_is_found(folder):
    (folder / "network.onnx").write_bytes(b"weightz")
    with pytest.raises(DamagedModel, match=r"network\.onnx is damaged.*restore it"):
        verify_manifest(folder)


def test_a_missing_file_is_named(folder):
    (folder / "network.onnx").unlink()
    with pytest.raises(DamagedModel, match=r"network\.onnx is missing.*restore it"):
        verify_manifest(folder)


@pytest.mark.parametrize("text", ["", "{}", "[1]"])
def test_a_manifest_that_is_none_is_said_so(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(DamagedModel, match=r"manifest\.json cannot be read"):
        verify_manifest(folder)
