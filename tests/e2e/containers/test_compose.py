"""The compose file on a real engine: one door, TLS, an assessment through it, and healing after each loss."""

import json
import subprocess

import httpx
import pytest

from gateway.settings import GatewaySettings
from shared.components import SERVICE_NAMES
from tests.e2e.containers.conftest import until

pytestmark = [pytest.mark.containers, pytest.mark.slow]
RECORD = '{"age": 67, "gender": "female", "weight_kg": 58}'
EVERY = ("edge", "gateway", "database", *SERVICE_NAMES)
HEALED_S = 20
UNWANTED = ("pip", "tensorflow", "sklearn", "pytest", "gateway")
# What kills all but the first process, which then ends: a crash, and not an operator's stop.
CRASH = "import os; [os.kill(int(p), 9) for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())]"


@pytest.fixture
def assess(client, knee_jpeg):
    def assess():
        return client.post("/v1/assessments", files={"image": ("knee.jpg", knee_jpeg)}, data={"clinical": RECORD})

    return assess


def complete(assess):
    try:
        answer = assess()
    except httpx.HTTPError:
        return False
    return answer.status_code == 201 and answer.json()["status"] == "complete"


def test_an_assessment_through_the_edge_over_tls(client, assess):
    made = assess()
    assert made.status_code == 201, made.text
    assert made.json()["status"] == "complete", made.json()["warnings"]
    assert client.get(f"/v1/assessments/{made.json()['id']}").json()["id"] == made.json()["id"]


def test_the_first_administrator_signs_in_with_the_password_of_the_secrets(stack, client):
    password = (stack.folder / "secrets" / "trabecula_first_admin_password").read_text()
    form = {"username": "admin@localhost", "password": password}
    assert client.post("/v1/tokens", data=form).status_code == 200
    logs = b"".join(stack.container(name).logs() for name in (*EVERY, "migrate"))
    assert password.encode() not in logs


def test_the_edge_keeps_the_metrics_in_and_sends_http_to_https(stack, client):
    refused = client.get("/metrics")
    assert (refused.status_code, refused.json()["type"]) == (404, "urn:trabecula:problem:not-found")
    plain = httpx.get(f"http://localhost:{stack.settings['TRABECULA_HTTP_PORT']}/docs")
    assert plain.status_code == 308
    assert plain.headers["location"].startswith("https://localhost")
    with pytest.raises(httpx.ConnectError):
        httpx.get(stack.url)  # the installation's own authority is not trusted by who was not told to


def test_the_gateway_sees_who_calls_and_not_what_they_claim(stack, client):
    """So many attempts a minute for one address: claiming another one each time does not get round it."""
    most = GatewaySettings.model_fields["logins_per_address_per_minute"].default
    answers = [
        client.post(
            "/v1/tokens", data={"username": f"nobody{number}@clinic.example", "password": "wrong"},
            headers={"X-Forwarded-For": f"192.0.2.{number}"},
        ).status_code
        for number in range(2 * most)
    ]  # fmt: skip
    assert 429 in answers


IN_THE_GATEWAY = """
import sys, psycopg
url = open('/run/secrets/trabecula_database_url').read().replace('+psycopg', '')
with psycopg.connect(url, autocommit=True) as connection:
    print(connection.execute("SELECT current_user, version()").fetchone())
    for statement in sys.argv[1:]:
        try:
            connection.execute(statement)
            print("DONE", statement)
        except psycopg.Error as error:
            print("refused", error)
"""


def test_who_came_into_the_gateway_cannot_change_the_audit_trail(stack, assess):
    assert assess().status_code == 201
    attacks = [
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DROP TABLE audit",
        "ALTER TABLE audit DISABLE TRIGGER USER",
        "SET ROLE trabecula_owner",
        "COPY audit TO PROGRAM 'cat'",
    ]
    code, output = stack.container("gateway").exec_run(["python", "-c", IN_THE_GATEWAY, *attacks])
    assert code == 0, output
    first, *answers = output.decode().splitlines()
    assert "trabecula_gateway" in first
    assert len([line for line in answers if line.startswith("refused")]) == len(attacks)
    assert "DONE" not in output.decode()
    # What it does need, from the erasure's overwriting on, it may.
    code, output = stack.container("gateway").exec_run(["python", "-c", IN_THE_GATEWAY, "VACUUM (FULL) patients"])
    assert (code, b"DONE VACUUM" in output, b"permission denied" in output) == (0, True, False), output
    assert json.loads(stack.gateway("audit", "verify", "--json"))["ok"]


