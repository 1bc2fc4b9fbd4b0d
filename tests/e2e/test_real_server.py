"""What the README promises, over a real socket, with the command that people type."""

import json
import shutil
import socket

import httpx
import pytest

from services.staging.settings import SHIPPED
from shared.components import SERVICE_NAMES
from shared.signatures import make_key, sign_package
from tests.e2e.conftest import running, trabecula

RECORD = '{"age": 67, "gender": "female", "weight_kg": 58}'
SCOPES = "assessments:write assessments:read models:read"


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def server(state, tmp_path_factory):
    with running("serve", state=state, log=tmp_path_factory.mktemp("log") / "first.log") as server:
        yield server


@pytest.fixture(scope="module")
def client(server, state):
    made = json.loads(trabecula("create-key", "--name", "ward", "--scopes", SCOPES, "--json", state=state).stdout)
    assert made["id"]
    with httpx.Client(base_url=server.url, headers={"X-API-Key": made["key"]}, timeout=30) as client:
        yield client


def test_the_first_start_says_what_one_needs_to_know(server):
    printed = server.printed()
    assert "First administrator: admin@localhost" in printed
    assert printed.count("Password (shown this once)") == 1
    assert "Self-check on the drawn knee phantom" in printed
    assert "FAILED" not in printed
    assert f"pages {server.url}/" in printed
    assert f"{server.url}/docs" in printed


def test_the_printed_password_signs_in(server):
    password = server.printed().split("Password (shown this once): ")[1].split()[0]
    form = {"username": "admin@localhost", "password": password}
    assert httpx.post(f"{server.url}/v1/tokens", data=form).status_code == 200


def test_one_assessment_over_http(server, client, knee_jpeg):
    answer = client.post("/v1/assessments", files={"image": ("knee.jpg", knee_jpeg)}, data={"clinical": RECORD})
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "complete"
    assert client.get(f"/v1/assessments/{answer.json()['id']}").json() == answer.json()


def test_the_request_id_crosses_the_hop_and_no_record_is_logged(server, client):
    client.post("/v1/assessments", files={"clinical": (None, RECORD)}, headers={"X-Request-ID": "ward-7-0001"})
    # The access line is written after the answer has left: the next answer comes after it.
    client.get("/health/live")
    lines = [json.loads(line) for line in server.printed().splitlines() if line.startswith("{")]
    components = {line["component"] for line in lines if line.get("request_id") == "ward-7-0001"}
    assert components == {"gateway", "clinical", "recommender"}
    assert "female" not in server.printed()


def test_an_upload_over_the_limit_is_a_problem_over_a_socket_too(client):
    answer = client.post("/v1/assessments", files={"image": ("big.jpg", b"\xff\xd8\xff" + bytes(41_000_000))})
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:trabecula:problem:upload-too-large"


def test_the_documentation_loads_nothing_from_elsewhere(client):
    page = client.get("/docs").text
    assert "https://" not in page.replace("https://fastapi", "")
    assert len(client.get("/docs/static/swagger-ui-bundle.js").content) > 500_000
    assert client.get("/", follow_redirects=True).status_code == 200


def test_a_second_start_shows_no_password_and_finds_what_was_stored(tmp_path, knee_jpeg):
    state = tmp_path / "state"
    with running("serve", state=state, log=tmp_path / "one.log") as server:
        key = json.loads(trabecula("create-key", "--name", "w", "--scopes", SCOPES, "--json", state=state).stdout)
        headers = {"X-API-Key": key["key"]}
        made = httpx.post(f"{server.url}/v1/assessments", files={"clinical": (None, RECORD)}, headers=headers).json()
    with running("serve", state=state, log=tmp_path / "two.log") as server:
        assert "Password" not in server.printed()
        assert httpx.get(f"{server.url}/v1/assessments/{made['id']}", headers=headers).json() == made


