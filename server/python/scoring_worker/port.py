"""What the packages that scripts import reach of the worker: the only state of a module here."""

from __future__ import annotations

from collections.abc import Callable

from .host import ToHost
from .messages import Start


class Port:
    """Connects collectors and metrics of a script to the host."""

    def connect(self, start: Start, to_host: ToHost, log: Callable[[str, str], None]) -> None:
        """Call it before the script is loaded. `log` takes a level and a line."""

    def open(self) -> None:
        """The worker serves."""

    def report(self) -> None:
        """Sends what waits. Call it after init(), also if that failed, and before the exit."""


port = Port()
