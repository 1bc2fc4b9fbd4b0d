"""Secrets that an installation makes for itself, each in a file that only its owner reads."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

# Without what is read as something else: 0 and O, 1 and I, L.
SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS, GROUP = 3, 4


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
