"""What stands in a PDF."""

import shutil
import subprocess

import pytest


def text_of(pdf: bytes) -> str:
    """Its words in reading order, on one line; the test is skipped where the machine has no pdftotext."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext is not on this machine (apt install poppler-utils)")
    told = subprocess.run([program, "-layout", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    return " ".join(told.split())
