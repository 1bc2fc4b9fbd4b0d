"""Images of others are pinned in one list, which every file that names one agrees with."""

import importlib.util
import re
import shutil
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[3] / "deploy"
DIGEST = "sha256:" + "5f" * 32


@pytest.fixture(scope="module")
def image_digests():
    spec = importlib.util.spec_from_file_location("image_digests", DEPLOY / "image_digests.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def deploy(image_digests, tmp_path):
    """The project's own files, to be changed."""
    for name in (*image_digests.FILES, "images.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(DEPLOY / name, tmp_path / name)
    # Whatever is pinned by now, these tests begin without.
    image_digests.write(tmp_path, dict.fromkeys(image_digests.locked(tmp_path), ""))
    return tmp_path


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """A docker command that answers as the real one does: of one image nobody knows a digest."""
    folder = tmp_path / "bin"
    folder.mkdir()
    answer = f"""#!{sys.executable}
import sys
asked = " ".join(sys.argv[1:])
if "python:3.13-slim-trixie" in asked or "buildx" in asked and "caddy:2" in asked:
    sys.exit("no such manifest")
print("{DIGEST}" if "buildx" in asked else "caddy@{DIGEST}")
"""
    (folder / "docker").write_text(answer)
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}")


def test_the_projects_own_files_agree_with_its_list(image_digests, capsys):
    assert image_digests.check(DEPLOY) == 0
    unpinned = [tag for tag, digest in image_digests.locked(DEPLOY).items() if not digest]
    assert ("NOT PINNED" in capsys.readouterr().err) == bool(unpinned)


def test_every_image_of_others_is_found(image_digests):
    """Not by the program's own pattern: every line that names an image, and is no variable of the site's."""
    lines = [line.strip() for name in image_digests.FILES for line in (DEPLOY / name).read_text().splitlines()]
    named = [line for line in lines if re.match(r"(image: |ARG .*IMAGE=)", line) and "${" not in line]
    assert len(named) == len(list(image_digests.named(DEPLOY))) >= 6


def test_digests_are_asked_for_and_written_into_every_file(image_digests, deploy, docker, capsys):
    assert image_digests.renew(deploy) == 1, "of one image nobody knows it"
    assert "python:3.13-slim-trixie" in capsys.readouterr().err
    assert f"ARG POSTGRES_IMAGE=postgres:17-trixie@{DIGEST}\n" in (deploy / "Dockerfile").read_text()
    assert f"image: grafana/grafana:12.1.1@{DIGEST}\n" in (deploy / "docker-compose.yml").read_text()
    assert f"ARG CADDY_IMAGE=caddy:2@{DIGEST}\n" in (deploy / "Dockerfile").read_text(), "what the engine pulled"
    assert "ARG PYTHON_IMAGE=python:3.13-slim-trixie\n" in (deploy / "Dockerfile").read_text()
    assert image_digests.check(deploy) == 0
    assert "NOT PINNED: python:3.13-slim-trixie by tag" in capsys.readouterr().err
    before = [(deploy / name).read_text() for name in image_digests.FILES]
    image_digests.renew(deploy)
    assert [(deploy / name).read_text() for name in image_digests.FILES] == before


@pytest.mark.parametrize(
    ("file", "old", "new", "word"),
    [
        ("Dockerfile", "caddy:2", "caddy:2.10", "caddy:2.10 is not in"),
        ("docker-compose.yml", "prom/prometheus:v3.5.0", f"prom/prometheus:v3.5.0@{DIGEST}", "another digest"),
        ("images.lock", "caddy:2", "caddy:2\nredis:8", "no file names redis:8"),
    ],
)
def test_a_file_that_says_something_else_is_named(image_digests, deploy, capsys, file, old, new, word):
    (deploy / file).write_text((deploy / file).read_text().replace(old, new))
    assert image_digests.check(deploy) == 1
    assert word in capsys.readouterr().err
