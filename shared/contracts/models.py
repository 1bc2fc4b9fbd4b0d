"""The model card as it travels: what stands behind an answer."""

from typing import Any

from pydantic import Field

from shared.contracts.base import Contract


class WeightsUse(Contract):
    """What one part of a model may be used for, by the sets that it was learned from."""

    part: str
    does: str
    learned_from: list[str] = Field(description="Sets by their names in docs/data.md")
    licences: list[str] = Field(description="Of these sets, as far as they are known")
    research_only: bool = Field(description="Whether an open installation (`TRABECULA_MODELS_OPEN`) leaves it unused")
    restricted_by: list[str] = Field([], description="The sets that hold it to research")


class ModelVersion(Contract):
    """One version of a model: what changed, and the figures that it was judged by then."""

    version: str
    change: str
    figures: dict[str, Any] = Field(description="With intervals, as measured when the version was made")


class Evidence(Contract):
    """Where every card says the same things: what a shortcut reaches, and how far the figures carry."""

    baselines: dict[str, Any] = Field({}, description="What shortcuts and simpler recipes reach on the same cases")
    external: dict[str, Any] = Field({}, description="On sets that nothing was learned from")
    subgroups: dict[str, Any] = Field({}, description="Within groups of patients or pictures")
    devices_and_sizes: list[str] = Field([], description="Devices, sizes and qualities that the figures hold for")
    not_measured: list[str] = Field([], description="What of these nobody has measured, and why")


class ModelCard(Contract):
    """Model card (after Mitchell 2019): data, measured figures with intervals, limits."""

    name: str
    version: str
    service: str
    summary: str
    intended_use: str
    excluded_use: str
    licence: str
    weights: list[WeightsUse] = Field([], description="What each part may be used for; empty where nobody has said")
    left_unused: list[str] = Field([], description="Parts that this installation runs without, for their licence")
    data: list[str]
    metrics: dict[str, Any] = Field(description="Measured on the test part unless the name says otherwise")
    evidence: Evidence = Evidence()
    versions: list[ModelVersion] = Field([], description="This version and those before it, the newest first")
    limits: list[str]
    trained: str = Field(description="The command that reproduces the model")


class ModelCards(Contract):
    """The cards of every service that answered; one that did not is named in `unavailable`."""

    models: list[ModelCard]
    unavailable: list[str] = []
