"""The worker process: loads the script, then runs what the host sends."""

from __future__ import annotations

import gc
import os
import socket
import sys
from typing import Any, NoReturn

from .debugger import connect_debugger
from .ending import Ending
from .failures import Failure
from .frames import FrameError, FrameReader, Payload
from .host import ToHost
from .intake import Intake
from .kinds import START
from .log import ScriptLog
from .log_records import connect_logging, report_escaped_exceptions
from .log_streams import ScriptStream
from .loops import ThreadLoops, is_awaitable
from .messages import Start, read_start
from .pipe_reader import read
from .pipe_writer import PipeWriter
from .port import port
from .process import ignore_signals, keep_from_children, show_crashes
from .redaction import RedactionHook
from .runs import Runner
from .script import Script, load
from .serial import AHEAD, serve_serially
from .start_mark import MARK_FD, RedactionMark, StartMark
from .thread_pool import ThreadPool

_HOST_FD = 3


def main() -> NoReturn:
    """Runs until the host closes its side of the pipe."""
    ignore_signals()
    show_crashes()
    Worker(socket.socket(fileno=_HOST_FD)).live()


class Worker:
    """Everything of one worker process."""

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe = pipe
        self._writer = PipeWriter(pipe)
        self._to_host = ToHost(self._writer)
        self._log = ScriptLog(self._to_host)
        self._loops = ThreadLoops(self._log)
        self._ending = Ending(self._writer, self._log, self._loops, os.getppid())
        self._frames = FrameReader()
        self._streams = (
            ScriptStream(self._log, "info", 1, "<stdout>"),
            ScriptStream(self._log, "error", 2, "<stderr>"),
        )
        keep_from_children((_HOST_FD, MARK_FD), self._leave_host)

    def live(self) -> NoReturn:
        """Starts the script, serves, and ends."""
        try:
            start = self._read_start()
            self._prepare(start)
            script = self._start_script(start)
        except Failure as failure:
            self._to_host.start_failed(failure.code, failure.message)
            self._ending.refused(1 if failure.code == "version_mismatch" else 3)
        except FrameError as error:
            self._ending.lost_pipe(error)
        redaction = RedactionHook(script.redact, self._to_host, RedactionMark())
        # What init() has made lives on: the collector of cycles need not look at it again.
        gc.collect()
        gc.freeze()
        # Metrics of init() arrive before the server is ready.
        self._report()
        port.open()
        self._to_host.ready(_ready(script, start))
        try:
            self._serve(script, start, redaction)
        except BaseException as raised:
            # Of a signal handler, or a task: Python itself would wait for the script's threads.
            self._ending.raised(raised)
        self._ending.leave()

    def _read_start(self) -> Start:
        frames: list[tuple[int, int, Payload]] = []
        while not frames:
            chunk = read(self._pipe)
            if not chunk:
                self._ending.leave()
            frames = list(self._frames.feed(chunk))
        kind, _, payload = frames[0]
        if kind != START or len(frames) > 1:
            raise FrameError(f"a frame of kind {frames[-1][0]} before 'ready'")
        return read_start(payload)

    def _prepare(self, start: Start) -> None:
        """Prepares the process for the script."""
        self._log.set_level(start["logLevel"])
        sys.stdout, sys.stderr = self._streams
        connect_logging(self._log)
        report_escaped_exceptions(self._log)
        sys.argv = [start["entryScript"]]
        port.connect(start, self._to_host, self._log.line)
        self._ending.report = self._report
        connect_debugger(self._log)

    def _start_script(self, start: Start) -> Script:
        """Loads the script and awaits its init(). Raises Failure: script_broken, init_failed."""
        script = load(start)
        try:
            result = script.init()
            if is_awaitable(result):
                self._loops.finish(result)
        except BaseException as raised:
            own = raised.message if isinstance(raised, Failure) else script.text_of(raised)
            raise Failure(
                "init_failed",
                f"User's init function failed: User script at {script.path}: "
                f"init() raised an exception: {own}",
            ) from None
        self._ending.close = script.close
        return script

    def _serve(self, script: Script, start: Start, redaction: RedactionHook) -> None:
        """Serves in the mode of the script until the host closes its side of the pipe."""
        intake = Intake(self._to_host, self._frames)
        mark, ending = StartMark(), self._ending
        runner = Runner(script, start, self._to_host, self._streams, self._loops, ending)

        if script.is_async:
            from .event_loop import EventLoop

            loop = EventLoop(self._pipe, intake, runner, mark, redaction, ending)
            loop.serve(self._loops.current())
        elif (threads := concurrency_of(script, start)) == 1:
            serve_serially(self._pipe, intake, runner, mark, redaction, ending)
        else:
            ThreadPool(intake, runner, redaction, threads).serve(self._pipe, mark, ending)

    def _report(self) -> None:
        """Sends what waits: text without a line end, and what the script has counted."""
        for stream in self._streams:
            stream.end_line()
        port.report()

    def _leave_host(self) -> None:
        """In a child that was forked: nothing of it may reach the pipe."""
        self._writer.close()
        self._log.leave_host()
        port.leave_host()


def concurrency_of(script: Script, start: Start) -> int:
    """How many runs the script has at a time, at most."""
    most: int = start["concurrency"]
    if script.concurrency is not None:
        return min(script.concurrency, most)
    blocks = start.get("concurrencyIsDefault") is True and not script.is_async
    return 1 if blocks else most


def _ready(script: Script, start: Start) -> dict[str, Any]:
    concurrency = concurrency_of(script, start)
    return {
        **script.ready(),
        "redacts": script.redact is not None,
        "closes": script.close is not None,
        "concurrency": concurrency,
        # Where runs have the main thread, one after the other.
        "ahead": AHEAD if concurrency == 1 and not script.is_async else 0,
        "models": [],
        "checks": start.get("deepCheck") is True and script.sample is not None,
        "runtime": f"Python {sys.version.split()[0]} ({sys.executable})",
    }
