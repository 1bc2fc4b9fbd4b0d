"""Renews the locks beside this file from pyproject.toml: one a purpose, universal, with hashes, without addresses.

`make lock` keeps the pins that still fit; `make lock UPGRADE=1` takes the newest of everything.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = "# Made by `make lock` from pyproject.toml, for Python 3.11 to 3.13 on every system. Do not edit.\n"
ROOMS = ("imaging", "staging", "clinical", "recommender", "gateway")
# run comes first: every other lock takes the versions that run has.
EXTRAS = {
    "run": (), "test": ("dev", "ops"), "training": ("training", "tfserving", "dev"), "tfserving": ("tfserving",),
}  # fmt: skip
# Environments of their own, which the project's versions do not bind.
APART = ("build", "oip")
OPTIONS = (
    "--universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-header --no-annotate --no-build "
    "--no-emit-index-url --no-emit-find-links --no-emit-build-options --no-emit-index-annotation --no-config --quiet"
)


def wanted(purpose: str) -> list[str]:
    """What pyproject.toml asks for: a room's own extra, what is apart, or all of it with the purpose's extras."""
    about = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    extras: dict[str, list[str]] = about["project"]["optional-dependencies"]
    if purpose in ROOMS:
        return extras[purpose]
    backend: list[str] = about["build-system"]["requires"]
    if purpose in APART:
        return backend + extras.get(purpose, [])
    # An offline `pip install --no-build-isolation -e .` finds the backend in the environment.
    everything = [*about["project"]["dependencies"], *backend]
    return everything + [requirement for extra in EXTRAS[purpose] for requirement in extras[extra]]


def lock(purpose: str, *, upgrade: bool) -> None:
    """Write the lock of one purpose."""
    target = HERE / f"{purpose}.txt"
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", *OPTIONS.split(), "--output-file", str(target)]
    command += ["--upgrade"] if upgrade else []
    command += [] if purpose in ("run", "oip") else ["--constraints", str(HERE / "run.txt")]
    subprocess.run(command, input="\n".join(wanted(purpose)), text=True, check=True, stdout=subprocess.DEVNULL)
    target.write_text(HEADER + target.read_text(encoding="utf-8"), encoding="utf-8")
    print(f"requirements/{purpose}.txt")


def main() -> None:
    """Renew every lock."""
    for purpose in (*EXTRAS, *APART, *ROOMS):
        lock(purpose, upgrade="--upgrade" in sys.argv[1:])


if __name__ == "__main__":
    main()
