"""HL7 v2 messages from anybody: read, or refused in words; nothing else comes of them, and no memory without end."""

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.interop.dicom.installed import require_installed
from gateway.interop.hl7.acknowledgement import acknowledgement
from gateway.interop.hl7.announced import merges_of, orders_of
from gateway.interop.hl7.destinations import Hl7Destination
from gateway.interop.hl7.reading import MOST_BYTES, NotTaken, malformed, read_header, read_message
from gateway.interop.hl7.result_message import result_message
from gateway.interop.hl7.writing import segment
from tests.mllp import header, merge, order, parsed
from tests.unit.gateway.interop.results import films, result_of, vignettes

require_installed()
pytestmark = pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated")  # the library's own
WHOLE = [order().encode(), merge("A", "B").encode(), order(kind="OMG^O19^OMG_O19").encode()]
PIECES = [
    b"\r",
    b"|",
    b"^",
    b"~",
    b"&",
    b"\\",
    b"\\.sp99999999\\",
    b"\\X0D\\",
    b"\\XZZ\\",
    b"\xff",
    b"\x00",
    b"MSH",
    b"\n",
]


def read(block):
    """What becomes of a message, as far as it is read."""
    try:
        received = read_message(block, read_header(block))
        for announced in (lambda: orders_of(received, "OBR-18"), lambda: merges_of(received)):
            try:
                announced()
            except NotTaken as error:
                str(acknowledgement(received.header, error))
    except NotTaken as error:
        str(acknowledgement(None, error))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(WHOLE), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 30), st.sampled_from(PIECES))))
def test_a_message_that_was_mangled_is_read_or_refused(whole, changes):
    for at, dropped, piece in changes:
        whole = whole[:at] + piece + whole[at + dropped :]
    read(whole)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data):
    read(data)
    read(b"MSH|^~\\&|" + data)


@pytest.mark.parametrize("filler", [b"|", b"|a&b~"])
def test_the_largest_message_costs_little(filler):
    whole = order().encode() + filler * (MOST_BYTES // len(filler) - 1000)
    tracemalloc.start()
    began = time.monotonic()
    read(whole[:MOST_BYTES])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100_000_000
    assert time.monotonic() - began < 30  # with the tracing, which is most of it


def test_delimiters_in_what_we_write_are_escaped_and_read_back():
    made = segment("NTE", {3: "a|b^c~d&e\\f\r\n é\x00"})
    assert str(made) == "NTE|||a\\F\\b\\S\\c\\R\\d\\T\\e\\E\\f é"
    whole = parsed(header("ORU^R01") + "\r" + str(made))
    assert whole.segment("NTE").extract_field(1, 3) == "a|b^c~d&e\\f é"


def test_an_answer_repeats_who_sent_it_and_says_why():
    received = read_header(order(control_id="77").encode())
    told = str(acknowledgement(received, malformed("No|way")))
    assert "|TRABECULA|CLINIC|RIS|HOSPITAL|" in told
    assert "\rMSA|AE|77|No\\F\\way\rERR|||101^^HL70357|E||||No\\F\\way\r" in told


@pytest.mark.parametrize("content", [*films(), *vignettes().values()], ids=lambda one: str(one.assessment.status))
def test_every_result_is_a_message_that_is_read_back_whole(content):
    made = result_message(result_of(content), Hl7Destination(host="x", port=1), None)
    again = result_message(result_of(content), Hl7Destination(host="x", port=1), None)
    assert made == again
    message = parsed(made.data.decode())
    assert str(message).encode() == made.data
    names = [str(one[0]) for one in message]
    assert names[:5] == ["MSH", "PID", "ORC", "OBR", "NTE"]
    kinds = {str(one(2)) for one in message.segments("OBX")}
    assert kinds <= {"NM", "CWE", "TX", ""}
    for one in message.segments("OBX"):
        value, kind = str(one.extract_field(1, 5)), str(one(2))
        assert bool(value) == bool(kind)
        if kind == "NM":
            float(value)
        assert one.extract_field(1, 3, 1, 3) in ("LN", "L")
        assert str(one(11)) in ("P", "X")