def test_nobody_signs_in_to_the_database_as_its_superuser(stack):
    password = (stack.folder / "secrets" / "postgres_password").read_text()
    url = f"postgresql://trabecula:{password}@database:5432/trabecula"
    code, output = stack.container("gateway").exec_run(["python", "-c", f"import psycopg; psycopg.connect({url!r})"])
    assert code != 0
    assert b"password authentication failed" in output


def test_a_renewed_data_secret_and_renewed_passwords_lose_nothing(stack, client, assess):
    made = assess().json()["id"]
    make = ["python3", str(stack.folder / "make_secrets.py"), "--renew"]
    for name in ("trabecula_data_secret", "database_gateway_password", "database_owner_password"):
        subprocess.run([*make, name], check=True, capture_output=True)
    stack.compose("up", "--detach", "--wait", "--force-recreate", "database", "migrate", "gateway")
    assert json.loads(stack.gateway("rewrap", "--json"))["left"] == 0
    (stack.folder / "secrets" / "trabecula_other_data_secret").chmod(0o644)
    (stack.folder / "secrets" / "trabecula_other_data_secret").write_text("none")
    stack.compose("up", "--detach", "--wait", "--force-recreate", "gateway")
    until(lambda: complete(assess), 30, "an assessment after the renewal")
    assert client.get(f"/v1/assessments/{made}").status_code == 200


def test_only_the_edge_publishes_a_port(stack):
    published = {name: stack.container(name).attrs["HostConfig"]["PortBindings"] or {} for name in EVERY}
    assert {name for name, ports in published.items() if ports} == {"edge"}


@pytest.mark.parametrize("name", EVERY)
def test_a_container_has_no_more_than_it_needs(stack, name):
    about = stack.container(name).attrs
    host = about["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["PidsLimit"] > 0
    assert host["LogConfig"]["Config"]["max-size"]
    code, user = stack.container(name).exec_run(["id", "-u"])
    assert code == 0
    assert user.strip() != b"0"


def test_the_whole_may_use_no_more_than_two_and_a_half_gigabytes(stack):
    """Of which imaging and staging may each take two decodings of 256 MB beside their networks."""
    assert sum(stack.container(name).attrs["HostConfig"]["Memory"] for name in EVERY) < 2.5e9


def test_no_image_carries_training_tests_or_a_build_tool(stack):
    for name in SERVICE_NAMES:
        look = f"import importlib.util as u; print([m for m in {UNWANTED} if u.find_spec(m)])"
        assert stack.container(name).exec_run(["python", "-c", look])[1].strip() == b"[]"
        find = "import pathlib; print([str(p) for p in pathlib.Path('/app').glob('s*/**/training')])"
        assert stack.container(name).exec_run(["python", "-c", find])[1].strip() == b"[]"


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_a_killed_service_is_named_meanwhile_and_full_answers_return(stack, assess, name):
    container = stack.container(name)
    container.kill()
    answer = assess()
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "partial"
    assert name in {warning["component"] for warning in answer.json()["warnings"]}
    container.start()
    took = until(lambda: complete(assess), HEALED_S, f"full answers after the return of {name}")
    print(f"\n{name}: full answers {took:.1f} s after its return")


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_a_crashed_service_comes_back_by_itself(stack, assess, name):
    stack.container(name).exec_run(["python", "-c", CRASH])
    until(lambda: stack.container(name).attrs["RestartCount"] > 0, 60, f"the engine starts {name} again")
    until(lambda: complete(assess), 60, f"full answers after {name} crashed")


@pytest.mark.parametrize("name", ["edge", "gateway", "database"])
def test_what_everything_needs_comes_back_too(stack, client, assess, name):
    kept = assess().json()["id"]
    container = stack.container(name)
    container.kill()
    container.start()
    took = until(lambda: complete(assess), 60, f"full answers after the return of {name}")
    print(f"\n{name}: full answers {took:.1f} s after its return")
    assert client.get(f"/v1/assessments/{kept}").json()["id"] == kept


def test_the_edge_says_in_its_own_words_that_the_gateway_is_gone(stack, client, assess):
    stack.container("gateway").stop(timeout=5)
    answer = client.get("/health/ready")
    assert answer.status_code >= 500
    assert answer.json()["type"] == "urn:trabecula:problem:service-unavailable"
    stack.container("gateway").start()
    until(lambda: complete(assess), 60, "full answers after the gateway's return")


def test_a_second_start_changes_nothing(stack, client, assess):
    mine = assess().json()["id"]
    stack.up()
    assert client.get(f"/v1/assessments/{mine}").json()["id"] == mine
