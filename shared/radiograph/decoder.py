"""Decoding uploads in processes of their own: warm, few, held to memory and time, and replaced when they fail.

A process costs half a second to start and then serves one upload after the other; sending an upload there and its
pixels back costs a millisecond or two. One that ends, hangs or grows is replaced, and its upload is refused: the
same bytes would do the same again.
"""

import os
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import structlog

import shared
from shared.contracts.handover import LENGTH
from shared.problems import ServiceUnavailable, UnreadableImage
from shared.radiograph.decoder_process import HAS_LIMITS, MEGABYTE, READY
from shared.radiograph.message import receive
from shared.radiograph.phantom_files import as_jpeg
from shared.radiograph.radiograph import Radiograph

# Beside what the process needs for itself. The largest picture that is read, 64 megapixels of 16 bit, needs 150 MB.
MEMORY_MB = 256
# The services' caller waits ten seconds; an upload of the largest size takes two.
CPU_SECONDS, WALL_SECONDS, START_SECONDS = 6, 8.0, 30.0
# No process sees more pictures than these, so that nothing can grow or stay behind in it for ever.
MOST_PICTURES = 500
WATCH_EVERY_S = 0.02
GAVE_UP = (
    "The image could not be decoded: it is damaged, or decoding takes more than {seconds:.0f} seconds or more memory "
    "than it may. Export it again from its source."
)


class DecoderPool:
    """At most `count` decoding processes; safe to use from as many threads.

    Args:
        count: uploads decoded at the same time.
        memory_mb: what one decoding may take. wall_s: how long it may take.
        limited: whether the kernel holds the processes to it; where it does not, they are watched and ended.

    Attributes:
        lost: processes that an upload has ended, or that were ended for it.
    """

    def __init__(
        self,
        count: int,
        memory_mb: int = MEMORY_MB,
        wall_s: float = WALL_SECONDS,
        limited: bool = HAS_LIMITS,
    ) -> None:
        self._memory_mb, self._wall_s, self._limited = memory_mb, wall_s, limited
        self._free = threading.Semaphore(count)
        self._turn_file = tempfile.TemporaryFile()  # noqa: SIM115 - for as long as anything may start a process
        weakref.finalize(self, self._turn_file.close)
        self._lock = threading.Lock()
        self._idle: list[DecoderProcess] = []
        self._users = 0
        self.lost = 0

    @property
    def limits(self) -> str:
        """Who holds the processes to their limits, for the operator."""
        holds = "limited by the kernel" if self._limited else "watched and ended, as this system has no limits"
        return f"in processes of their own, {self._memory_mb} MB and {self._wall_s:.0f} s each, {holds}"

    def start(self) -> None:
        """One more user of the pool: the first one begins to start a process, so that no upload waits for it."""
        with self._lock:
            self._users += 1
            first = self._users == 1
        if first:
            self._put_back(self._new())

    def decode(self, data: bytes) -> Radiograph:
        """As `shared.radiograph.intake.decode`, whose errors it raises.

        Raises:
            UnreadableImage: besides, where the process ended or was ended.
            ServiceUnavailable: no process can be started.
        """
        with self._free, self._process() as process:
            return process.decode(data)

    def check(self) -> None:
        """Decode a drawn picture; raises as `decode` where that cannot be done here."""
        self.decode(as_jpeg(np.zeros((16, 16), np.uint8)))

    def close(self) -> None:
        """One user fewer; with the last one every process ends."""
        with self._lock:
            self._users -= 1
            idle, self._idle = (self._idle, []) if self._users == 0 else ([], self._idle)
        for process in idle:
            process.end()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _process(self) -> "Iterator[DecoderProcess]":
        """An idle process or a new one; put back afterwards, or replaced where it is no longer fit."""
        process = self._idle_one() or self._new()
        try:
            yield process
        finally:
            if process.fit:
                self._put_back(process)
            else:
                self.lost += process.broken
                process.end()
                self._put_back(self._new())

    def _idle_one(self) -> "DecoderProcess | None":
        """An idle process that is still alive: whoever ended it meanwhile, no upload is to blame for it."""
        with self._lock:
            while self._idle:
                if (process := self._idle.pop()).fit:
                    return process
                process.end()
        return None

    def _new(self) -> "DecoderProcess":
        return DecoderProcess(self._memory_mb, self._wall_s, self._limited, self._turn_file.fileno())

    def _put_back(self, process: "DecoderProcess") -> None:
        with self._lock:
            if self._users:
                self._idle.append(process)
                return
        process.end()


