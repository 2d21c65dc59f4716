"""The request whose code runs now: its ids are on the lines of the log and in collected data."""

from __future__ import annotations

from contextvars import ContextVar

from .messages import Request

current_request: ContextVar[Request | None] = ContextVar("current_request", default=None)
