"""Settings of the staging service."""

from pathlib import Path

from shared.radiograph import joints
from shared.settings import ServiceSettings


class StagingSettings(ServiceSettings):
    """See `ServiceSettings`; `staging_model` is the folder with the network, its card and the manifest."""

    staging_model: Path = Path(__file__).parent / "model"

    def model_folders(self) -> tuple[Path, ...]:
        """The network's folder and the joint finder's."""
        return (self.staging_model, joints.MODEL.parent)
