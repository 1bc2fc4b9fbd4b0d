"""Installs the linters by their lock, in build/openapi, and runs their tests; without npm it says so aloud."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLACE = ROOT / "build" / "openapi"
MISSING = "!!! OPENAPI NOT CHECKED: npm is not on this machine (Debian: npm), so no linter has seen the document."


def main() -> int:
    """0 where all is well, or where npm is missing and nothing demands it."""
    npm = shutil.which("npm")
    if npm is None:
        print(MISSING, file=sys.stderr)
        return int(os.environ.get("TRABECULA_FAIL_ON_SKIP") == "1")
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, PLACE / name)
    install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.call([*install, "--prefix", PLACE]):
        print("!!! OPENAPI NOT CHECKED: npm could not install the linters (see above).", file=sys.stderr)
        return 1
    return subprocess.call([sys.executable, "-m", "pytest", "-q", "-m", "openapi", HERE], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
