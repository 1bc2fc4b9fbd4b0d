"""One large picture at a time: several processes that decode would each take the most memory at the same moment.

The turn is a lock on a file that they all inherit, so that one that is killed has given it back.
"""

import sys
import time

# Seconds after which a process goes ahead without the turn: a picture that takes for ever holds nobody up.
PATIENCE_S, LOOK_EVERY_S = 2.0, 0.005


class LargeTurn:
    """The turn of this process; nothing ever waits on a system without such locks.

    Args:
        file: number of the inherited file, or None for no turns.

    Attributes:
        has: whether it is this process's turn.
    """

    def __init__(self, file: int | None) -> None:
        self._file, self.has = file if sys.platform != "win32" else None, False

    def take(self) -> None:
        """Wait until it is this process's turn, or until the patience is over."""
        end = time.monotonic() + PATIENCE_S
        while not self.has and not self._taken() and time.monotonic() < end:
            time.sleep(LOOK_EVERY_S)

    def give_back(self) -> None:
        """The next one may begin."""
        if self.has and self._file is not None:
            import fcntl

            fcntl.lockf(self._file, fcntl.LOCK_UN)
            self.has = False

    def _taken(self) -> bool:
        if self._file is None:
            return True
        import fcntl

        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        self.has = True
        return True
