"""Runs on one event loop, on the main thread: the mode of `async def run`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from .ending import Ending
from .frames import FrameError
from .intake import Intake, Redaction
from .pipe_reader import read
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
        redact: Callable[[Redaction], None],
        ending: Ending,
    ) -> None:
        self._pipe = pipe
        self._intake = intake
        self._runner = runner
        self._mark = mark
        self._redact = redact
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
                # In a turn of its own, so that no run shares its time.
                loop.call_soon(self._redact, work)
            else:
                self._mark.begun(work.order)
                self._begin(loop, work)
        if self._intake.ended:
            loop.stop()

    def _begin(self, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        task = loop.create_task(self._runner.perform_async(run))
        run.stop = task.cancel
        self._tasks.add(task)

        def done(_: object) -> None:
            self._tasks.discard(task)
            self._intake.done(run)

        task.add_done_callback(done)
