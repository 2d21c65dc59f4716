"""What the packages that scripts import reach of the worker: the only state of a module here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from .foreign_collector import ForeignCollectorWatch
from .messages import Start
from .metrics import MetricRecorder

if TYPE_CHECKING:
    from .collect import Collection

_OFF = (
    "collectors of the script collect nothing, because collection is off: "
    "MDC_DIR=<folder> switches it on, as do the other options of docs/data-collection.md"
)


class _Host(Protocol):
    def metrics(self, message: dict[str, Any]) -> None: ...

    def collect(self, collection: str, head: dict[str, Any], rows: bytes) -> None: ...

    def not_collected(self, counts: list[dict[str, Any]]) -> None: ...


class Port:
    """Connects collectors and metrics of a script to the host.

    Outside a worker it is connected to nothing: metrics are checked, and nothing is collected.
    """

    def __init__(self) -> None:
        self.metrics = MetricRecorder(_send_nowhere)
        # None: nothing is collected.
        self.collection: Collection | None = None
        self._log: Callable[[str, str], None] = _log_nowhere
        self._told_off = False

    def connect(self, start: Start, to_host: _Host, log: Callable[[str, str], None]) -> None:
        """Call it before the script is loaded. `log` takes a level and a line."""
        self._log = log
        sys.meta_path.insert(0, ForeignCollectorWatch(lambda text: log("warn", text)))
        self.metrics = MetricRecorder(to_host.metrics)
        settings = start.get("collection")
        if settings is not None:
            # Only here, because a start without collection need not load it.
            from .collect import Collection

            self.collection = Collection(settings, to_host, lambda text: log("warn", text))

    def open(self) -> None:
        """The worker serves: from now on rows belong to requests, or to close()."""
        self.metrics.begin()
        if self.collection is not None:
            self.collection.open()

    def leave_host(self) -> None:
        """In a child that was forked: nothing that it collects or counts reaches the host."""
        self.collection = None
        self._told_off = True
        self.metrics.leave_host()

    def report(self) -> None:
        """Sends what waits. Call it after init() and before the exit."""
        self.metrics.report()
        if self.collection is not None:
            self.collection.report()

    def collector_made(self) -> None:
        """Says once that collection is off."""
        if self.collection is None and not self._told_off:
            self._told_off = True
            self._log("info", _OFF)


def _send_nowhere(_message: dict[str, Any]) -> None:
    return


def _log_nowhere(_level: str, _text: str) -> None:
    return


port = Port()
