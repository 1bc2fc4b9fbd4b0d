"""Sets Trabecula up and starts it, on Linux, macOS and Windows, with Python 3.11 to 3.13 and nothing else.

python up.py [OPTIONS OF `trabecula serve`]   set up what is missing, then serve
python up.py --setup-only                     set up, start nothing
python up.py --test [PYTEST ARGUMENTS]        set up with the test tools, run the tests
python up.py --check                          format, lint, types, import rules, dependencies
python up.py --bench [ARGUMENTS]              run the benchmarks
python up.py --lock [--upgrade]               renew requirements/*.txt
python up.py --training MODULE [ARGUMENTS]    run a training module, with TensorFlow, in .venv-training

The set-up makes .venv, installs the locked packages and the project in it, and leaves a stamp there. As long as the
stamp fits, the set-up is skipped, so a second start is quick and needs no network.
"""

# Old Pythons must be able to read this file, to be told that they are too old: hence typing.List and no `match`.
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, NoReturn, Optional

ROOT = Path(__file__).resolve().parent
OLDEST, NEWEST = (3, 11), (3, 13)
WINDOWS = os.name == "nt"
STAMP, LOG = "trabecula-stamp", "trabecula-setup.log"
INSTALLING = "a set-up was interrupted"
CHECKS = (
    ["-m", "ruff", "format", "--check", "."],
    ["-m", "ruff", "check", "."],
    ["-m", "mypy"],
    ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    ["-m", "deptry", "."],
)
# What a failed pip says, and what that means for the person who reads it.
CAUSES = (
    ("No space left on device", "the disk is full; free some space and run this again"),
    ("DO NOT MATCH THE HASHES", "a downloaded package differs from the lock; is a proxy rewriting it?"),
    ("CERTIFICATE_VERIFY_FAILED", "the package index's certificate is not trusted here; set PIP_CERT to your proxy's"),
    ("Retrying (Retry", "no network: the first set-up downloads packages; connect, or point pip at a mirror"),
    ("Permission denied", "the folder cannot be written to; see its owner and permissions"),
)


class SetupError(Exception):
    """What stopped the set-up, in one line that also says how to mend it."""


# --- Which Python -----------------------------------------------------------------------------------------------------


def fits(version: "tuple") -> bool:
    """Whether the locked packages exist for this version of Python."""
    return OLDEST <= tuple(version[:2]) <= NEWEST


def candidates() -> List[List[str]]:
    """The commands under which a fitting Python may be found, the most tried version first."""
    names = ["3.12", "3.13", "3.11"]
    if WINDOWS:
        return [["py", "-" + name] for name in names]
    return [["python" + name] for name in names]


def other_python() -> Optional[str]:
    """The path of another Python on this machine that fits. A name on the PATH may be a stub, so each is asked."""
    question = "import sys; print(sys.executable if (%r <= sys.version_info[:2] <= %r) else '')" % (OLDEST, NEWEST)
    for command in candidates():
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "-c", question], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            answer = asked.stdout.decode().strip()
            if asked.returncode == 0 and answer:
                return answer
    return None


def require_python(arguments: List[str]) -> None:
    """Return where this Python fits; otherwise start again with one that does."""
    if fits(sys.version_info):
        return
    better = other_python()
    if better is None:
        raise SetupError("Python 3.11, 3.12 or 3.13 is needed, this is %d.%d; install one from python.org or your "
                         "system's packages and run this again" % sys.version_info[:2])
    replace([better, str(ROOT / "up.py"), *arguments])


# --- The environment --------------------------------------------------------------------------------------------------


def python_in(venv: Path) -> Path:
    """The environment's own interpreter."""
    return venv / ("Scripts/python.exe" if WINDOWS else "bin/python")


def base_of(root: Path = ROOT) -> str:
    """What an environment is made for: moved to another folder or under another Python it must be made anew."""
    return "%d.%d %s" % (*sys.version_info[:2], root)


def fingerprint(lock: Path) -> str:
    """One line that changes when the lock or the project's own description changes."""
    digest = hashlib.sha256()
    for file in (lock, lock.parent.parent / "pyproject.toml"):
        digest.update(file.read_bytes())
    return "%s %s" % (lock.stem, digest.hexdigest())


def read_stamp(venv: Path) -> List[str]:
    """The stamp's two lines: what the environment was made for, and what is installed in it."""
    try:
        lines = (venv / STAMP).read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return lines if len(lines) == 2 else ["", ""]


def write_stamp(venv: Path, installed: str) -> None:
    """Leave the stamp."""
    (venv / STAMP).write_text(base_of() + "\n" + installed + "\n", encoding="utf-8")


