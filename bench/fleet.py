"""The services as processes of their own, which can be killed and come back."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.server import TRABECULA, environment, free_port, wait_until_ready
from shared.components import SERVICE_NAMES


class Fleet:
    """Started services, by name.

    Args:
        state: the installation's folder, for the secret that gateway and services share.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self.ports = {name: free_port() for name in SERVICE_NAMES}
        self._processes = {name: self._start(name) for name in SERVICE_NAMES}
        self.kills = 0

    @property
    def option(self) -> str:
        """What `trabecula serve --services` is given."""
        return ",".join(f"{name}=http://127.0.0.1:{port}" for name, port in self.ports.items())

    def wait_until_ready(self) -> None:
        """Until every service answers."""
        for port in self.ports.values():
            wait_until_ready(f"http://127.0.0.1:{port}")

    def kill_and_restart(self, name: str) -> None:
        """Kill a service in the middle of its work, as the kernel would, and start it again at once."""
        self._processes[name].send_signal(signal.SIGKILL)
        self._processes[name].wait()
        self._processes[name] = self._start(name)
        self.kills += 1

    def stop(self) -> None:
        """End them all."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.wait(timeout=30)

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        command = [*TRABECULA, "service", name, "--port", str(self.ports[name])]
        return subprocess.Popen(command, env=environment(self._state), stdout=subprocess.DEVNULL)


@contextmanager
def fleet_of(state: Path) -> Iterator[Fleet]:
    """The services until the block ends; they are ready when it begins."""
    fleet = Fleet(state)
    try:
        fleet.wait_until_ready()
        yield fleet
    finally:
        fleet.stop()


@contextmanager
def killer(fleet: Fleet, every_s: float) -> Iterator[None]:
    """Kill one service after another, the first at once, until the block ends."""
    over = threading.Event()

    def kill() -> None:
        turn = 0
        while True:
            fleet.kill_and_restart(SERVICE_NAMES[turn % len(SERVICE_NAMES)])
            turn += 1
            if over.wait(every_s):
                return

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
