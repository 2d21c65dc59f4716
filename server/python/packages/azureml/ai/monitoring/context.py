"""Contexts that tie collected rows together."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from scoring_worker.context import current_request


class CorrelationContext:
    """Base of contexts of the script's own: it defines at least `get_id()`."""

    def get_id(self) -> str:
        """The id that records of the same request share."""
        return ""

    def __str__(self) -> str:
        return self.get_id()


class BasicCorrelationContext(CorrelationContext):
    """The id, the time and the extra attributes of a record."""

    def __init__(
        self,
        id: str | None = None,
        timestamp: int | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> None:
        """By default the id is the `x-request-id`; outside a request it is a new UUID.

        `timestamp`: seconds since 1970; now by default. Of `headers`, those whose names may mean
        keys, tokens or cookies are not collected.
        """
        self.id = id or _request_id() or str(uuid.uuid4())
        self.timestamp = timestamp or int(time.time())
        self.headers = dict(headers or {})

    def get_id(self) -> str:
        """The id that records of the same request share."""
        return self.id

    def get_timestamp(self) -> int:
        """Seconds since 1970."""
        return self.timestamp

    def get_headers(self) -> dict[str, Any]:
        """Extra attributes of the record."""
        return self.headers

    def __repr__(self) -> str:
        return f"BasicCorrelationContext(id={self.id!r}, timestamp={self.timestamp})"


def get_context() -> CorrelationContext:
    """The context of the request whose code runs now."""
    return BasicCorrelationContext()


def _request_id() -> str | None:
    request = current_request.get()
    return None if request is None else request.id
