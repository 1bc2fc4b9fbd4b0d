"""What archives answer and what becomes of it: taken, tried again or given up; over TLS; set up by the operator."""

import json
import ssl
import subprocess
import threading
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import ValidationError
from pynetdicom import AE, AllStoragePresentationContexts, evt
from typer.testing import CliRunner

from gateway.assessing.outbox_worker import NotDelivered
from gateway.cli import app
from gateway.interop.dicom import store as stores
from gateway.interop.dicom.destinations import DicomWebDestination, DimseDestination, Protection
from gateway.interop.dicom.objects import objects_of
from gateway.interop.dicom.store import NotReached, echo, store
from gateway.interop.dicom.stow import retry_after, stow
from shared.problems import NotFound
from tests.dicom import content_of, source_file

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
run = CliRunner()


@cache
def objects():
    return tuple(objects_of(content_of(source_file(), pictures=False), ["sr", "pr"]))


def uid(number):
    return objects()[number].reference.sop_uid


def named(tag, *uids):
    """A sequence of references in DICOM's JSON."""
    items = [{"00081155": {"vr": "UI", "Value": [of]}, "00081197": {"vr": "US", "Value": [0xA900]}} for of in uids]
    return {tag: {"vr": "SQ", "Value": items}}


FAILED, STORED = "00081198", "00081199"


