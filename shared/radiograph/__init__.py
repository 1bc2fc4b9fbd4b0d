"""From the bytes of a file to gray pixels and a network's input, for training and serving alike."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.radiograph.radiograph import WORKING_SIZE, Radiograph

__all__ = ["WORKING_SIZE", "Radiograph"]


def __getattr__(name: str) -> Any:
    """What is used most, loaded when it is asked for: a gateway reads headers and has nothing that reads pictures."""
    if name not in __all__:
        raise AttributeError(name)
    from shared.radiograph import radiograph

    return getattr(radiograph, name)
