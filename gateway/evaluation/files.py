"""The report's three files, which only this user reads."""

import os
from pathlib import Path

from gateway.evaluation.evaluate import Evaluated
from gateway.evaluation.page import html_of
from gateway.evaluation.pdf import pdf_of
from gateway.platform.owner_only import replace_file
from shared.problems import InvalidInput


def prepare_folder(folder: Path) -> None:
    """Make the folder, so that a wrong name is found before the films are read.

    Raises:
        InvalidInput: it cannot be made or written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InvalidInput(f"{folder} cannot be written: name another one with --output.")


def write_report(evaluated: Evaluated, folder: Path) -> list[Path]:
    """Write the report as JSON, HTML and PDF into a folder that is there; a report in it is replaced.

    Raises:
        InvalidInput: a file cannot be written.
    """
    contents = {
        "evaluation.json": evaluated.evaluation.model_dump_json(indent=2).encode() + b"\n",
        "evaluation.html": html_of(evaluated).encode(),
        "evaluation.pdf": pdf_of(evaluated.evaluation),
    }
    try:
        for name, content in contents.items():
            replace_file(folder / name, content)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return [folder / name for name in contents]


def _cannot_write(folder: Path, error: OSError) -> InvalidInput:
    return InvalidInput(f"{folder} cannot be written: {error.strerror}. Name another one with --output.")
