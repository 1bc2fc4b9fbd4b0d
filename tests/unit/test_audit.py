"""Locked packages are looked up by the real pip-audit, in a list that a server of the test's own has."""

import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
FLAW = {
    "id": "OSV-2026-1", "summary": "s", "details": "d", "modified": "2026-01-01T00:00:00Z",
    "affected": [{"package": {"name": "holey", "ecosystem": "PyPI"},
                  "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}]}],
}  # fmt: skip


@pytest.fixture(scope="module")
def audit():
    spec = importlib.util.spec_from_file_location("audit", REQUIREMENTS / "audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def known_flaws() -> Iterator[tuple[str, list[str]]]:
    """A list that knows a flaw of one package; the address of it, and the names that were asked for."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(question["package"]["name"])
            answer = json.dumps({"vulns": [FLAW]} if asked[-1] == "holey" else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
    finally:
        server.shutdown()
        server.server_close()


def lock(folder, *packages):
    file = folder / "lock.txt"
    file.write_text("".join(f"{package} \\\n    --hash=sha256:{'a' * 64}\n" for package in packages))
    return file


def test_a_package_with_a_known_flaw_fails_and_is_named_with_the_cure(audit, tmp_path, capsys):
    with known_flaws() as (url, asked):
        assert audit.main(["--osv-url", url], [lock(tmp_path, "holey==1.0", "sound==2.0")]) == 1
    assert sorted(asked) == ["holey", "sound"]
    assert "holey 1.0: OSV-2026-1, mended in 1.1" in capsys.readouterr().err


def test_a_flaw_that_does_not_concern_the_project_is_passed_over_by_its_name(audit, tmp_path, capsys):
    with known_flaws() as (url, _):
        assert audit.main(["--osv-url", url, "--ignore-vuln", "OSV-2026-1"], [lock(tmp_path, "holey==1.0")]) == 0
    assert "1 locked packages looked up, 0 known" in capsys.readouterr().out


@pytest.mark.parametrize(("strict", "code"), [("", 0), ("1", 1)])
def test_a_list_that_cannot_be_reached_is_said_aloud(audit, tmp_path, capsys, monkeypatch, strict, code):
    monkeypatch.setenv(audit.STRICT, strict)
    assert audit.main(["--osv-url", "http://127.0.0.1:9/v1/query"], [lock(tmp_path, "sound==2.0")]) == code
    assert "!!! PACKAGES NOT AUDITED" in capsys.readouterr().err


def test_every_package_of_every_lock_is_asked_for_once_in_each_of_its_versions(audit, tmp_path):
    locks = sorted(REQUIREMENTS.glob("*.txt"))
    pins = audit.locked(locks)
    lines = {line.split()[0].split(";")[0] for lock in locks for line in lock.read_text().splitlines() if "==" in line}
    assert {f"{name}=={version}" for name, version in pins} == {line for line in lines if not line.startswith("#")}
    parts = audit.without_repetition(pins)
    assert sum(map(len, parts)) == len(pins)
    assert ("colorama" in parts[0]) == any("colorama==" in line for line in lines), "other systems' packages too"
    with known_flaws() as (url, asked):
        assert audit.main(["--osv-url", url], locks) == 0
    assert sorted(asked) == sorted(name for name, _ in pins)
