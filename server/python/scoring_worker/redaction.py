"""Redaction of collected bodies by a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .host import ToHost
from .start_mark import RedactionMark


class RedactionHook:
    """Runs a script's redaction hook on bodies of requests that are over."""

    def __init__(
        self, hook: Callable[[Any, Any], Any] | None, to_host: ToHost, mark: RedactionMark
    ) -> None:
        self._hook = hook
        self._to_host = to_host
        self._mark = mark

    def redact(self, ident: int, payload: bytes) -> None:
        """Redacts the bodies of one request."""

    async def redact_on_loop(self, ident: int, payload: bytes) -> None:
        """Redacts the bodies of one request, on the event loop of an async script."""
