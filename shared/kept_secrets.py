"""Secrets that an installation makes for itself, each in a file of its owner's, or gets from a key manager."""

import os
import secrets
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

from shared.problems import TrabeculaError

# Without what is read as something else: 0 and O, 1 and I, L.
SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS, GROUP = 3, 4
SHORTEST, LONGEST = 32, 4096
# Seconds that a key manager may take.
COMMAND_S = 8


class NoSecret(TrabeculaError):
    """A key manager does not give its secret; the detail names the setting and never what was given."""


def new_secret() -> str:
    """A random secret of 384 bits."""
    return secrets.token_urlsafe(48)


def new_code() -> str:
    """A random code of 58 bits, in groups that people can type: K7QM-3XWD-9RTA."""
    return "-".join("".join(secrets.choice(SIGNS) for _ in range(GROUP)) for _ in range(GROUPS))


def kept_secret(file: Path, make: Callable[[], str] = new_secret) -> str:
    """The secret in a file; made on the first call."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as handle:
        handle.write(make())
    return file.read_text().strip()


def secret_of_command(command: str, setting: str) -> str:
    """What a key manager's command prints: the secret, on one line.

    Args:
        command: program and arguments, quoted as for a shell; there is none.
        setting: what to name where it fails.

    Raises:
        NoSecret: it cannot be started, fails, takes too long, or prints no secret.
    """
    try:
        done = subprocess.run(  # noqa: S603 -- the operator's own setting
            shlex.split(command), capture_output=True, timeout=COMMAND_S, check=True, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise NoSecret(f"{setting}: the command gave nothing within {COMMAND_S} s.") from error
    except subprocess.CalledProcessError as error:
        raise NoSecret(f"{setting}: the command failed with status {error.returncode}: run it by hand.") from error
    except (OSError, ValueError) as error:
        raise NoSecret(f"{setting}: the command cannot be started ({error}).") from error
    return _checked(done.stdout, setting)


def secret_of_file(file: Path, setting: str) -> str:
    """What a key manager wrote to a file.

    Raises:
        NoSecret: the file cannot be read, or holds no secret.
    """
    try:
        with file.open("rb") as handle:
            return _checked(handle.read(LONGEST + 1), setting)
    except OSError as error:
        raise NoSecret(f"{setting}: {file} cannot be read ({error.strerror}).") from error


def _checked(given: bytes, setting: str) -> str:
    secret = given.strip()
    if not SHORTEST <= len(secret) <= LONGEST or not secret.isascii() or len(secret.split()) != 1:
        raise NoSecret(
            f"{setting} gave no secret: one line of {SHORTEST} to {LONGEST} printable ASCII characters without spaces "
            "is expected."
        )
    return secret.decode()