def usable(venv: Path) -> bool:
    """Whether packages can be added to this environment: it was finished once, for this folder and this Python."""
    base, installed = read_stamp(venv)
    return base == base_of() and installed != INSTALLING and python_in(venv).exists()


def satisfied(venv: Path, locks: List[Path]) -> bool:
    """Whether one of these locks is installed already, unchanged since."""
    return usable(venv) and read_stamp(venv)[1] in [fingerprint(lock) for lock in locks]


def make_venv(venv: Path) -> None:
    """Make the environment, over whatever half of one is there."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        raise SetupError("this Python cannot make environments; on Debian or Ubuntu: sudo apt install python%d.%d-venv"
                         % sys.version_info[:2]) from None
    # Run from inside the environment that is about to be cleared, the Python beneath it has to do the work.
    python = getattr(sys, "_base_executable", sys.executable)
    made = subprocess.run([python, "-m", "venv", "--clear", str(venv)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        last = made.stdout.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        raise SetupError("%s cannot be made: %s (close what uses it, or remove the folder)" % (venv, last[0]))


def pip(venv: Path, *arguments: str) -> None:
    """Run the environment's pip; its words go to a log beside the stamp, a failure comes back as one line."""
    log = venv / LOG
    # -I and PIP_USER: a PYTHONPATH or a pip set to install for the user would send packages elsewhere.
    command = [str(python_in(venv)), "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments]
    with log.open("ab") as file:
        code = subprocess.call(command, stdout=file, stderr=file, cwd=str(ROOT), env=dict(os.environ, PIP_USER="0"))
    if code:
        raise SetupError("%s (all that pip said: %s)" % (cause(log.read_text(encoding="utf-8", errors="replace")), log))


def cause(log: str) -> str:
    """Why pip failed, in words that help."""
    for sign, meaning in CAUSES:
        if sign in log:
            return meaning
    errors = [line for line in log.splitlines() if "ERROR" in line]
    return errors[-1] if errors else "the packages could not be installed"


def set_up(venv: Path, lock: Path) -> None:
    """Install a lock and the project in the environment. Until it is done, the stamp says that it is not."""
    before = read_stamp(venv)[1] if usable(venv) else ""
    print("Setting up %s from %s (the first time takes a minute or two) ..." % (venv.name, lock.name), flush=True)
    if not before:
        make_venv(venv)
    (venv / LOG).unlink() if (venv / LOG).exists() else None
    write_stamp(venv, INSTALLING)
    try:
        pip(venv, "--require-hashes", "--only-binary", ":all:", "--requirement", str(lock))
        pip(venv, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    except SetupError:
        write_stamp(venv, before or INSTALLING)  # a pip that fails, rather than is killed, leaves things as they were
        raise
    write_stamp(venv, fingerprint(lock))


def ensure(purpose: str) -> Path:
    """An environment for this purpose, set up if it is not there or no longer fits. Returns its Python."""
    venv = ROOT / (".venv-training" if purpose == "training" else ".venv")
    lock = ROOT / "requirements" / (purpose + ".txt")
    # Whoever has the test tools has everything that running needs.
    enough = [lock, lock.with_name("test.txt")] if purpose == "run" else [lock]
    if not satisfied(venv, enough):
        set_up(venv, lock)
    return python_in(venv)


# --- What to do then --------------------------------------------------------------------------------------------------


def replace(command: List[str]) -> NoReturn:
    """Become this command, so that signals and the exit code are its own. Windows cannot, and waits for it instead."""
    sys.stdout.flush()
    if not WINDOWS:
        os.execv(command[0], command)
    process = subprocess.Popen(command)
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:  # the child has got it too, and stops in its own time
            continue


def check(python: Path) -> int:
    """Run every check, even after one has failed."""
    return max([subprocess.call([str(python), *command], cwd=str(ROOT)) != 0 for command in CHECKS])


def main(arguments: List[str]) -> int:
    """Set up, then do what the first argument says."""
    task, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if task in ("-h", "--help"):
        print(__doc__)
        return 0
    require_python(arguments)
    os.chdir(str(ROOT))
    if task == "--setup-only":
        ensure("run")
        return 0
    if task == "--check":
        return check(ensure("test"))
    if task == "--test":
        replace([str(ensure("test")), "-m", "pytest", *rest])
    if task == "--bench":
        replace([str(ensure("test")), "-m", "bench", *rest])
    if task == "--lock":
        replace([str(ensure("test")), "requirements/lock.py", *rest])
    if task == "--training":
        replace([str(ensure("training")), "-m", *rest])
    replace([str(ensure("run")), "-m", "gateway.cli", "serve", *arguments])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SetupError, OSError) as error:
        sys.exit("up.py: %s" % error)
    except KeyboardInterrupt:
        sys.exit("up.py: interrupted; run it again to go on")
