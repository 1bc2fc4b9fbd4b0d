"""The audit trail on a site's log server, a real rsyslog: every line, in order, over each kind of connection."""

import asyncio
import json
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from functools import partial

import pytest
from prometheus_client import CollectorRegistry, Gauge
from pydantic import SecretStr, ValidationError
from sqlalchemy import select

from gateway.assessing.administration import prepare
from gateway.cli.check import check
from gateway.platform import audit_stream
from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.audit_head import HeadNotes
from gateway.platform.audit_stream import AuditStream
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import AuditStreamRow
from gateway.platform.encryption import installation_key
from gateway.platform.syslog import NotDelivered, Syslog, SyslogMessage
from gateway.settings import GatewaySettings
from tests.conftest import open_gateway, shared_services

RSYSLOG = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")
CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="64k" {tls})
module(load="imudp")
module(load="imtcp" StreamDriver.Name="{driver}" StreamDriver.Mode="{mode}" StreamDriver.AuthMode="anon")
template(name="whole" type="string" string="%pri% %msgid% %structured-data% %msg%\\n")
ruleset(name="write") {{ action(type="omfile" file="{folder}/lines" template="whole") }}
input(type="imudp" address="127.0.0.1" port="{port}" ruleset="write")
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="write")
"""


SCHEMES = ("tcp", "tls", "udp")
only = partial(pytest.mark.parametrize, "server", indirect=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate(folder, name="localhost"):
    """A certificate of its own authority."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
         f"subjectAltName=DNS:{name}", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem"


