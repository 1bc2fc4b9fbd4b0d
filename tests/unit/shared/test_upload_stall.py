"""A body that does not arrive ends the request; one that has arrived is never hurried."""

import math

import anyio
import anyio.lowlevel
from fastapi import FastAPI, Request

from shared.body_timeout import BodyTimeoutMiddleware
from shared.problem_responses import install_problems

SCOPE = {
    "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/", "raw_path": b"/",
    "query_string": b"", "headers": [(b"content-type", b"multipart/form-data; boundary=b")], "scheme": "http",
    "server": ("gateway", 80), "client": ("test", 1), "root_path": "",
}  # fmt: skip
PIECE = {"type": "http.request", "body": b"--b\r\n", "more_body": True}


def app(piece_s, whole_s):
    made = FastAPI()
    install_problems(made)
    made.add_middleware(BodyTimeoutMiddleware, piece_s=piece_s, whole_s=whole_s)

    @made.post("/")
    async def read(request: Request):
        await request.form()
        return "read"

    return made


async def call(made, receive):
    sent = []

    async def send(message):
        sent.append(message)

    await made(dict(SCOPE), receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


async def test_a_body_that_stops():
    pieces = [PIECE]

    async def receive():
        return pieces.pop() if pieces else await anyio.sleep_forever()

    status, headers, body = await call(app(0.05, 60), receive)
    assert status == 408
    assert headers[b"connection"] == b"close"
    assert headers[b"content-type"] == b"application/problem+json"
    assert b"upload-stalled" in body


async def test_a_body_that_trickles_without_end():
    async def receive():
        await anyio.lowlevel.checkpoint()
        return {"type": "http.request", "body": b"", "more_body": True}

    assert (await call(app(60, 0.05), receive))[0] == 408


async def test_a_client_that_leaves_within_its_upload():
    messages = [{"type": "http.disconnect"}, PIECE]

    async def receive():
        return messages.pop()

    status, _, body = await call(app(60, 60), receive)
    assert status == 499
    assert b"client-left" in body


async def test_what_comes_after_the_body_is_waited_for_without_end():
    """The middleware stands aside once the body is whole: a stream of events waits for its client to leave."""
    messages = [PIECE, {"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]
    deadlines = []

    async def inner(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass

    async def receive():
        deadlines.append(anyio.current_effective_deadline())
        return messages.pop(0)

    await BodyTimeoutMiddleware(inner, piece_s=15, whole_s=300)(SCOPE, receive, None)
    assert [math.isinf(deadline) for deadline in deadlines] == [False, False, True]
