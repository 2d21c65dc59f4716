"""Metrics of a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class MetricRecorder:
    """Records the metrics of one worker."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send

    def report(self) -> None:
        """Sends the changes, if there are any."""