class LogServer:
    def __init__(self, folder, port, scheme):
        self.folder, self.port, self.scheme = folder, port, scheme

    @property
    def url(self):
        return f"{self.scheme}://localhost:{self.port}"

    @contextmanager
    def running(self):
        tls = self.scheme == "tls"
        files = {name: self.folder / f"{name}.pem" for name in ("cert", "key")}
        text = CONFIGURATION.format(
            folder=self.folder, port=self.port, driver="gtls" if tls else "ptcp", mode=int(tls),
            tls="".join(
                f'defaultNetstreamDriver{part}="{files[name]}" '
                for part, name in (("CAFile", "cert"), ("CertFile", "cert"), ("KeyFile", "key")) if tls
            ),
        )  # fmt: skip
        (self.folder / "rsyslog.conf").write_text(text)
        process = subprocess.Popen(
            [RSYSLOG, "-n", "-f", self.folder / "rsyslog.conf", "-i", self.folder / "pid"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            for _ in range(100):
                assert process.poll() is None, process.communicate()[1]
                try:
                    socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield self
        finally:
            process.terminate()
            process.communicate(timeout=20)

    def lines(self, at_least=1):
        """What arrived, as (priority, kind, structured data, content), once there is so much of it."""
        file = self.folder / "lines"
        for _ in range(100):
            found = file.read_text().splitlines() if file.exists() else []
            if len(found) >= at_least:
                break
            time.sleep(0.05)
        return [split(line) for line in found]


def split(line):
    priority, kind, rest = line.split(" ", 2)
    data, _, content = rest.partition("{")
    return int(priority), kind, data.strip(), json.loads("{" + content)


@pytest.fixture(params=SCHEMES)
def server(request, tmp_path):
    if RSYSLOG is None:
        pytest.skip("rsyslogd is not on this machine (Debian: rsyslog, rsyslog-gnutls)")
    folder = tmp_path / "log-server"
    folder.mkdir()
    certificate(folder)
    return LogServer(folder, free_port(), request.param)


@pytest.fixture
async def trail(tmp_path, database_url):
    settings = GatewaySettings(state_dir=tmp_path / "state", database_url=SecretStr(database_url), _env_file=None)
    prepare(settings)
    database = database_of(settings)
    yield settings, database
    await database.close()


def stream_to(database, server):
    waiting = Gauge("waiting", "lines", registry=CollectorRegistry())
    return AuditStream(database.sessions, Syslog.at(server.url, server.folder / "cert.pem"), waiting)


async def write(database, count, **more):
    for number in range(count):
        await Audit(database.sessions).write(None, f"key:{number}", AuditAction.ACCESS, "subject ü", **more)


def left(stream):
    return stream.waiting._value.get()


async def test_every_line_arrives_in_order_and_once(server, trail):
    _, database = trail
    stream = stream_to(database, server)
    await write(database, 7)
    await write(database, 1, outcome="refused")
    with server.running():
        await stream.send()
        await write(database, 3)
        await stream.send()
        await stream.send()
        lines = server.lines(11)
    assert [content["sequence"] for *_, content in lines] == list(range(1, 12))
    assert {kind for _, kind, _, _ in lines} == {"audit"}
    assert [priority for priority, *_ in lines] == [13 * 8 + 6] * 7 + [13 * 8 + 4] + [13 * 8 + 6] * 3
    assert lines[4][2] == '[meta sequenceId="5"]'
    assert lines[0][3]["subject"] == "subject ü"
    assert left(stream) == 0
    page = await Audit(database.sessions).verify()
    assert lines[-1][3]["hash"] == page.head  # what the server has can be held against the trail


@only(argvalues=["tcp", "tls"])  # by UDP nobody knows
async def test_a_server_that_is_away_loses_nothing(server, trail, monkeypatch):
    monkeypatch.setattr(audit_stream, "LINES_AT_ONCE", 20)
    _, database = trail
    stream = stream_to(database, server)
    await write(database, 4)
    with server.running():
        await stream.send()
    await write(database, 110)
    await stream.send()
    assert left(stream) == 110
    with server.running():
        await stream.send()
        lines = server.lines(114)
    assert [content["sequence"] for *_, content in lines] == list(range(1, 115))
    assert left(stream) == 0


@only(argvalues=["tcp"])
async def test_of_two_gateways_one_sends(server, trail):
    settings, database = trail
    other = database_of(settings)
    streams = [stream_to(database, server), stream_to(other, server)]
    with server.running():
        for _ in range(5):
            await write(database, 20)
            await asyncio.gather(*(stream.send() for stream in streams))
        lines = server.lines(100)
    await other.close()
    assert [content["sequence"] for *_, content in lines] == list(range(1, 101))


@only(argvalues=["tcp"])
async def test_another_gateway_takes_over_from_one_that_is_gone(server, trail):
    _, database = trail
    gone, other = stream_to(database, server), stream_to(database, server)
    with server.running():
        await write(database, 1)
        await gone.send()
        await write(database, 1)
        await other.send()
        assert left(other) == 1
        async with database.sessions.begin() as session:
            row = (await session.scalars(select(AuditStreamRow))).one()
            row.leased_until = now()
        await other.send()
        assert left(other) == 0
        server.lines(2)


@only(argvalues=["tls"])
async def test_a_server_whose_certificate_names_somebody_else_gets_nothing(server, trail):
    _, database = trail
    certificate(server.folder, "somebody-else.example")
    stream = stream_to(database, server)
    await write(database, 1)
    with server.running():
        await stream.send()
        assert left(stream) == 1
        with pytest.raises(NotDelivered, match="certificate"):
            stream.server.reach()
        assert not (server.folder / "lines").exists()


async def test_the_signed_head_goes_there_too(server, trail):
    settings, database = trail
    await write(database, 3)
    server_of = Syslog.at(server.url, server.folder / "cert.pem")
    notes = HeadNotes(Audit(database.sessions), installation_key(settings), settings.audit_head_file(), server_of)
    with server.running():
        await notes.note()
        [(_, kind, _, content)] = server.lines()
    assert kind == "audit-head"
    assert content == json.loads(settings.audit_head_file().read_text())


async def test_a_running_gateway_sends_what_people_do(server, tmp_path):
    settings = GatewaySettings(
        state_dir=tmp_path / "state",
        audit_syslog=server.url,
        audit_syslog_ca=server.folder / "cert.pem",
        _env_file=None,
    )
    with server.running():
        async with open_gateway(settings, shared_services()) as api:
            await api.post("/v1/tokens", data={"username": "x@y.example", "password": "wrong password here"})
            lines = await asyncio.to_thread(server.lines, 3)
            told = {kind for _, kind, _, _ in lines}
            results = {result.name: result for result in await check(settings)}
            headers = {"Authorization": f"Bearer {settings.metrics_key()}"}
            metrics = (await api.get("/metrics", headers={**headers, "X-API-Key": ""})).text
    assert {"audit", "audit-head"} <= told
    assert results["log server"].ok
    assert "trabecula_audit_lines_waiting" in metrics
    if server.scheme != "udp":
        results = {result.name: result for result in await check(settings)}
        assert not results["log server"].ok


def test_a_server_that_never_ends_its_side_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("gateway.platform.syslog.TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held = []
        thread = threading.Thread(target=lambda: held.append(listening.accept()))
        thread.start()
        to = Syslog("tcp", "127.0.0.1", listening.getsockname()[1])
        assert to.send([SyslogMessage(now(), "audit", "{}", sequence=1)]) is False
        thread.join()
        assert held[0][0].recv(1000)
        held[0][0].close()


def test_a_message_is_what_the_standard_says():
    at = now().replace(microsecond=120)
    line = SyslogMessage(at, "audit", '{"a":1}', sequence=2**31).encoded().decode()
    priority, time_of, *_ = line.split(" ")
    assert priority == "<110>1"
    assert time_of == at.strftime("%Y-%m-%dT%H:%M:%S.000120Z")
    assert line.endswith(' audit [meta sequenceId="1"] {"a":1}')


@pytest.mark.parametrize(
    "url", ["siem.example:6514", "http://siem:80", "tls://siem", "tls://si em:1", "tls://u:p@siem:1"]
)
def test_an_address_that_is_none_is_named(url):
    with pytest.raises(ValidationError, match="audit_syslog"):
        GatewaySettings(audit_syslog=url, _env_file=None)
