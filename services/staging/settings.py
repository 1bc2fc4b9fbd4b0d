"""Settings of the staging service."""

from pathlib import Path

from pydantic import Field

from shared.packages import model_folder
from shared.radiograph import joints
from shared.settings import ServiceSettings

SHIPPED = Path(__file__).parent / "model"


class Settings(ServiceSettings):
    """See `ServiceSettings`; `staging_version` names a package of `models`, the shipped model if it is empty."""

    staging_version: str = Field(
        "", description="Version of the staging package in `TRABECULA_MODELS`; the shipped model if empty"
    )

    @property
    def model(self) -> Path:
        """The folder with the network, its card and the manifest.

        Raises:
            DamagedModel: there is no such version, or it is not whole.
        """
        return model_folder(SHIPPED, self.models, "staging", self.staging_version, self.signers)

    def model_folders(self) -> tuple[Path, ...]:
        """The network's folder and the joint finder's."""
        return (self.model, joints.MODEL.parent)
