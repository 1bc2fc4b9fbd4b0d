"""Sets Trabecula up and starts it, on Linux, macOS and Windows, with Python 3.11 to 3.13 and nothing else.

python up.py [OPTIONS OF `trabecula serve`]   set up what is missing, then serve
python up.py --setup-only [oip|cluster|...]   set up, start nothing
python up.py --test [PYTEST ARGUMENTS]        set up with the test tools, run the tests
python up.py --check                          format, lint, types, import rules, dependencies and their known flaws
python up.py --bench [ARGUMENTS]              run the benchmarks
python up.py --lock [--upgrade]               renew requirements/*.txt
python up.py --audit [ARGUMENTS]              look the locked packages up in a list of known vulnerabilities
python up.py --sbom                           list what each container carries, in build/sbom
python up.py --docs                           renew the generated pages, build the docs' site in build/docs
python up.py --training MODULE [ARGUMENTS]    run a training module, with TensorFlow, in .venv-training

The set-up makes .venv, installs the locked packages and the project in it, and leaves a stamp there. As long as the
stamp fits, the set-up is skipped, so a second start is quick and needs no network.
"""

# Old Pythons must be able to read this file, to say that they are too old: hence typing.List and no `match`.
import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, NoReturn, Optional, Tuple

ROOT = Path(__file__).resolve().parent
OLDEST, NEWEST = (3, 11), (3, 13)
STAMP, LOG = "trabecula-stamp", "trabecula-setup.log"
INSTALLING = "a set-up was interrupted"
# What --test, --bench, --lock and --training hand their arguments to, and the lock that it needs.
TASKS = {
    "--test": ("test", ["-m", "pytest"]),
    "--bench": ("test", ["-m", "bench"]),
    "--lock": ("test", ["requirements/lock.py"]),
    "--audit": ("test", ["requirements/audit.py"]),
    "--sbom": ("test", ["deploy/sbom.py"]),
    "--docs": ("test", ["docs/generate.py", "--build"]),
    "--training": ("training", ["-m"]),
}
# What needs packages that the project's own versions do not go with, or that nobody else should wait for.
APART = ("training", "cluster", "oip", "oidc", "peer-bentoml", "peer-flask", "peer-litserve", "peer-mosec")
CHECKS = (
    ["-m", "ruff", "format", "--check", "."],
    ["-m", "ruff", "check", "."],
    ["-m", "mypy"],
    ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-logo"],
    ["-m", "deptry", "."],
    ["deploy/image_digests.py", "--check"],
    ["requirements/audit.py"],
    ["-m", "tests.openapi"],
)
# Messages of a failed pip, each with its cause and the cure.
CAUSES = (
    ("No space left on device", "the disk is full: free some space and run this again"),
    ("DO NOT MATCH THE HASHES", "a downloaded package differs from the lock: is a proxy changing it?"),
    ("CERTIFICATE_VERIFY_FAILED", "the package index's certificate is not trusted here: set PIP_CERT to your proxy's"),
    ("Permission denied", "the folder cannot be written to: see its owner and permissions"),
    ("Retrying (Retry", "no network: the first set-up downloads packages; connect, or point pip at a mirror"),
    ("Could not find a version", "a locked package does not exist for this system or this package index"),
)


class SetupError(Exception):
    """What stopped the set-up, in one line that also says how to mend it."""


def fits(version: Tuple[int, int]) -> bool:
    """Whether the locked packages exist for this version of Python."""
    return OLDEST <= version <= NEWEST


def other_python() -> Optional[str]:
    """Another Python here that fits. A name on the PATH may be a stub that starts nothing, so each is asked."""
    question = f"import sys; print(sys.executable if {OLDEST} <= sys.version_info[:2] <= {NEWEST} else '')"
    for version in ("3.12", "3.13", "3.11"):
        command = ["py", "-" + version] if sys.platform == "win32" else ["python" + version]
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "-c", question], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if asked.returncode == 0 and asked.stdout.strip():
                return asked.stdout.decode().strip()
    return None


def require_python(arguments: List[str]) -> None:
    """Return where this Python fits; otherwise start again with one that does."""
    if fits(sys.version_info[:2]):
        return
    better = other_python()
    if better is None:
        raise SetupError(
            f"Python 3.11, 3.12 or 3.13 is needed and this is {running()}: install one from python.org or your "
            "system's packages and run this again"
        )
    replace([better, str(ROOT / "up.py"), *arguments])


def python_in(venv: Path) -> Path:
    """The environment's own interpreter."""
    return venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def running() -> str:
    """The version of this Python."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def base() -> str:
    """What an environment is made for: in another folder, or for another Python, it must be made anew."""
    return f"{running()} {ROOT}"


def fingerprint(lock: Path) -> str:
    """A line that changes when the lock or the project's own description changes."""
    described = lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    return f"{lock.stem} {hashlib.sha256(described).hexdigest()}"


