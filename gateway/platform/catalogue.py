"""The catalogues of the pages' words, as they lie in `catalogues/<language>.yaml`."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from shared.contracts.language import LanguageCode

FOLDER = Path(__file__).parent / "catalogues"


@cache
def catalogue(language: LanguageCode) -> dict[str, str]:
    """Every text of a language by its dotted key."""
    read = yaml.safe_load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return dict(_flat(read))


def _flat(branch: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in branch.items():
        path = f"{prefix}{key}"
        found += _flat(value, f"{path}.") if isinstance(value, dict) else [(path, str(value))]
    return found
