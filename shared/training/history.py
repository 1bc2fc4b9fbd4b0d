"""A card's versions: each training adds its own, and keeps those before it with the figures they were judged by."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.contracts.models import ModelCard, ModelVersion


def earlier_card(folder: Path) -> ModelCard | None:
    """The card that lies in a package's folder before a training overwrites it; None where there is none to read."""
    try:
        return ModelCard.model_validate_json((folder / "card.json").read_bytes())
    except (OSError, ValidationError):
        return None


def with_version(card: ModelCard, change: str, figures: Sequence[str], earlier: ModelCard | None) -> ModelCard:
    """The card with its version on top of the earlier card's.

    Args:
        change: what is different, in a few words.
        figures: where in `metrics` the figures are that versions are compared by; a dot leads into a group.
        earlier: the card of the version before.
    """
    own = ModelVersion(
        version=card.version,
        change=change,
        figures={
            name.replace(".", ": "): found for name in figures if (found := found_in(card.metrics, name)) is not None
        },
    )
    before = [one for one in (earlier.versions if earlier else []) if one.version != card.version]
    return card.model_copy(update={"versions": [own, *before]})


def found_in(metrics: dict[str, Any], name: str) -> Any:
    """A figure by its dotted name; None where it is not there."""
    found: Any = metrics
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
