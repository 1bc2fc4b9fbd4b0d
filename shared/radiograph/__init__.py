"""From the bytes of a file to gray pixels and a network's input, for training and serving alike."""

from shared.radiograph.radiograph import WORKING_SIZE, Radiograph

__all__ = ["WORKING_SIZE", "Radiograph"]
