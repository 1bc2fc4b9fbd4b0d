"""Settings of the imaging service."""

from pathlib import Path

from pydantic import Field

from shared.packages import model_folder
from shared.radiograph import joints
from shared.settings import ServiceSettings

# Age-adjusted, femoral neck or lumbar spine: NCHS Data Brief 405 (Sarafrazi 2021), United States, 2017-2018.
ADULTS_OVER_50 = 0.126
SHIPPED = Path(__file__).parent / "model"


class Settings(ServiceSettings):
    """See `ServiceSettings`; `imaging_version` names a package of `models`, the shipped model if it is empty."""

    imaging_version: str = Field(
        "", description="Version of the imaging package in `TRABECULA_MODELS`; the shipped model if empty"
    )

    osteoporosis_prevalence: float = Field(
        ADULTS_OVER_50,
        gt=0,
        lt=1,
        description="Share with osteoporosis among the people whose films are sent, for `imaging.stand_alone`",
    )

    @property
    def model(self) -> Path:
        """The folder with the network, its card and the manifest.

        Raises:
            DamagedModel: there is no such version, or it is not whole.
        """
        return model_folder(SHIPPED, self.models, "imaging", self.imaging_version, self.signers)

    def model_folders(self) -> tuple[Path, ...]:
        """The network's folder and the joint finder's."""
        return (self.model, joints.MODEL.parent)
