"""Pins the images that others make by digest, in one list for every file that names them.

python deploy/image_digests.py           ask Docker's registry for the digests, write images.lock and the files
python deploy/image_digests.py --check   do the files say what the list says? Say aloud which image has no digest

Standard library only, beside the docker command.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK = HERE / "images.lock"
FILES = ("Dockerfile", "docker-compose.yml")
# What a file starts from: a default of the Dockerfile, or an image that is not built here.
NAMED = re.compile(
    r"(?:^ARG \w+_IMAGE=|\bimage: *)([a-z0-9][\w./-]*:[\w.-]+)(@sha256:[0-9a-f]{64})?[ \t]*$", re.MULTILINE
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# The registry's own answer for all kinds of processor; else what an engine noted when it pulled the image.
QUESTIONS = (
    ("buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}"),
    ("image", "inspect", "--format", '{{join .RepoDigests " "}}'),
)


def locked(folder: Path) -> dict[str, str]:
    """The digest of each image by its tag, empty where none is known."""
    lines = (folder / LOCK.name).read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("@") for line in lines if line and not line.startswith("#"))
    return {tag: digest for tag, _, digest in pairs}


def named(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Each place that names an image: the file, the tag, the digest or nothing."""
    for file in FILES:
        for tag, digest in NAMED.findall((folder / file).read_text(encoding="utf-8")):
            yield file, tag, digest.removeprefix("@")


def ask(tag: str) -> str | None:
    """The image's digest, as the registry or the engine has it; null where neither answers."""
    for question in QUESTIONS:
        try:
            answer = subprocess.run(
                ["docker", *question, tag],  # noqa: S607
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer.returncode == 0 and (found := DIGEST.search(answer.stdout)):
            return found[0]
    return None


def write(folder: Path, digests: dict[str, str]) -> None:
    """Put the digests into the list and into the files."""

    def pinned(tag: str) -> str:
        return f"{tag}@{digests[tag]}" if digests.get(tag) else tag

    file = folder / LOCK.name
    comments = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    file.write_text("\n".join([*comments, *map(pinned, sorted(digests))]) + "\n", encoding="utf-8")
    for name in FILES:
        text = (folder / name).read_text(encoding="utf-8")
        renewed = NAMED.sub(lambda match: match[0].replace("".join(match.groups("")), pinned(match[1])), text)
        (folder / name).write_text(renewed, encoding="utf-8")


def renew(folder: Path) -> int:
    """Ask for every digest; what nobody answers for stays as it is, and is named."""
    digests, silent = locked(folder), []
    for tag in digests:
        if digest := ask(tag):
            digests[tag] = digest
        else:
            silent.append(tag)
    write(folder, digests)
    for tag in silent:
        print(f"No registry and no engine knows a digest of {tag}.", file=sys.stderr)
    return 1 if silent else 0


def check(folder: Path) -> int:
    """Whether files and list agree. An image without a digest is said aloud, and is no failure: it needs a registry."""
    digests, wrong = locked(folder), []
    for file, tag, digest in named(folder):
        if tag not in digests:
            wrong.append(f"deploy/{file}: {tag} is not in deploy/{LOCK.name}")
        elif digest != digests[tag]:
            wrong.append(f"deploy/{file}: {tag} has another digest than in deploy/{LOCK.name}: make image-digests")
    wrong += [
        f"deploy/{LOCK.name}: no file names {tag}" for tag in digests.keys() - {tag for _, tag, _ in named(folder)}
    ]
    for line in wrong:
        print(line, file=sys.stderr)
    if by_tag := [tag for tag, digest in digests.items() if not digest]:
        print(
            f"!!! IMAGES NOT PINNED: {', '.join(by_tag)} by tag alone; `make image-digests` pins them", file=sys.stderr
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(check(HERE) if sys.argv[1:] == ["--check"] else renew(HERE))
