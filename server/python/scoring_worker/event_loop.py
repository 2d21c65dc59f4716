"""Runs on one event loop, on the main thread: the mode of `async def run`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any

from .ending import Ending
from .frames import FrameError
from .intake import Intake, Redaction
from .pipe_reader import read
from .redaction import RedactionHook
from .run import Run
from .runs import Runner
from .start_mark import StartMark


class EventLoop:
    """Reads the pipe, and begins a task for each run."""

    def __init__(
        self,
        pipe: socket.socket,
        intake: Intake,
        runner: Runner,
        mark: StartMark,
        redaction: RedactionHook,
        ending: Ending,
    ) -> None:
        self._pipe = pipe
        self._intake = intake
        self._runner = runner
        self._mark = mark
        self._redaction = redaction
        self._ending = ending
        # The loop itself holds its tasks weakly.
        self._tasks: set[asyncio.Task[None]] = set()

    def serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Returns when the host has closed its side of the pipe."""
        loop.add_reader(self._pipe, self._read, loop)
        loop.run_forever()
        loop.remove_reader(self._pipe)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._intake.take(read(self._pipe, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return
        except FrameError as error:
            self._ending.lost_pipe(error)
        while (work := self._intake.next()) is not None:
            if isinstance(work, Redaction):
                self._begin(loop, self._redaction.redact_on_loop(work.ident, work.payload))
            else:
                self._mark.begun(work.order)
                run = self._begin(loop, self._perform(work))
                work.stop = run.cancel
        if self._intake.ended:
            loop.stop()

    async def _perform(self, run: Run) -> None:
        await self._runner.perform_async(run)
        self._intake.done(run)

    def _begin(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None]:
        task = loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
