"""Uploads are decoded in a process that has little and can be lost."""

import dataclasses
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from shared.problems import ImageTooLarge, InvalidInput, UnreadableImage, UnsupportedImage
from shared.radiograph import phantom
from shared.radiograph.decoder import DecoderPool
from shared.radiograph.intake import decode
from shared.radiograph.large_turn import LargeTurn
from shared.radiograph.limits import IntakeLimits, checked_size
from shared.radiograph.prepare import GrayPixels
from tests.fuzz.inputs import files, lossless_files

linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's limits are Linux's")


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def picture() -> GrayPixels:
    return phantom.knee(size=(600, 500))


def process_id(pool: DecoderPool) -> int:
    return pool._idle[0]._process.pid


@pytest.mark.parametrize("written", [phantom.as_jpeg, phantom.as_png16, phantom.as_dicom])
def test_a_radiograph_comes_back_as_if_it_was_decoded_here(pool, picture, written):
    there, here = pool.decode(written(picture)), decode(written(picture))
    assert np.array_equal(there.pixels, here.pixels)
    facts = [field.name for field in dataclasses.fields(here) if field.name != "pixels"]
    assert [getattr(there, name) for name in facts] == [getattr(here, name) for name in facts]


KINDS = {**files(), **lossless_files()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_is_decoded_after_nothing_can_be_opened_any_more(pool, kind):
    def answer(read):
        try:
            return read(KINDS[kind]).pixels
        except InvalidInput as error:
            return error.detail

    there, here = answer(pool.decode), answer(decode)
    if isinstance(here, str):
        assert there == here
    else:
        assert np.abs(there.astype(int) - here).max() <= 1


def test_a_problem_comes_back_as_what_it_is(pool):
    with pytest.raises(UnsupportedImage, match="PDF"):
        pool.decode(b"%PDF-1.7 and so on")
    with pytest.raises(UnreadableImage, match="empty"):
        pool.decode(b"")


def test_one_process_serves_many_uploads(pool, picture):
    first = process_id(pool)
    for _ in range(3):
        pool.decode(phantom.as_jpeg(picture))
    assert process_id(pool) == first


@linux
def test_the_process_has_no_secret_and_opens_nothing(pool, picture, monkeypatch):
    monkeypatch.setenv("TRABECULA_INTERNAL_SECRET", "a secret that nobody may see")
    with DecoderPool(1) as own:
        own.decode(phantom.as_jpeg(picture))
        there = Path("/proc", str(process_id(own)))
        assert b"TRABECULA" not in (there / "environ").read_bytes()
        limits = (there / "limits").read_text().splitlines()
        row = {line[:26].strip(): line[26:].split()[:2] for line in limits[1:]}
        assert row["Max open files"] == ["0", "0"]
        assert row["Max file size"] == ["0", "0"]
        assert int(row["Max address space"][0]) < 1_000_000_000


@linux
def test_memory_is_held_by_the_kernel(picture):
    """Whether the library raises or ends the process where there is no more memory, the next upload is decoded."""
    with DecoderPool(1, memory_mb=24) as own:
        own.decode(phantom.as_jpeg(picture))
        with pytest.raises((ImageTooLarge, UnreadableImage), match="memory"):
            own.decode(phantom.as_png16(np.zeros((5000, 5000), np.uint8)))
        assert own.decode(phantom.as_jpeg(picture)).format == "jpeg"


def test_memory_is_watched_where_the_kernel_has_no_limits(picture):
    with DecoderPool(1, memory_mb=24, limited=False) as own:
        own.decode(phantom.as_jpeg(picture))
        first = process_id(own)
        with pytest.raises(UnreadableImage, match="memory"):
            own.decode(phantom.as_jpeg(picture) + bytes(200_000_000))
        assert own.decode(phantom.as_jpeg(picture)).format == "jpeg"
        assert process_id(own) != first
        assert "watched" in own.limits


def test_an_upload_that_takes_too_long_is_given_up(picture):
    with DecoderPool(1, wall_s=0.02) as own:
        began = time.monotonic()
        with pytest.raises(UnreadableImage, match="0 seconds"):
            own.decode(phantom.as_png16(np.zeros((7900, 7900), np.uint8)))
        assert time.monotonic() - began < 20


def test_a_process_that_ended_between_uploads_is_replaced(pool, picture):
    pool.decode(phantom.as_jpeg(picture))
    pool._idle[0]._process.kill()
    pool._idle[0]._process.wait()
    assert pool.decode(phantom.as_jpeg(picture)).format == "jpeg"


def test_no_process_stays_behind(picture):
    with DecoderPool(2) as own:
        own.decode(phantom.as_jpeg(picture))
        process = own._idle[0]._process
        own.start()  # a second user of the same pool, as the staging service beside the imaging service
        own.close()
        assert process.poll() is None
    assert process.poll() is not None


HOLDER = """
import sys
from shared.radiograph.large_turn import LargeTurn
LargeTurn(int(sys.argv[1])).take()
print("has it", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks there")
def test_one_large_picture_at_a_time_and_a_killed_process_gives_its_turn_back(monkeypatch):
    with tempfile.TemporaryFile() as file:
        number = file.fileno()
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(number,),
        )
        assert holder.stdout.readline() == b"has it\n"
        monkeypatch.setattr("shared.radiograph.large_turn.PATIENCE_S", 0.1)
        turn = LargeTurn(number)
        turn.take()
        assert not turn.has  # it went ahead without it
        holder.kill()
        holder.communicate()
        turn.take()
        assert turn.has
        turn.give_back()
        assert not turn.has


@pytest.mark.parametrize(("size", "cost", "waits"), [((3000, 2500), 2, False), ((3000, 2500), 8, True)])
def test_only_a_picture_that_takes_much_memory_waits_for_its_turn(size, cost, waits):
    waited = []
    checked_size(*size, IntakeLimits(before_large=lambda: waited.append(True)), cost)
    assert bool(waited) == waits
