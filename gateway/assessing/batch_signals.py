"""Signals between those who hand in or follow batches and those who work on them."""

import asyncio


class BatchSignals:
    """Wakes the workers when a batch comes in, and ends the streams of events when the gateway stops."""

    def __init__(self) -> None:
        self._new, self._stopping = asyncio.Event(), asyncio.Event()

    def announce(self) -> None:
        """A batch has come in."""
        self._new.set()

    def stop(self) -> None:
        """The gateway stops: whoever follows a batch is let go."""
        self._stopping.set()

    async def wait_for_batch(self, seconds: float) -> None:
        """Until a batch comes in, or for some seconds: another process may have taken one in."""
        await _either(self._new, seconds)
        self._new.clear()

    async def wait_or_stop(self, seconds: float) -> bool:
        """Wait some seconds before the next look; whether there is to be one."""
        await _either(self._stopping, seconds)
        return not self._stopping.is_set()


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
