"""What each container carries beside the base image, from its lock, as CycloneDX: build/sbom/NAME.cdx.json."""

import re
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

from shared.components import COMPONENTS

ROOT = Path(__file__).resolve().parents[1]
# The last is what an image gets in place of its service's own lock where TensorFlow Serving scores its network.
LOCKS = (*COMPONENTS, "tfserving")
# What a lock's lines for some systems only are decided by: that of the images.
CONTAINER = {
    "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix",
    "implementation_name": "cpython", "platform_python_implementation": "CPython",
}  # fmt: skip
# A package with its hashes, one to a line.
ENTRY = re.compile(r"^[a-z0-9][^\n]*(?:\n +--hash[^\n]*)*", re.MULTILINE)


def carried(lock: Path) -> str:
    """The part of a lock that is installed in a container."""
    entries = ENTRY.findall(lock.read_text(encoding="utf-8"))
    return "".join(f"{entry}\n" for entry in entries if _is_carried(entry.partition(" \\")[0]))


def _is_carried(requirement: str) -> bool:
    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate(CONTAINER)


def main() -> None:
    """Write one document for each lock, or for those that are named."""
    folder = ROOT / "build" / "sbom"
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or LOCKS:
        written = folder / f"{name}.cdx.json"
        command = ["-m", "cyclonedx_py", "requirements", "-"]
        options = ["--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application", "--output-reproducible"]
        packages = carried(ROOT / "requirements" / f"{name}.txt")
        command = [sys.executable, *command, *options, "--output-file", str(written)]
        subprocess.run(command, input=packages, text=True, check=True)
        print(written.relative_to(ROOT))


if __name__ == "__main__":
    main()
