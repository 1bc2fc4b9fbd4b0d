"""Who stands by a model package: one Ed25519 signature (RFC 8032) over its manifest, which has every file's checksum.

A signer keeps a private key, away from the servers; an installation names the public keys that it trusts.
"""

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from shared.manifest import MANIFEST, SIGNATURE, DamagedModel, verify_manifest
from shared.problems import InvalidInput
from shared.signers import SETTING, decoded

# Before what is signed, so that no signature of another kind can stand for one of a package.
PURPOSE = b"trabecula model package 1\n"


class UntrustedPackage(DamagedModel):
    """Nobody whom the settings name has signed a package as it is; the message says how to mend it."""


def make_key(file: Path) -> str:
    """Write a new private key into a file that only this user reads; the public key in base64.

    Raises:
        InvalidInput: the file is there already, or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be made ({error.strerror}): name a new file.") from error
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return _public(key)


def sign_package(folder: Path, key_file: Path) -> str:
    """Sign a package whose files are as its manifest says; the public key in base64.

    Raises:
        DamagedModel: the package is not whole, or has files that its manifest does not name.
        InvalidInput: the key cannot be read.
    """
    verify_manifest(folder)
    _nothing_else(folder)
    try:
        key = load_pem_private_key(key_file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInput(f"{key_file} holds no key of 'trabecula model make-key'.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInput(f"{key_file} holds a key of another kind: 'trabecula model make-key' makes the right one.")
    signature = base64.b64encode(key.sign(PURPOSE + (folder / MANIFEST).read_bytes())).decode()
    public = _public(key)
    (folder / SIGNATURE).write_text(json.dumps({"key": public, "signature": signature}, indent=2) + "\n")
    return public


def require_signature(folder: Path, signers: Mapping[str, str]) -> str:
    """The name of whoever signed a package's manifest; its files are for `verify_manifest` to compare.

    Args:
        signers: the public keys that are trusted, by their holders' names.

    Raises:
        UntrustedPackage: nobody signed it, or nobody of these, or it was changed since.
    """
    try:
        written = json.loads((folder / SIGNATURE).read_bytes())
        key, signature = str(written["key"]), decoded(str(written["signature"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UntrustedPackage(
            f"The package {folder} is not signed: whoever made it signs it with 'trabecula model sign'."
        ) from error
    name = next((name for name, known in signers.items() if known == key), None)
    if name is None:
        raise UntrustedPackage(
            f"The package {folder} was signed with the key {key}, which {SETTING} does not name: ask whose it is, and "
            "add it as NAME:KEY if you trust it."
        )
    try:
        public = Ed25519PublicKey.from_public_bytes(decoded(key))
        public.verify(signature, PURPOSE + (folder / MANIFEST).read_bytes())
    except (InvalidSignature, ValueError, OSError) as error:
        raise UntrustedPackage(
            f"The package {folder} is not as {name} signed it: copy it again, whole, or ask for another one."
        ) from error
    _nothing_else(folder)
    return name


def _nothing_else(folder: Path) -> None:
    named = {MANIFEST, SIGNATURE, *json.loads((folder / MANIFEST).read_text())["sha256"]}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    if unknown := sorted(found - named):
        raise UntrustedPackage(f"The package {folder} has files that its manifest does not name: {', '.join(unknown)}.")


def _public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()
