"""What each container carries beside the base image, from its lock, as CycloneDX: build/sbom/NAME.cdx.json."""

import subprocess
import sys
from pathlib import Path

from shared.components import COMPONENTS

ROOT = Path(__file__).resolve().parents[1]
# The last is what an image gets in place of its service's own lock where TensorFlow Serving scores its network.
LOCKS = (*COMPONENTS, "tfserving")


def main() -> None:
    """Write one document for each lock."""
    folder = ROOT / "build" / "sbom"
    folder.mkdir(parents=True, exist_ok=True)
    for name in LOCKS:
        written = folder / f"{name}.cdx.json"
        command = ["-m", "cyclonedx_py", "requirements", str(ROOT / "requirements" / f"{name}.txt")]
        options = ["--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application", "--output-reproducible"]
        subprocess.run([sys.executable, *command, *options, "--output-file", str(written)], check=True)
        print(written.relative_to(ROOT))


if __name__ == "__main__":
    main()
