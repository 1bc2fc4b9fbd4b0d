"""A transaction is taken by a FHIR server of others as it is, and again, and is read back unchanged."""

import copy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.interop.fhir.resource import FHIR_JSON, to_bytes
from gateway.interop.fhir.writing.bundles import bundle_of
from tests.unit.gateway.interop.results import films, result_of, vignettes

pytestmark = pytest.mark.interop

HERE = Path(__file__).parent
PACKAGES = HERE.parents[1] / "build" / "interop"


@pytest.fixture
def server() -> Iterator[httpx.Client]:
    """An empty FHIR server on loopback."""
    node = shutil.which("node")
    assert node, "node is not on this machine (apt install npm)"
    if not (PACKAGES / "node_modules" / "@medplum" / "fhir-router").exists():
        pytest.fail("the FHIR server is not installed: run `make check-interop`")
    command = [node, str(HERE / "fhir-server.mjs"), str(PACKAGES)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        headers = {"Content-Type": FHIR_JSON}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/fhir", headers=headers, timeout=60) as client:
            yield client
        process.terminate()


def pushed(server: httpx.Client, bundle: dict[str, Any]) -> dict[str, Any]:
    answer = server.post("", content=to_bytes(bundle))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def without_version(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource without what every server sets itself."""
    kept = copy.deepcopy(resource)
    for name in ("versionId", "lastUpdated", "author"):
        kept.get("meta", {}).pop(name, None)
    return kept if kept.get("meta") else {name: value for name, value in kept.items() if name != "meta"}


def test_every_result_is_stored_and_read_back_as_it_was(server: httpx.Client) -> None:
    contents = [*vignettes().values(), *films()]
    assert len(contents) > 5
    for content in contents:
        bundle = bundle_of(result_of(content), "transaction")
        answered = pushed(server, bundle)
        assert answered["type"] == "transaction-response"
        assert {entry["response"]["status"] for entry in answered["entry"]} <= {"200", "201"}
        for entry in bundle["entry"]:
            assert entry["request"]["method"] == "PUT"
            read = server.get(entry["request"]["url"])
            assert read.status_code == 200, entry["request"]["url"]
            assert without_version(read.json()) == without_version(entry["resource"])


def test_sent_again_nothing_is_there_twice_and_a_search_finds_it(server: httpx.Client) -> None:
    bundle = bundle_of(result_of(films()[0]), "transaction")
    for _ in range(2):
        pushed(server, bundle)
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    for kind in set(kinds):
        found = server.get(kind, params={"_count": 100, "_total": "accurate"}).json()
        assert len(found["entry"]) == kinds.count(kind), kind
    [report] = [
        entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "DiagnosticReport"
    ]
    found = server.get("Observation", params={"subject": report["subject"]["reference"]}).json()
    assert len(found["entry"]) == kinds.count("Observation")


def test_the_server_is_none_that_takes_everything(server: httpx.Client) -> None:
    bundle = copy.deepcopy(bundle_of(result_of(films()[0]), "transaction"))
    bundle["entry"][0]["resource"]["nonsense"] = "x"
    answer = server.post("", content=to_bytes(bundle))
    refused = [entry["response"]["status"] for entry in answer.json().get("entry", [])]
    assert answer.status_code >= 400 or any(status.startswith("4") for status in refused)
