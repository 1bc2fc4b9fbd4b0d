"""Looks every locked package up in a list of known vulnerabilities (OSV), without installing any of them.

Where the list cannot be reached, that is said aloud and is no failure, unless TRABECULA_FAIL_ON_NO_AUDIT=1.
Arguments are passed on to pip-audit: --ignore-vuln ID for one that does not concern this project, --osv-url for a
mirror.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
OPTIONS = (
    "--vulnerability-service osv --timeout 15 --progress-spinner off --format json --aliases off --desc off "
    "--no-deps --disable-pip"
)
PIN = re.compile(r"^([a-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)
STRICT = "TRABECULA_FAIL_ON_NO_AUDIT"


def locked(locks: Iterable[Path]) -> set[tuple[str, str]]:
    """Every package with its version, of all systems that the locks are for."""
    return {pin for lock in locks for pin in PIN.findall(lock.read_text(encoding="utf-8"))}


def without_repetition(pins: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """The versions by package, in as many parts as a package has versions: pip-audit takes each name once."""
    parts: list[dict[str, str]] = []
    for name, version in sorted(pins):
        part = next((part for part in parts if name not in part), None)
        if part is None:
            parts.append(part := {})
        part[name] = version
    return parts


def audit(pins: dict[str, str], more: list[str]) -> tuple[list[dict[str, Any]] | None, str]:
    """The packages, each with its `vulns` or a `skip_reason`; null and why where pip-audit could not look them up.

    Args:
        pins: the version of each package.
        more: further arguments of pip-audit.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "locked.txt"
        file.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()), encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", *OPTIONS.split(), "--requirement", str(file), *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)["dependencies"], ""
    except (ValueError, KeyError):
        return None, (done.stderr.strip().splitlines() or ["no reason given"])[-1]


def main(arguments: list[str], locks: Iterable[Path] | None = None) -> int:
    """Audit the locks of this folder; 1 where a package has a known vulnerability."""
    vulnerable, missing, count = list[str](), list[str](), 0
    for pins in without_repetition(locked(HERE.glob("*.txt") if locks is None else locks)):
        found, why = audit(pins, arguments)
        if found is None:
            missing.append(why)
            break  # the next part would not reach the list either
        count += len(found)
        missing += [package["skip_reason"] for package in found if "skip_reason" in package]
        vulnerable += [
            f"{package['name']} {package['version']}: {flaw['id']}, mended in "
            f"{', '.join(flaw['fix_versions']) or 'no version yet'}"
            for package in found
            for flaw in package.get("vulns", ())
        ]
    for line in vulnerable:
        print(line, file=sys.stderr)
    if missing:
        print(f"!!! PACKAGES NOT AUDITED for known vulnerabilities: {'; '.join(missing)}", file=sys.stderr)
        return 1 if vulnerable or os.environ.get(STRICT) == "1" else 0
    print(f"{count} locked packages looked up, {len(vulnerable)} known vulnerabilities.")
    return 1 if vulnerable else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
