"""Renews the locks beside this file from pyproject.toml: one a purpose, universal, with hashes, without addresses.

`make lock` keeps the pins that still fit; `make lock UPGRADE=1` takes the newest of everything.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from shared.components import COMPONENTS

HERE = Path(__file__).resolve().parent
HEADER = "# Made by `make lock` from pyproject.toml, for Python 3.11 to 3.13 on every system. Do not edit.\n"
OWN_EXTRAS = re.compile(r"trabecula\[([a-z,]+)\]")
# run comes first: every other lock takes the versions that run has.
EXTRAS = {
    "run": (),
    "test": ("dev", "ops", "interop"),
    "training": ("training", "tfserving", "dev"),
    "tfserving": ("tfserving",),
    "cluster": ("cluster",),
}
# What a component's image carries beside its own extra.
IN_IMAGES = {"gateway": ("interop",)}
# Environments of their own, which the project's versions do not bind.
PEERS = ("peer-bentoml", "peer-flask", "peer-litserve", "peer-mosec")
APART = ("build", "oip", "oidc", *PEERS)
OPTIONS = (
    "--universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-header --no-annotate --no-build "
    "--no-emit-index-url --no-emit-find-links --no-emit-build-options --no-emit-index-annotation --no-config --quiet"
)


def wanted(purpose: str) -> list[str]:
    """What pyproject.toml asks for: a component's own extra, what is apart, or all of it with the purpose's extras."""
    about = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    extras: dict[str, list[str]] = about["project"]["optional-dependencies"]
    if purpose in COMPONENTS:
        more = [f"trabecula[{extra}]" for extra in IN_IMAGES.get(purpose, ())]
        return list(resolved([*extras[purpose], *more], extras))
    backend: list[str] = about["build-system"]["requires"]
    if purpose in APART:
        return [*backend, *resolved(extras.get(purpose, []), extras)]
    # An offline `pip install --no-build-isolation -e .` finds the backend in the environment.
    everything = [*about["project"]["dependencies"], *backend]
    everything += [requirement for extra in EXTRAS[purpose] for requirement in extras[extra]]
    return list(resolved(everything, extras))


def resolved(requirements: list[str], extras: dict[str, list[str]]) -> Iterator[str]:
    """The requirements with each reference to the project's own extras replaced by what these ask for."""
    for requirement in requirements:
        if own := OWN_EXTRAS.fullmatch(requirement):
            yield from resolved([wish for extra in own[1].split(",") for wish in extras[extra]], extras)
        else:
            yield requirement


def lock(purpose: str, *, upgrade: bool) -> None:
    """Write the lock of one purpose."""
    target = HERE / f"{purpose}.txt"
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", *OPTIONS.split(), "--output-file", str(target)]
    command += ["--upgrade"] if upgrade else []
    command += [] if purpose in ("run", "oip", "oidc", *PEERS) else ["--constraints", str(HERE / "run.txt")]
    subprocess.run(command, input="\n".join(wanted(purpose)), text=True, check=True, stdout=subprocess.DEVNULL)
    target.write_text(HEADER + target.read_text(encoding="utf-8"), encoding="utf-8")
    print(f"requirements/{purpose}.txt")


def main() -> None:
    """Renew every lock."""
    for purpose in (*EXTRAS, *APART, *COMPONENTS):
        lock(purpose, upgrade="--upgrade" in sys.argv[1:])


if __name__ == "__main__":
    main()
