"""What each container carries beside the base image, as CycloneDX: build/sbom/<room>.cdx.json, from the room's lock."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("imaging", "staging", "clinical", "recommender", "gateway", "tfserving")


def main() -> None:
    """Write one document a room."""
    folder = ROOT / "build" / "sbom"
    folder.mkdir(parents=True, exist_ok=True)
    for room in ROOMS:
        written = folder / f"{room}.cdx.json"
        command = ["-m", "cyclonedx_py", "requirements", str(ROOT / "requirements" / f"{room}.txt")]
        options = ["--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application", "--output-reproducible"]
        subprocess.run([sys.executable, *command, *options, "--output-file", str(written)], check=True)
        print(written.relative_to(ROOT))


if __name__ == "__main__":
    main()
