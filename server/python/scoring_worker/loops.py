"""Event loops for what a script awaits."""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from .log import ScriptLog
from .log_records import of_event_loop
from .run import Run

if TYPE_CHECKING:
    import asyncio


def is_awaitable(value: Any) -> bool:
    """True for a coroutine, a future and the like. Asks the type: a value may answer anything."""
    return hasattr(type(value), "__await__")


def is_cancel(raised: BaseException) -> bool:
    """True for asyncio.CancelledError, without importing asyncio."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and isinstance(raised, asyncio.CancelledError)


class ThreadLoops:
    """One event loop for each thread that awaits, made when it is needed first.

    Why so late: to import asyncio takes 30 ms, and most scripts never need it.
    """

    def __init__(self, log: ScriptLog) -> None:
        self._log = log
        self._of_thread = threading.local()

    def current(self) -> asyncio.AbstractEventLoop:
        """The loop of this thread."""
        import asyncio

        loop: asyncio.AbstractEventLoop | None = getattr(self._of_thread, "loop", None)
        if loop is None:
            loop = self._of_thread.loop = asyncio.new_event_loop()
            loop.set_exception_handler(lambda _, context: of_event_loop(self._log, context))
            asyncio.set_event_loop(loop)
        return loop

    def finish(self, awaitable: Awaitable[Any], run: Run | None = None) -> Any:
        """Awaits on this thread. A cancel of the run cancels it: CancelledError."""
        loop = self.current()
        task = loop.create_task(_awaited(awaitable))
        if run is not None:
            run.stop = lambda: loop.call_soon_threadsafe(task.cancel)
            if run.cancelled:
                task.cancel()
        try:
            return loop.run_until_complete(task)
        finally:
            if run is not None:
                run.stop = None


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