@contextmanager
def web(status, body=None, **headers):
    """An archive with one answer; what it was asked is in the list."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            content = json.dumps(body).encode() if body is not None else b""
            self.send_response(status)
            for name, value in {"Content_Type": "application/dicom+json", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/dicom-web", asked
    finally:
        server.shutdown()
        server.server_close()


def test_what_the_archive_confirms_is_delivered():
    with web(200, named(STORED, uid(0), uid(1)), Content_Type="application/dicom+json; charset=utf-8") as (url, asked):
        stow(objects(), DicomWebDestination(url=url, authorization="Bearer of the house"))
    [(path, headers, body)] = asked
    assert path == "/dicom-web/studies"
    assert headers["Authorization"] == "Bearer of the house"
    assert headers["Content-Type"].startswith('multipart/related; type="application/dicom"')
    assert body.count(b"DICM") == 2


@pytest.mark.parametrize(
    ("status", "body", "headers", "words", "for_good"),
    [
        (202, lambda: {**named(STORED, uid(0)), **named(FAILED, uid(1))}, {}, "refuses pr: 0xA900", False),
        (200, lambda: named(STORED, uid(0)), {}, "does not say that it has pr", False),
        (200, lambda: None, {}, "does not say that it has sr", False),
        (409, lambda: named(FAILED, uid(0), uid(1)), {}, "answered 409", True),
        (400, lambda: None, {}, "answered 400", True),
        (500, lambda: None, {}, "answered 500", False),
        (302, lambda: None, {"Location": "/elsewhere"}, "answered 302", False),
    ],
)
def test_what_it_does_not_confirm_is_not(status, body, headers, words, for_good):
    with web(status, body(), **headers) as (url, asked), pytest.raises(NotDelivered) as failure:
        stow(objects(), DicomWebDestination(url=url))
    assert (words in failure.value.detail, failure.value.for_good) == (True, for_good), failure.value.detail
    assert not isinstance(failure.value, NotReached)
    assert len(asked) == 1


def test_it_may_ask_to_be_left_alone():
    with web(503, Retry_After="120") as (url, _), pytest.raises(NotDelivered) as failure:
        stow(objects(), DicomWebDestination(url=url))
    assert (failure.value.retry_after_s, failure.value.for_good) == (120, False)
    assert retry_after("Fri, 01 Jan 2100 00:00:00 GMT") > 1e9
    assert [retry_after(odd) for odd in (None, "soon", "-1")] == [None, None, None]


def test_where_nobody_listens_nothing_was_sent():
    for send, to in (
        (stow, DicomWebDestination(url="http://127.0.0.1:9/dicom-web")),
        (store, DimseDestination(host="127.0.0.1", port=9, called_aet="ARCHIVE")),
    ):
        with pytest.raises(NotReached, match="cannot be reached"):
            send(objects(), to)


@contextmanager
def archive(status=0x0000, contexts=None, titles=(), tls=None):
    entity = AE(ae_title="ARCHIVE")
    entity.supported_contexts = contexts or AllStoragePresentationContexts
    entity.add_supported_context("1.2.840.10008.1.1")
    entity.require_called_aet = True
    entity.require_calling_aet = list(titles)
    handlers = [(evt.EVT_C_STORE, lambda _: status)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=tls)
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()


def at(port, **more):
    return DimseDestination(**{"host": "127.0.0.1", "port": port, "called_aet": "ARCHIVE", **more})


@pytest.mark.parametrize("status", [0x0000, 0xB000, 0x0111])
def test_stored_and_there_already_are_both_delivered(status):
    with archive(status) as port:
        store(objects(), at(port))
        echo(at(port))


@pytest.mark.parametrize(("status", "for_good"), [(0xA700, False), (0xA900, True), (0xC000, True), (0x0124, True)])
def test_a_status_says_whether_to_try_again(status, for_good):
    with archive(status) as port, pytest.raises(NotDelivered) as failure:
        store(objects(), at(port))
    assert (f"0x{status:04X}" in failure.value.detail, failure.value.for_good) == (True, for_good)


def test_an_archive_that_does_not_know_the_object_or_us_says_so():
    reports = [context for context in AllStoragePresentationContexts if context.abstract_syntax.endswith("88.34")]
    with archive(contexts=reports) as port, pytest.raises(NotDelivered, match=r"this kind of object \(pr\)") as failure:
        store(objects(), at(port))
    assert failure.value.for_good
    with archive(titles=["SOMEBODY"]) as port, pytest.raises(NotReached, match="AE titles"):
        store(objects(), at(port))
    with archive() as port, pytest.raises(NotReached, match="AE titles"):
        echo(at(port, called_aet="OTHER"))


def test_a_peer_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(stores, "CONNECTING_S", 1)
    with pytest.raises(NotReached), silent() as port:
        store(objects(), at(port))


@contextmanager
def silent():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


def test_over_tls_the_archives_certificate_and_its_name_are_checked(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    trusting = Protection(ca=certificate / "cert.pem")
    with archive(tls=context) as port:
        store(objects(), at(port, host="localhost", tls=trusting))
        for host, protection in (("localhost", Protection()), ("127.0.0.1", trusting)):
            with pytest.raises(NotReached):
                store(objects(), at(port, host=host, tls=protection))


@pytest.mark.parametrize(
    "wrong",
    [
        {"called_aet": "SEVENTEEN LETTERS"}, {"called_aet": ""}, {"called_aet": "A\\B"}, {"called_aet": " A"},
        {"port": 0}, {"port": 70000}, {"host": ""}, {"objects": []}, {"objects": ["ko"]}, {"speed": "fast"},
        {"tls": {"certificate": "/nowhere.pem"}}, {"tls": {"ca": "/nowhere.pem"}},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValidationError):
        at(**{"port": 104, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://archive.example/"}, {"url": "archive"}, {"url": "https://me:secret@archive.example/"},
        {"url": "https://archive.example/?key=1"}, {"url": "http://archive.example/", "authorization": "Basic abc"},
        {"url": "https://archive.example/", "authorization": "Basic abc\r\nX-Role: admin"},
    ],
)  # fmt: skip
def test_addresses_that_would_tell_secrets_are_refused(wrong):
    with pytest.raises(ValidationError):
        DicomWebDestination(**wrong)


def test_what_is_wrong_is_told_without_the_secret():
    for wrong in ({"url": "http://archive.example/"}, {"url": "ftp://x"}, {"url": "https://x", "objects": []}):
        with pytest.raises(ValidationError) as failure:
            DicomWebDestination(**wrong, authorization="Bearer of the house")
        assert "of the house" not in str(failure.value)


def test_the_operator_sets_destinations_up(tmp_path, monkeypatch):
    monkeypatch.setenv("TRABECULA_STATE_DIR", str(tmp_path))

    def route(*arguments, code=0):
        done = run.invoke(app, ["route", *arguments], catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.output

    assert route("list") == "There is no destination.\n"
    route("add-dicom", "house", "--host", "127.0.0.1", "--port", "9", "--called-aet", "PACS", "--objects", "sr,pdf")
    monkeypatch.setenv("TRABECULA_ROUTE_AUTHORIZATION", "Bearer of the house")
    route("add-dicomweb", "cloud", "--url", "https://archive.example/dicom-web", "--events", "none")
    listed = json.loads(route("list", "--json"))
    assert [(there["kind"], there["name"], bool(there["events"])) for there in listed] == [
        ("dicom", "house", True),
        ("dicomweb", "cloud", False),
    ]
    assert "Bearer" not in route("list")
    for arguments, words in (
        (["add-dicom", "x", "--host", "h", "--port", "0", "--called-aet", "A"], "--port"),
        (["add-dicom", "x", "--host", "h", "--port", "1", "--called-aet", "A", "--objects", "film"], "--objects"),
        (["add-dicomweb", "x", "--url", "http://archive.example"], "https only"),
    ):
        assert words in route(*arguments, code=1)
    with pytest.raises(NotReached):
        route("echo", "house")
    assert "Results that wait: 0" in route("status")
    with pytest.raises(NotFound):
        route("retry", "01a21a13-be85-7930-9fec-a4d4676d0273")
    route("retry", "nothing", code=2)
    route("remove", "house")
    assert [there["name"] for there in json.loads(route("list", "--json"))] == ["cloud"]
