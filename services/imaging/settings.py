"""Settings of the imaging service."""

from pathlib import Path

from shared.radiograph import joints
from shared.settings import ServiceSettings


class ImagingSettings(ServiceSettings):
    """See `ServiceSettings`; `imaging_model` is the folder with the network, its card and the manifest."""

    imaging_model: Path = Path(__file__).parent / "model"

    def model_folders(self) -> tuple[Path, ...]:
        """The network's folder and the joint finder's."""
        return (self.imaging_model, joints.MODEL.parent)
