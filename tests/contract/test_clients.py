"""What is made of the OpenAPI document is up to date."""

import json

import pytest

from clients.generate import METHODS, WRITTEN, document, operations


@pytest.fixture(scope="module")
def described():
    return document()


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_what_is_made_of_the_document_is_up_to_date(file, described):
    renewal = "`.venv/bin/python -m clients.generate` renews it"
    assert file.read_text(encoding="utf-8") == WRITTEN[file](described), renewal


def test_the_client_has_every_operation_but_streams_and_fhir(described):
    listed = {f"{method} {path}" for path, found in described["paths"].items() for method in METHODS if method in found}
    made = {f"{method} {path}" for path, method, _ in operations(described)}
    assert listed - made == {one for one in listed if " /fhir/" in one or one.endswith("{batch_id}/events")}


def test_the_collection_has_every_operation(described):
    collection = json.loads(next(file for file in WRITTEN if file.name == "postman.json").read_text(encoding="utf-8"))
    requests = [item for folder in collection["item"] for item in folder["item"]]
    listed = [method for found in described["paths"].values() for method in found if method in METHODS]
    assert len(requests) == len(listed)
    assert {"url", "key"} == {variable["key"] for variable in collection["variable"]}
