"""Records of `logging`, warnings, and exceptions that nobody caught, as lines of the log."""

from __future__ import annotations

import functools
import logging
import sys
import threading
from typing import Any

from .log import ScriptLog
from .raised import traceback_of

# Of basicConfig(): where the records go.
_OUTPUTS = ("stream", "filename", "handlers")


class RecordHandler(logging.Handler):
    """Logs the records of the root logger, unless the script gives it a handler of its own."""

    def __init__(self, log: ScriptLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Logs a record with the name of its logger."""
        # As in plain Python: a root logger with handlers has no further output.
        if any(handler is not self for handler in logging.getLogger().handlers):
            return
        try:
            fields = {"logger": record.name}
            self._log.line(_level_of(record.levelno), self.format(record).rstrip("\n"), fields)
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)


def _level_of(number: int) -> str:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warn"
    return "info" if number >= logging.INFO else "debug"


def connect_logging(log: ScriptLog) -> None:
    """Connects `logging` and `warnings`. `basicConfig()` of a script goes on working."""
    root, handler = logging.getLogger(), RecordHandler(log)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if log.verbose else logging.INFO)
    logging.basicConfig = _basic_config(root, handler)
    logging.captureWarnings(True)


def _basic_config(root: logging.Logger, handler: RecordHandler) -> Any:
    """basicConfig() that keeps the handler's levels and ids where no other output is asked for."""
    original = logging.basicConfig

    @functools.wraps(original)
    def basic_config(**given: Any) -> None:
        elsewhere = any(given.get(name) is not None for name in _OUTPUTS)
        if root.handlers != [handler] or elsewhere:
            # Python's own does nothing where the root logger has handlers.
            if root.handlers == [handler]:
                root.removeHandler(handler)
            return original(**given)
        if given.get("format") is not None:
            style = given.get("style", "%")
            handler.setFormatter(logging.Formatter(given["format"], given.get("datefmt"), style))
        if given.get("level") is not None:
            root.setLevel(given["level"])
        return None

    return basic_config


def report_escaped_exceptions(log: ScriptLog) -> None:
    """Logs exceptions of threads and finalizers. The worker goes on."""

    def of_thread(hook: threading.ExceptHookArgs) -> None:
        if hook.exc_value is not None and hook.exc_type is not SystemExit:
            name = hook.thread.name if hook.thread is not None else "unknown"
            log.escaped(f"uncaught exception in the thread {name}: {traceback_of(hook.exc_value)}")

    def unraisable(hook: Any) -> None:
        if hook.exc_value is not None:
            where = hook.err_msg or "Exception ignored in"
            log.escaped(f"{where} {hook.object!r:.200}: {traceback_of(hook.exc_value)}")

    threading.excepthook = of_thread
    sys.unraisablehook = unraisable


def of_event_loop(log: ScriptLog, context: dict[str, Any]) -> None:
    """Logs an exception of an event loop that nobody awaited."""
    raised = context.get("exception")
    text = str(context.get("message", "an error of the event loop"))
    log.escaped(text if raised is None else f"{text}: {traceback_of(raised)}")
