"""The shipped cards, for tests of what the weights may be used for."""

from pathlib import Path

from shared.contracts.models import ModelCard

ROOT = Path(__file__).parents[1]


def card_of(folder: str) -> ModelCard:
    """The card in a model's folder, relative to the project's root."""
    return ModelCard.model_validate_json((ROOT / folder / "card.json").read_bytes())
