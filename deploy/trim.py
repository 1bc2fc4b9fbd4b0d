"""Takes out of an image's packages what a service never runs: 70 MB of tests, doubles and an unused C library.

Run while an image is built, on the folder of its packages. What is left is proved by starting the image.
"""

import hashlib
import shutil
import sys
from pathlib import Path

# ONNX Runtime for programs in C: the Python module has a copy of its own inside.
UNUSED = ("onnxruntime/capi/libonnxruntime.so*", "onnxruntime/transformers", "onnxruntime/tools", "_gdcm/gdcm[a-z]*")
KEPT = (".py", ".so")
# The pages' languages with what each falls back to; Babel brings a thousand.
LOCALES = ("root", "en", "en_001", "en_IN", "hi", "hi_IN", "kn", "kn_IN")


def remove(path: Path) -> None:
    """A file or a folder with all that is in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def unused(packages: Path) -> list[Path]:
    """What the project never calls: named here, and every package's own tests."""
    named = [path for pattern in UNUSED for path in packages.glob(pattern)]
    programs = [path for path in named if path.parent.name != "_gdcm" or path.suffix not in KEPT]
    locales = [path for path in packages.glob("babel/locale-data/*.dat") if path.stem not in LOCALES]
    return programs + locales + [path for path in packages.glob("**/tests") if path.is_dir()]


def share_doubles(folder: Path) -> None:
    """A wheel cannot hold links, so a library comes once a name: keep one and link the others to it."""
    kept: dict[str, Path] = {}
    for file in sorted(folder.glob("*.so*")):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if digest in kept:
            file.unlink()
            file.symlink_to(kept[digest].name)
        else:
            kept[digest] = file


def main(packages: Path) -> None:
    """Trim one folder of packages."""
    for path in unused(packages):
        if path.exists():  # a folder within one that is gone already
            remove(path)
    if (packages / "_gdcm").is_dir():
        share_doubles(packages / "_gdcm")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
