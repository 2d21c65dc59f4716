"""Lines of the log: what a script prints and logs, with the ids of its request."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

from .addresses import without_keys
from .context import current_request
from .host import ToHost
from .messages import Request

# Characters; server/guards/output-lines.ts.
LONGEST_LINE = 64 * 1024
_VERBOSE = ("debug", "trace")


class ScriptLog:
    """Makes frames of lines. Counts the lines that the pipe had no room for."""

    def __init__(self, to_host: ToHost) -> None:
        self._to_host = to_host
        self._count = threading.RLock()
        self._dropped = 0
        self._in_child = False
        # Lines of level debug are sent, too.
        self.verbose = True

    def set_level(self, name: str) -> None:
        """`name`: logLevel of StartMessage."""
        self.verbose = name in _VERBOSE

    def leave_host(self) -> None:
        """In a child of the worker: lines go to its stdout and stderr, which the host reads."""
        self._in_child = True

    def line(self, level: str, text: str, fields: Mapping[str, Any] | None = None) -> None:
        """Logs a line. `level`: debug, info, warn or error. Never raises."""
        request = current_request.get()
        self._line(level, text, None if request is None or request.over else request, fields)

    def escaped(self, text: str) -> None:
        """Logs an error that no code of the script has caught.

        It keeps the ids of its request, over or not: they are the only trace to its cause.
        """
        self._line("error", without_keys(text), current_request.get(), None)

    def report_dropped(self) -> None:
        """Sends the number of lines that were dropped since the last line, if there are any."""
        if self._dropped > 0:
            self._send({"level": "warn", "msg": ""})

    def _line(
        self, level: str, text: str, request: Request | None, fields: Mapping[str, Any] | None
    ) -> None:
        if level == "debug" and not self.verbose:
            return
        if self._in_child:
            _write(2 if level in ("warn", "error") else 1, text)
            return
        message: dict[str, Any] = {"level": level, "msg": text[:LONGEST_LINE]}
        if request is not None:
            if request.lines is not None and level != "debug":
                request.lines.add(text)
            message["requestId"] = request.id
            message["traceId"] = request.trace_id
            if request.span_id:
                message["spanId"] = request.span_id
        if fields:
            message["fields"] = dict(fields)
        if len(text) > LONGEST_LINE:
            message["cut"] = True
        self._send(message)

    def _send(self, message: dict[str, Any]) -> None:
        with self._count:
            dropped, self._dropped = self._dropped, 0
        if dropped > 0:
            message["dropped"] = dropped
        if not self._to_host.log(message):
            with self._count:
                self._dropped += dropped + (message["msg"] != "")


def _write(fd: int, text: str) -> None:
    # The child may have closed it.
    try:
        os.write(fd, (text + "\n").encode("utf-8", "backslashreplace"))
    except OSError:
        return
