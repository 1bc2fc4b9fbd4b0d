"""Public keys that a command is given: a file with them, or the address where a system publishes them."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.interop.fhir.reading.parsing import parse_json
from gateway.platform.identity.public_keys import KeySet, checked_key_set
from shared.problems import InvalidInput, MalformedBody

LARGEST = 262_144
JwksFile = Annotated[
    Path | None, typer.Option("--jwks", help="File with the system's public keys as a JWK Set (RSA or EC P-384)")
]
JwksUrl = Annotated[str | None, typer.Option("--jwks-url", help="https address where the system publishes them")]


def read_key_set(file: Path | None, url: str | None) -> KeySet:
    """The keys.

    Raises:
        InvalidInput: both or neither are given, the file cannot be read, or the keys cannot be used.
    """
    jwks = None
    if file is not None:
        try:
            if file.stat().st_size > LARGEST:
                raise InvalidInput(f"--jwks: {file} has more than {LARGEST} bytes.")
            jwks = parse_json(file.read_bytes())
        except OSError as error:
            raise InvalidInput(f"--jwks: {file} cannot be read: {error.strerror}.") from error
        except MalformedBody as error:
            raise InvalidInput(f"--jwks: {file} is no JSON.") from error
    return checked_key_set(jwks, url, ("--jwks", "--jwks-url"))