def test_the_same_over_separate_services(tmp_path, knee_jpeg):
    """Five processes on five sockets give the same answer as one: nothing but settings differs."""
    from contextlib import ExitStack

    state = tmp_path / "state"
    with ExitStack() as stack:
        urls = {
            name: stack.enter_context(running("service", name, state=state, log=tmp_path / f"{name}.log")).url
            for name in SERVICE_NAMES
        }
        assert httpx.get(f"{urls['imaging']}/v1/model").status_code == 401
        services = ",".join(f"{name}={url}" for name, url in urls.items())
        server = stack.enter_context(running("serve", "--services", services, state=state, log=tmp_path / "g.log"))
        key = json.loads(trabecula("create-key", "--name", "w", "--scopes", SCOPES, "--json", state=state).stdout)
        files = {"image": ("knee.jpg", knee_jpeg), "clinical": (None, RECORD)}
        answer = httpx.post(
            f"{server.url}/v1/assessments", files=files, headers={"X-API-Key": key["key"]}, timeout=30
        ).json()
    assert answer["status"] == "complete", answer["warnings"]
    alone = assess_offline(tmp_path, knee_jpeg)
    for part in ("imaging", "staging", "clinical", "recommendation"):
        assert answer[part] == alone[part]


def assess_offline(folder, image):
    (folder / "knee.jpg").write_bytes(image)
    (folder / "record.json").write_text(RECORD)
    done = trabecula(
        "assess", str(folder / "knee.jpg"), "--clinical", str(folder / "record.json"), "--json", state=folder / "none"
    )
    assert done.returncode == 0, done.stderr
    assert not (folder / "none").exists()
    return json.loads(done.stdout)


def one_line(done, *words):
    assert done.returncode == 1, done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0]


def test_a_taken_port_is_one_clear_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        one_line(trabecula("serve", "--port", port, state=tmp_path / "s"), port, "--port", "TRABECULA_PORT")


def test_an_unwritable_state_folder_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    one_line(trabecula("serve", "--port", "0", state=tmp_path / "file"), "state folder", "--state-dir")


def package(models):
    """The shipped staging network as a package of its own version."""
    version = json.loads((SHIPPED / "card.json").read_text())["version"]
    shutil.copytree(SHIPPED, models / "staging" / version)
    signer = make_key(models / "key.pem")
    sign_package(models / "staging" / version, models / "key.pem")
    return {
        "TRABECULA_MODELS": str(models),
        "TRABECULA_MODEL_SIGNERS": f"physics:{signer}",
        "TRABECULA_STAGING_VERSION": version,
    }


def test_a_damaged_model_package_is_one_clear_line(tmp_path):
    settings = package(tmp_path)
    with (tmp_path / "staging" / settings["TRABECULA_STAGING_VERSION"] / "staging.onnx").open("r+b") as network:
        network.seek(5000)
        network.write(b"\x00\x01\x02\x03")
    one_line(trabecula("serve", "--port", "0", state=tmp_path / "s", **settings), "staging.onnx", "damaged", "restore")


def test_a_model_package_of_an_unknown_signer_is_one_clear_line(tmp_path):
    settings = {**package(tmp_path), "TRABECULA_MODEL_SIGNERS": ""}
    one_line(trabecula("serve", "--port", "0", state=tmp_path / "s", **settings), "TRABECULA_MODEL_SIGNERS", "trust")


def test_a_model_version_that_is_not_there_is_one_clear_line(tmp_path):
    settings = package(tmp_path)
    missing = {**settings, "TRABECULA_STAGING_VERSION": "9.9"}
    done = trabecula("serve", "--port", "0", state=tmp_path / "s", **missing)
    one_line(done, "TRABECULA_STAGING_VERSION=9.9", settings["TRABECULA_STAGING_VERSION"])


def test_a_wrong_setting_is_one_clear_line(tmp_path):
    one_line(trabecula("serve", state=tmp_path / "s", TRABECULA_PORT="many"), "TRABECULA_PORT")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create-key", "--name", "x", "--scopes", "everything"), ("everything", "assessments:write")),
        (("create-admin", "--email", "nobody"), ("nobody", "e-mail")),
        (("assess",), ("--clinical",)),
        (("assess", "missing.jpg"), ("missing.jpg", "cannot be read")),
        (("service", "oracle", "--port", "0"), ("oracle", "imaging")),
    ],
)
def test_commands_say_what_is_wrong(tmp_path, arguments, words):
    one_line(trabecula(*arguments, state=tmp_path / "s"), *words)


def test_make_admin_prints_the_password_as_json(tmp_path):
    done = trabecula("create-admin", "--email", "a@clinic.example", "--json", state=tmp_path / "s")
    assert json.loads(done.stdout)["password"]
