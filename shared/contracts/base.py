"""What every contract has in common: unknown fields are refused, numbers are finite, instances do not change."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Contract(BaseModel):
    """A model that travels between components."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())


Probability = Annotated[float, Field(ge=0, le=1)]


class ModelReference(Contract):
    """The model or rule set behind an answer."""

    name: str
    version: str
