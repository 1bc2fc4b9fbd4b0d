"""What a site has found on its own labelled cases and puts on top of the networks: a package with a version."""

import datetime as dt
from typing import Annotated

from pydantic import Field

from shared.contracts.base import Contract, ModelReference
from shared.contracts.findings import Anatomy

NAME = "site-settings"
VERSION_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z._+-]{0,49}$"


class Measured(Contract):
    """A figure with its 95 % interval, out of fold by patient."""

    value: float
    low: float
    high: float


class GradeCalibration(Contract):
    """The log odds of "grade k or more", for k of 1 to 4, become (log odds + shift) / temperature."""

    model: ModelReference
    temperature: Annotated[float, Field(gt=0)]
    shift: float
    patients: int
    knees: int
    log_loss_before: float
    log_loss_after: Annotated[float, Field(description="Out of fold")]
    log_loss_difference: Annotated[Measured, Field(description="After less before; below zero is better")]


class OperatingPoint(Contract):
    """From which reading of the bone on a film is called possible osteoporosis, by the sensitivity that was wanted."""

    model: ModelReference
    anatomy: Anatomy
    wanted_sensitivity: Annotated[float, Field(gt=0, lt=1)]
    threshold: Annotated[float, Field(gt=0, lt=1, description="On `imaging.bone.osteoporosis`")]
    patients_with: int
    patients_without: int
    sensitivity: Measured
    specificity: Measured


class Prevalence(Contract):
    """The share with osteoporosis among those whose films are read here."""

    value: Annotated[float, Field(gt=0, lt=1)]
    basis: str


class SiteSettings(Contract):
    """One version. What a part was learned for is one version of one model; another version is left as it is."""

    version: Annotated[str, Field(pattern=VERSION_PATTERN)]
    made_at: dt.datetime
    table_sha256: str
    grades: GradeCalibration | None = None
    operating_points: list[OperatingPoint] = []
    prevalence: Prevalence | None = None

    @property
    def reference(self) -> ModelReference:
        """How answers name it."""
        return ModelReference(name=NAME, version=self.version)
