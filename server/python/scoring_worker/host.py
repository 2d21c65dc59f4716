"""Frames of the worker: a method a kind. Every method may be called by any thread."""

from __future__ import annotations

import json
import socket
import struct
import threading
from typing import Any

from . import kinds
from .answers import Answer
from .frames import frame

_REPLY_HEAD = struct.Struct("<HBdI")
_RUN_FAILED = 1
_JSON = 2
# In place of the milliseconds of run() where it raised its answer.
RAISED = -1.0


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode()


class ToHost:
    """The worker's half of the pipe."""

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def ready(self, message: dict[str, Any]) -> None:
        """`message`: ReadyMessage of server/ipc/worker-messages.ts."""
        self._send(kinds.READY, 0, _json({"version": kinds.PROTOCOL_VERSION, **message}))

    def start_failed(self, code: str, message: str) -> None:
        """Reports why this worker cannot serve; it then exits."""
        self._send(kinds.START_FAILED, 0, _json({"code": code, "message": message}))

    def reply(self, ident: int, answer: Answer, run_ms: float) -> None:
        """Answers a request. `run_ms`: RAISED where run() raised its answer."""
        self._send(kinds.REPLY, ident, *_reply_head(answer, run_ms), answer.body)

    def failure(self, ident: int, code: str, message: str) -> None:
        """Answers a request with a failure of the table."""
        self._send(kinds.FAILURE, ident, _json({"code": code, "message": message}))

    def log(self, message: dict[str, Any]) -> None:
        """`message`: LogMessage of server/ipc/worker-messages.ts."""
        self._send(kinds.LOG, 0, _json(message))

    def cancelled(self, ident: int) -> None:
        """A cancel was read."""
        self._send(kinds.CANCELLED, ident)

    def _send(self, kind: int, ident: int, *parts: bytes) -> None:
        data = b"".join(frame(kind, ident, *parts))
        with self._lock:
            self._pipe.sendall(data)


def _reply_head(answer: Answer, run_ms: float) -> tuple[bytes, bytes]:
    flags = _RUN_FAILED if answer.run_failed or answer.status >= 500 else 0
    if answer.headers is None:
        return _REPLY_HEAD.pack(answer.status, flags | _JSON, run_ms, 0), b""
    text = "\n".join(f"{name}\n{value}" for name, value in answer.headers).encode()
    return _REPLY_HEAD.pack(answer.status, flags, run_ms, len(text)), text
