"""HL7's own schema and two libraries of npm find no error in what is written, and find those that are put into it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema.validators import validator_for

from gateway.interop.fhir.conformance import capability_statement, code_system
from gateway.interop.fhir.outcome import from_problem
from gateway.interop.fhir.reading.explanation import as_parameters
from gateway.interop.fhir.resource import to_bytes
from gateway.interop.fhir.writing.bundles import BundleType, bundle_of, resources_of, searchset
from tests.unit.gateway.interop.results import ROOT, films, result_of, vignettes
from tests.unit.gateway.interop.sent import bundle, condition, mapped, observation

pytestmark = pytest.mark.interop

HERE = Path(__file__).parent
PACKAGES = HERE.parents[1] / "build" / "interop"
SCHEMA = PACKAGES / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4" / "fhir.schema.json"
KINDS: tuple[BundleType, ...] = get_args(BundleType)


def written() -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that the gateway can answer with, by a name."""
    contents = [*vignettes().values(), *films()]
    for number, content in enumerate(contents):
        for kind in KINDS:
            yield f"{number}-{kind}", bundle_of(result_of(content), kind)
    found = resources_of(result_of(contents[0])).all
    yield "search", searchset(f"{ROOT}/fhir", found, {"self": f"{ROOT}/fhir/DiagnosticReport"}, None)
    yield "capability", capability_statement(f"{ROOT}/fhir", "0.1.0")
    yield "codes", code_system()
    yield "map", as_parameters(mapped(observation("29463-7", 58), condition("M81.0")))
    problem = {"type": "urn:trabecula:problem:not-found", "title": "Nothing", "status": 404, "detail": "Nothing here."}
    yield "outcome", from_problem(problem)
    yield "sent", bundle(observation("29463-7", 58), condition("M81.0"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not SCHEMA.exists():
        pytest.fail("the validators are not installed: run `make check-interop`")
    place = tmp_path_factory.mktemp("fhir")
    for name, resource in written():
        (place / f"{name}.json").write_bytes(to_bytes(resource))
    return place


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return found


def schema_errors(schema: dict[str, Any], whole: dict[str, Any]) -> list[str]:
    """By HL7's schema; each resource by the definition of its own type, which says more than "one of all"."""
    parts = [entry["resource"] for entry in whole.get("entry", [])]
    entries = [{name: part for name, part in entry.items() if name != "resource"} for entry in whole.get("entry", [])]
    found = []
    for resource in [*parts, {**whole, "entry": entries} if parts else whole]:
        one = {"$ref": f"#/definitions/{resource['resourceType']}", "definitions": schema["definitions"]}
        for error in validator_for(schema)(one).iter_errors(resource):
            found.append(f"{resource['resourceType']} {list(error.absolute_path)}: {error.message[:200]}")
    return found


def npm_errors(place: Path) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node")
    assert node, "node is not on this machine (apt install npm)"
    command = [node, str(HERE / "validate.mjs"), str(place), str(PACKAGES)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_the_schema_of_hl7_finds_no_error(folder: Path, schema: dict[str, Any]) -> None:
    for file in sorted(folder.glob("*.json")):
        assert schema_errors(schema, json.loads(file.read_bytes())) == [], file.name


def test_two_libraries_find_no_error(folder: Path) -> None:
    done = npm_errors(folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert int(done.stdout.split()[-4]) > 4000


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("DiagnosticReport", {"status": "finalx"}),
        ("Observation", {"code": None}),
        ("RiskAssessment", {"subject": None}),
        ("CarePlan", {"invented": 1}),
        ("Provenance", {"target": []}),
    ],
)
def test_each_of_them_finds_an_error_that_is_put_in(
    kind: str, change: dict[str, Any], schema: dict[str, Any], tmp_path: Path
) -> None:
    whole = bundle_of(result_of(films()[0]), "collection")
    broken = next(entry for entry in whole["entry"] if entry["resource"]["resourceType"] == kind)
    changed = {**broken["resource"], **change}
    broken["resource"] = {name: value for name, value in changed.items() if value is not None}
    (tmp_path / "broken.json").write_bytes(to_bytes(whole))
    assert npm_errors(tmp_path).returncode == 1
    assert schema_errors(schema, whole) or kind in ("Observation", "RiskAssessment", "Provenance")
