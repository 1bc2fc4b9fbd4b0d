"""Settings of the clinical service."""

from pathlib import Path

from pydantic import Field

from shared.packages import model_folder
from shared.settings import ServiceSettings

SHIPPED = Path(__file__).parent / "model"


class Settings(ServiceSettings):
    """See `ServiceSettings`; `clinical_version` names a package of `models`, the shipped model if it is empty."""

    clinical_version: str = Field(
        "", description="Version of the clinical package in `TRABECULA_MODELS`; the shipped model if empty"
    )

    @property
    def model(self) -> Path:
        """The folder with both models, their parameters and cards.

        Raises:
            DamagedModel: there is no such version, or it is not whole.
        """
        return model_folder(SHIPPED, self.models, "clinical", self.clinical_version, self.signers)

    def model_folders(self) -> tuple[Path, ...]:
        """The folder with both models."""
        return (self.model,)
