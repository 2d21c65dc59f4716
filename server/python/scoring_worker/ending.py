"""The ways in which this process ends."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from .log import ScriptLog
from .loops import ThreadLoops, is_awaitable
from .pipe_writer import PipeWriter
from .raised import traceback_of

_LOST = 1
_INTERRUPTED = 130


class Ending:
    """Ends the process, with what the script has left to do, and with its children."""

    def __init__(self, pipe: PipeWriter, log: ScriptLog, loops: ThreadLoops, host: int) -> None:
        """`host`: its process id."""
        self._pipe = pipe
        self._log = log
        self._loops = loops
        self._host = host
        self._worker = os.getpid()
        # The script's close(), once its init() is done.
        self.close: Callable[[], Any] | None = None
        # Sends what is counted, such as metrics.
        self.report: Callable[[], None] | None = None

    def leave(self) -> NoReturn:
        """The host has closed its side of the pipe: ends the script, then every process of it."""
        self.end_child()
        if os.getppid() == self._host:
            self._close_script()
        self._finish()
        with contextlib.suppress(OSError):
            os.killpg(self._worker, signal.SIGKILL)
        os._exit(0)

    def refused(self, code: int) -> NoReturn:
        """This worker cannot serve, and the host knows why."""
        self._close_script()
        self._finish()
        os._exit(code)

    def exits(self, asked: BaseException) -> NoReturn:
        """The script has asked for the end, by SystemExit or KeyboardInterrupt."""
        code = getattr(asked, "code", _INTERRUPTED)
        if code is not None and not isinstance(code, int):
            self._log.line("error", str(code))
            code = _LOST
        code = (code or 0) & 0xFF
        self.end_child(code)
        self._finish()
        os._exit(code)

    def raised(self, raised: BaseException) -> NoReturn:
        """An exception, outside of every run."""
        if isinstance(raised, SystemExit | KeyboardInterrupt):
            self.exits(raised)
        self.lost(f"an exception outside of run(): {traceback_of(raised)}")

    def lost(self, problem: str) -> NoReturn:
        """Ends after an error that only a new process can clear."""
        self._log.line("error", f"{problem}; the worker ends")
        self._report()
        os._exit(_LOST)

    def lost_pipe(self, raised: BaseException) -> NoReturn:
        """The bytes of the pipe are not the protocol: other code of this process uses it."""
        self.lost(
            "the pipe to the server (fd 3), which belongs to it alone, cannot be used any more: "
            f"{raised}"
        )

    def end_child(self, code: int = 0) -> None:
        """Ends a child of the worker that comes back from the script: it has no request."""
        if os.getpid() != self._worker:
            _flush_real()
            os._exit(code)

    def _close_script(self) -> None:
        close, self.close = self.close, None
        if close is None:
            return
        try:
            result = close()
            if is_awaitable(result):
                self._loops.finish(result)
        except BaseException as raised:
            self._log.escaped(f"close() raised an exception: {traceback_of(raised)}")

    def _finish(self) -> None:
        """Runs exit handlers, which may log and count."""
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
        self._report()
        _flush_real()

    def _report(self) -> None:
        if self.report is not None:
            with contextlib.suppress(Exception):
                self.report()
        self._log.report_dropped()
        self._pipe.drain()


def _flush_real() -> None:
    for stream in (sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):
            if stream is not None:
                stream.flush()
