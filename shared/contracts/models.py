"""The model card as it travels: what stands behind an answer."""

from typing import Any

from pydantic import Field

from shared.contracts.base import Contract


class ModelCard(Contract):
    """Model card (after Mitchell 2019): data, measured figures with intervals, limits."""

    name: str
    version: str
    service: str
    summary: str
    intended_use: str
    excluded_use: str
    licence: str
    data: list[str]
    metrics: dict[str, Any] = Field(description="Measured on the test part unless the name says otherwise")
    limits: list[str]
    trained: str = Field(description="The command that reproduces the model")


class ModelCards(Contract):
    """The cards of every service that answered; one that did not is named in `unavailable`."""

    models: list[ModelCard]
    unavailable: list[str] = []
