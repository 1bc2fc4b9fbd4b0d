"""Writes the golden arrays: `python -m tests.unit.shared.radiograph.goldens`. Only with a change that is meant."""

from pathlib import Path

import numpy as np

from shared.radiograph import phantom
from shared.radiograph.prepare import network_input

SIZE = (280, 230)


def main() -> None:
    arrays = {}
    for name in ("knee", "lumbar_spine"):
        picture = getattr(phantom, name)(size=SIZE)
        arrays[f"{name}_picture"] = picture
        arrays[f"{name}_input"] = np.rint(network_input(picture)[0, :, :, 0] * 255).astype(np.uint8)
    np.savez_compressed(Path(__file__).with_name("goldens.npz"), **arrays)


if __name__ == "__main__":
    main()
