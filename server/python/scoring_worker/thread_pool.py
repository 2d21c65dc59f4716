"""Runs in a pool of threads, for scripts whose libraries release the interpreter's lock."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from queue import SimpleQueue

from .ending import Ending
from .frames import FrameError
from .intake import Intake, Redaction
from .pipe_reader import read
from .redaction import RedactionHook
from .run import Run
from .runs import Runner
from .start_mark import StartMark
from .streams import StreamSender


class ThreadPool:
    """The main thread reads the pipe; each run has a thread of the pool."""

    def __init__(
        self,
        intake: Intake,
        runner: Runner,
        redaction: RedactionHook,
        threads: int,
    ) -> None:
        self._intake = intake
        self._runner = runner
        self._redaction = redaction
        self._runs: SimpleQueue[Run] = SimpleQueue()
        self._redactions: SimpleQueue[Redaction] = SimpleQueue()
        for number in range(1, threads + 1):
            self._start(self._work, f"scoring-run-{number}")
        # One at a time: the host knows of one hook that has the thread.
        self._start(self._redact_all, "scoring-redact")

    def serve(self, pipe: socket.socket, mark: StartMark, ending: Ending) -> None:
        """Returns when the host has closed its side of the pipe."""
        while not self._intake.ended:
            try:
                self._intake.take(read(pipe))
            except FrameError as error:
                ending.lost_pipe(error)
            while (work := self._intake.next()) is not None:
                if isinstance(work, Redaction):
                    self._redactions.put(work)
                else:
                    # The host sends no more requests than there are threads: it begins now.
                    mark.begun(work.order)
                    self._runs.put(work)

    def _start(self, work: Callable[[], None], name: str) -> None:
        threading.Thread(target=work, name=name, daemon=True).start()

    def _work(self) -> None:
        while True:
            run = self._runs.get()
            self._runner.perform(run, _wait)
            self._intake.done(run)
            # An idle thread keeps nothing of the run.
            del run

    def _redact_all(self) -> None:
        while True:
            work = self._redactions.get()
            self._redaction.redact(work.ident, work.payload)


def _wait(sender: StreamSender) -> None:
    credit = threading.Event()
    sender.run.wake = credit.set
    # Credit may have come before.
    if sender.full:
        credit.wait()
    sender.run.wake = None