def read_stamp(venv: Path) -> str:
    """What is installed in an environment; empty where it is missing, half made, or made for something else."""
    stamp = venv / STAMP
    lines = stamp.read_text(encoding="utf-8").splitlines() if stamp.exists() else []
    whole = len(lines) == 2 and lines[0] == base() and lines[1] != INSTALLING and python_in(venv).exists()
    return lines[1] if whole else ""


def write_stamp(venv: Path, installed: str) -> None:
    """Leave word of what is installed."""
    (venv / STAMP).write_text(base() + "\n" + installed + "\n", encoding="utf-8")


def make_venv(venv: Path) -> None:
    """Make the environment, over whatever half of one is there."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        package = f"python{running()}-venv"
        raise SetupError(f"this Python cannot make environments: on Debian or Ubuntu, apt install {package}") from None
    # Started from inside the environment that is about to be cleared, the Python beneath it has to do the work.
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "-m", "venv", "--clear", str(venv)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        reason = done.stdout.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        raise SetupError(f"{venv} cannot be made: {reason[0]} (close what uses it, or remove it)")


def pip(venv: Path, *arguments: str) -> None:
    """Run the environment's pip. Its output goes to a log; a failure comes back as one line."""
    # -I and PIP_USER: a PYTHONPATH, or a pip set to install for the user, would send packages elsewhere.
    command = [str(python_in(venv)), "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    log = venv / LOG
    with log.open("wb") as file:
        environment = dict(os.environ, PIP_USER="0")
        code = subprocess.call([*command, *arguments], stdout=file, stderr=file, cwd=str(ROOT), env=environment)
    if code:
        output = log.read_text(encoding="utf-8", errors="replace")
        raise SetupError(f"{cause(output)} (what pip said is in {log})")


def cause(output: str) -> str:
    """Why pip failed, and how to mend it."""
    for sign, meaning in CAUSES:
        if sign in output:
            return meaning
    errors = [line for line in output.splitlines() if "ERROR" in line]
    return errors[-1] if errors else "the packages could not be installed"


def set_up(venv: Path, lock: Path) -> None:
    """Install a lock and the project. Until that is done, the stamp says that it is not."""
    done, before = fingerprint(lock), read_stamp(venv)
    print(f"Setting up {venv.name} from {lock.name} (the first time takes a minute or two) ...", flush=True)
    if not before:
        make_venv(venv)
    write_stamp(venv, INSTALLING)
    try:
        pip(venv, "--require-hashes", "--only-binary", ":all:", "--requirement", str(lock))
        pip(venv, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    except SetupError:
        write_stamp(venv, before or INSTALLING)  # a pip that fails, and is not killed, leaves things as they were
        raise
    write_stamp(venv, done)


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other set-up works in this folder."""
    with (ROOT / ".venv-lock").open("w") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ensure(purpose: str) -> str:
    """The Python of an environment for this purpose, set up if it is not there or no longer fits."""
    venv = ROOT / (f".venv-{purpose}" if purpose in APART else ".venv")
    lock = ROOT / "requirements" / (purpose + ".txt")
    # Whoever has the test tools has everything that running needs.
    enough = [lock, lock.with_name("test.txt")] if purpose == "run" else [lock]
    with alone():
        if read_stamp(venv) not in [fingerprint(file) for file in enough]:
            set_up(venv, lock)
    return str(python_in(venv))


def replace(command: List[str]) -> NoReturn:
    """Become this command, so that signals and the exit code are its own. Windows cannot, and waits for it instead."""
    sys.stdout.flush()
    if sys.platform != "win32":
        os.execv(command[0], command)
    process = subprocess.Popen(command)
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:  # the child has got it too, and stops in its own time
            continue


def check(python: str) -> int:
    """Run every check, even after one has failed."""
    failures = [command for command in CHECKS if subprocess.call([python, *command])]
    return 1 if failures else 0


def main(arguments: List[str]) -> int:
    """Set up, then do what the first argument says."""
    task = arguments[0] if arguments else ""
    if task in ("-h", "--help"):
        print(__doc__)
        return 0
    require_python(arguments)
    os.chdir(str(ROOT))
    if task == "--setup-only":
        ensure(arguments[1] if arguments[1:] else "run")
        return 0
    if task == "--check":
        return check(ensure("test"))
    if task in TASKS:
        purpose, command = TASKS[task]
        replace([ensure(purpose), *command, *arguments[1:]])
    replace([ensure("run"), "-m", "gateway.cli", "serve", *arguments])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except PermissionError as error:
        sys.exit(
            f"up.py: {error.filename or ROOT} cannot be written: give yourself the right, or use a folder of your own"
        )
    except (SetupError, OSError) as error:
        sys.exit(f"up.py: {error}")
    except KeyboardInterrupt:
        sys.exit("up.py: interrupted; run it again to go on")