class DecoderProcess:
    """One process of `shared.radiograph.decoder_process`; used by one thread at a time.

    Args:
        turn_file: number of the file that `LargeTurn` locks. The others are as of the pool.
    """

    def __init__(self, memory_mb: int, wall_s: float, limited: bool, turn_file: int) -> None:
        self._wall_s, self._watched_mb = wall_s, None if limited else memory_mb
        limits = [str(memory_mb), str(CPU_SECONDS)] if limited else []
        turn, inherited = (0, ()) if sys.platform == "win32" else (turn_file, (turn_file,))
        self._process = subprocess.Popen(  # noqa: S603 - our own module, and its arguments are numbers
            [sys.executable, "-s", "-P", "-m", "shared.radiograph.decoder_process", str(turn), *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=bare_environment(),
            pass_fds=inherited,
        )
        self._ready, self.broken, self._seen = False, False, 0

    @property
    def fit(self) -> bool:
        """Whether it can serve another upload."""
        return not self.broken and self._seen < MOST_PICTURES and self._process.poll() is None

    def decode(self, data: bytes) -> Radiograph:
        """Send an upload, receive its radiograph. Raises as `DecoderPool.decode`."""
        self._wait_until_ready()
        self._seen += 1
        requests, replies = self._pipes()
        with ended_after(self._wall_s, self._process, self._watched_mb):
            try:
                requests.write(LENGTH.pack(len(data)))
                requests.write(data)
                requests.flush()
                return receive(replies)
            except (OSError, EOFError, ValueError, KeyError) as error:
                self.broken = True
                structlog.get_logger("trabecula").warning("decoder_ended", code=self._process.poll())
                raise UnreadableImage(GAVE_UP.format(seconds=self._wall_s)) from error

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        for stream in self._pipes():
            with suppress(OSError):  # what could not be flushed was for a process that is gone
                stream.close()
        self._process.wait()

    def _wait_until_ready(self) -> None:
        if self._ready:
            return
        with ended_after(START_SECONDS, self._process, None):
            self._ready = self._pipes()[1].read(len(READY)) == READY
        if not self._ready:
            self.broken = True
            raise ServiceUnavailable("The process that decodes images cannot be started.", retry_after_s=2)

    def _pipes(self) -> tuple[BinaryIO, BinaryIO]:
        assert self._process.stdin and self._process.stdout  # noqa: S101, PT018 - opened as pipes
        return self._process.stdin, self._process.stdout  # type: ignore[return-value]


def bare_environment() -> dict[str, str]:
    """What the process needs to find this code, and no setting or secret of the service."""
    needed = {"PYTHONPATH": str(Path(shared.__file__).parent.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    system = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return {**needed, **threads, **system}


@contextmanager
def ended_after(seconds: float, process: "subprocess.Popen[bytes]", watched_mb: int | None) -> Iterator[None]:
    """Kill the process when so many seconds are over, or when it has grown by more than `watched_mb`."""
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(process, seconds, watched_mb, done), daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()


def _watch(process: "subprocess.Popen[bytes]", seconds: float, watched_mb: int | None, done: threading.Event) -> None:
    if watched_mb is None:
        if not done.wait(seconds):
            process.kill()
        return
    import psutil

    seen = psutil.Process(process.pid)
    most = seen.memory_info().rss + watched_mb * MEGABYTE
    for _ in range(int(seconds / WATCH_EVERY_S)):
        if done.wait(WATCH_EVERY_S):
            return
        if seen.memory_info().rss > most:
            break
    process.kill()
