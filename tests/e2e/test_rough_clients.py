"""Clients that stall, break off or do not wait: the work is stopped or stored, never half."""

import json
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.e2e.conftest import running, trabecula

SCOPES = "assessments:write assessments:read"
RECORD = '{"age": 67, "gender": "female"}'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    state = tmp_path_factory.mktemp("rough")
    with running("serve", state=state, log=state / "server.log", TRABECULA_UPLOAD_PIECE_S="1") as server:
        made = trabecula("create-key", "--name", "ward", "--scopes", SCOPES, "--json", state=state)
        yield server, json.loads(made.stdout)["key"]


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server[0].url, headers={"X-API-Key": server[1]}, timeout=30) as client:
        yield client


def form(patient):
    request = httpx.Request(
        "POST", "http://gateway/", files={"clinical": (None, RECORD), "patient_number": (None, patient)}
    )
    return request.headers["content-type"], request.read()


def begin(server, patient, share=1.0):
    """A connection on which a request was begun; `share` of its body is sent."""
    url, key = urlsplit(server[0].url), server[1]
    content_type, body = form(patient)
    head = (
        f"POST /v1/assessments HTTP/1.1\r\nHost: {url.netloc}\r\nX-API-Key: {key}\r\nIdempotency-Key: {patient}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection((url.hostname, url.port), timeout=30)
    connection.sendall(head.encode() + body[: int(len(body) * share)])
    return connection


def listed(client, patient):
    return client.get("/v1/assessments", params={"patient_number": patient}).json()["items"]


def test_a_body_that_stalls_is_given_up(server, client):
    with begin(server, "stall", share=0.5) as connection:
        answer = b""
        while piece := connection.recv(65536):  # to the end: the server closes the connection
            answer += piece
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"urn:trabecula:problem:upload-stalled" in answer
    assert listed(client, "stall") == []


def test_a_client_that_breaks_off_leaves_nothing(server, client):
    begin(server, "half", share=0.5).close()
    assert listed(client, "half") == []
    assert '"unforeseen"' not in server[0].printed()


def test_a_client_that_does_not_wait_finds_its_assessment_later(server, client):
    begin(server, "gone").close()
    content_type, body = form("gone")
    headers = {"Content-Type": content_type, "Idempotency-Key": "gone"}
    answer = client.post("/v1/assessments", content=body, headers=headers)
    assert answer.status_code == 201
    assert [item["id"] for item in listed(client, "gone")] == [answer.json()["id"]]
