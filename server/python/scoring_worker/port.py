"""What the packages that scripts import reach of the worker: the only state of a module here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from .collect import Collection
from .messages import Start
from .metrics import MetricRecorder

_PACKAGES = Path(__file__).parents[1] / "packages"
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
        self._told: set[str] = set()

    def connect(self, start: Start, to_host: _Host, log: Callable[[str, str], None]) -> None:
        """Call it before the script is loaded. `log` takes a level and a line."""
        self._log = log
        self.metrics = MetricRecorder(to_host.metrics)
        settings = start.get("collection")
        if settings is not None:
            self.collection = Collection(settings, to_host, lambda text: log("warn", text))

    def open(self) -> None:
        """The worker serves: from now on rows belong to requests, or to close()."""
        if self.collection is not None:
            self.collection.opened = True

    def report(self) -> None:
        """Sends what waits. Call it after init(), also if that failed, and before the exit."""
        self._tell_of_foreign_collector()
        self.metrics.report()
        if self.collection is not None:
            self.collection.report()

    def collector_made(self) -> None:
        """Says once that collection is off."""
        if self.collection is None:
            self._tell_once("info", _OFF)

    def _tell_of_foreign_collector(self) -> None:
        """Why: it fails where there is no collector of Azure ML, and its text has no cure."""
        module = sys.modules.get("azureml.ai.monitoring")
        file = getattr(module, "__file__", None)
        if file is None or Path(file).is_relative_to(_PACKAGES) or _has_sidecar():
            return
        self._tell_once(
            "warn",
            f"the script's Collector is that of the package azureml-ai-monitoring ({file}). "
            "It raises an error where AZUREML_MDC_CONFIG_PATH is not set, and ignores MDC_DIR. "
            "To use the server's collector, leave azureml-ai-monitoring out of the "
            "script's packages: pip uninstall azureml-ai-monitoring",
        )

    def _tell_once(self, level: str, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._log(level, text)


def _send_nowhere(_message: dict[str, Any]) -> None:
    return


def _log_nowhere(_level: str, _text: str) -> None:
    return


def _has_sidecar() -> bool:
    """True where the collector of Azure ML is beside the container."""
    enabled = os.environ.get("AZUREML_MDC_ENABLED", "").lower() == "true"
    return enabled or os.environ.get("AZUREML_MDC_CONFIG_PATH", "") != ""


port = Port()
