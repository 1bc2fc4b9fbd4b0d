"""Two linters find no error in the OpenAPI document, and TypeScript compiles the types that are made of it."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app

pytestmark = pytest.mark.openapi

HERE = Path(__file__).parent
BIN = HERE.parents[1] / "build" / "openapi" / "node_modules" / ".bin"
# Uses what is made of the document as an integrator would: it does not compile where a name or a type changed.
USE = """
import type { components, operations, paths } from "./trabecula";

type Assessment = components["schemas"]["Assessment"];
const answer = {} as operations["get_assessment"]["responses"][200]["content"]["application/json"];
const same: Assessment = answer;
const status: "complete" | "partial" = same.status;
const made: paths["/v1/assessments"]["post"]["responses"][201]["content"]["application/json"] = same;
const query: operations["list_assessments"]["parameters"]["query"] = { fields: "brief", status: "partial" };
const record: components["schemas"]["ClinicalRecord"] = { age: 67, gender: "female" };
export { made, query, record, status };
"""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (BIN / "spectral").exists():
        pytest.fail("the linters are not installed: run `make check-openapi`")
    file = tmp_path_factory.mktemp("openapi") / "openapi.json"
    file.write_text(CliRunner().invoke(app, ["export-openapi"], catch_exceptions=False).stdout, encoding="utf-8")
    return file


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    # Redocly would tell its makers that it runs, and look for a newer version.
    quiet = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, env=quiet, timeout=300)


def test_spectral_finds_no_error(document: Path) -> None:
    done = run(BIN / "spectral", "lint", document, "--ruleset", HERE / "spectral.yaml", "--fail-severity", "error")
    assert done.returncode == 0, done.stdout[-4000:]


def test_redocly_finds_no_error(document: Path) -> None:
    done = run(BIN / "redocly", "lint", document, "--extends", "recommended", "--format", "stylish")
    assert done.returncode == 0, done.stdout[-4000:]


def test_both_find_an_error_that_is_put_in(document: Path, tmp_path: Path) -> None:
    broken = json.loads(document.read_text(encoding="utf-8"))
    broken["paths"]["/v1/models"]["get"]["responses"] = {}
    broken["info"].pop("title")
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(broken), encoding="utf-8")
    for command in (("spectral", "lint", file, "--ruleset", HERE / "spectral.yaml"), ("redocly", "lint", file)):
        assert run(BIN / command[0], *command[1:]).returncode != 0, command[0]


def test_typescript_compiles_what_is_made_of_it(document: Path, tmp_path: Path) -> None:
    # A field with a default may be left out of a record; without this it would have to be sent.
    options = ("--default-non-nullable=false", "--output", tmp_path / "trabecula.d.ts")
    made = run(BIN / "openapi-typescript", document, *options)
    assert made.returncode == 0, made.stderr
    (tmp_path / "use.ts").write_text(USE, encoding="utf-8")
    checks = ("--noEmit", "--strict", "--skipLibCheck", "false", "--target", "es2022", "--moduleResolution", "bundler")
    done = run(BIN / "tsc", *checks, "--module", "esnext", tmp_path / "use.ts")
    assert done.returncode == 0, done.stdout
