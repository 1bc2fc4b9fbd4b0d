"""One signature over a package's manifest: it opens for whoever is trusted, and for nothing that was changed."""

import json
import stat

import pytest

from shared.manifest import DamagedModel, write_manifest
from shared.problems import InvalidInput
from shared.signatures import UntrustedPackage, make_key, require_signature, sign_package
from shared.signers import read_signers


@pytest.fixture
def key(tmp_path):
    return tmp_path / "key.pem"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "package"
    (folder / "saved_model").mkdir(parents=True)
    (folder / "staging.onnx").write_bytes(b"weights")
    (folder / "saved_model" / "saved_model.pb").write_bytes(b"graph")
    write_manifest(folder)
    return folder


def test_a_signed_package_is_its_signers(folder, key):
    public = make_key(key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert sign_package(folder, key) == public
    assert require_signature(folder, {"vendor": "x", "physics": public}) == "physics"
    # Signing again and writing the manifest again leave the one signature that there is.
    write_manifest(folder)
    assert require_signature(folder, {"physics": public}) == "physics"


def test_without_a_signature_or_a_known_signer_it_is_not_loaded(folder, key, tmp_path):
    public = make_key(key)
    with pytest.raises(UntrustedPackage, match=r"not signed.*trabecula model sign"):
        require_signature(folder, {"physics": public})
    sign_package(folder, key)
    other = make_key(tmp_path / "other.pem")
    with pytest.raises(UntrustedPackage, match="which TRABECULA_MODEL_SIGNERS does not name") as refused:
        require_signature(folder, {"vendor": other})
    assert public in refused.value.detail


def test_what_was_changed_since_is_not_loaded(folder, key):
    signers = {"physics": make_key(key)}
    sign_package(folder, key)
    (folder / "staging.onnx").write_bytes(b"other weights")
    write_manifest(folder)  # whoever exchanges a file renews its checksum too
    with pytest.raises(UntrustedPackage, match="not as physics signed it"):
        require_signature(folder, signers)


def test_a_file_that_the_manifest_does_not_name_is_found(folder, key):
    signers = {"physics": make_key(key)}
    sign_package(folder, key)
    (folder / "weights.bin").write_bytes(b"external data of the network")
    with pytest.raises(UntrustedPackage, match=r"weights\.bin"):
        require_signature(folder, signers)
    with pytest.raises(UntrustedPackage, match=r"weights\.bin"):
        sign_package(folder, key)


def test_a_signature_of_somebody_else_does_not_pass_under_a_trusted_key(folder, key, tmp_path):
    trusted = make_key(key)
    make_key(tmp_path / "other.pem")
    sign_package(folder, tmp_path / "other.pem")
    written = json.loads((folder / "signature.json").read_text())
    (folder / "signature.json").write_text(json.dumps({**written, "key": trusted}))
    with pytest.raises(UntrustedPackage, match="not as physics signed it"):
        require_signature(folder, {"physics": trusted})


def test_a_damaged_package_is_not_signed_and_a_key_is_never_written_over(folder, key):
    make_key(key)
    with pytest.raises(InvalidInput, match="name a new file"):
        make_key(key)
    (folder / "staging.onnx").write_bytes(b"other weights")
    with pytest.raises(DamagedModel, match="damaged"):
        sign_package(folder, key)


@pytest.mark.parametrize("written", ["physics", "physics:", ":AAAA", "physics:AAAA", "physics:not base64"])
def test_a_setting_that_names_no_key_says_so(written):
    with pytest.raises(ValueError, match="name:key"):
        read_signers(written)


def test_the_setting_names_several(tmp_path):
    one, two = make_key(tmp_path / "1"), make_key(tmp_path / "2")
    assert read_signers(f"physics:{one}  vendor:{two}") == {"physics": one, "vendor": two}
    assert read_signers("") == {}
