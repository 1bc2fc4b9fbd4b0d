"""Work that goes on beside the requests for as long as the gateway runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog


@asynccontextmanager
async def in_background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run some work until the block ends; it is then cancelled and waited for."""
    tasks = [asyncio.create_task(coroutine) for coroutine in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do some work again and again. A failure, such as a database that is away, is logged, and the next time comes."""
    while True:
        try:
            await work()
        except Exception:
            structlog.get_logger("trabecula").exception("background work failed")
        await asyncio.sleep(seconds)
