"""Frames of the worker: a method a kind. Every method may be called by any thread."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

from . import kinds
from .answers import Answer
from .frames import frame
from .pipe_writer import PipeWriter

# Head of the frame, and fixed part of the reply head.
_REPLY = struct.Struct("<IIBHBdI")
_REPLY_HEAD = struct.Struct("<HBdI")
_LENGTH = struct.Struct("<I")
_BESIDE_LENGTH = 4
_RUN_FAILED = 1
_JSON = 2
# In place of the milliseconds of run() where it raised its answer.
RAISED = -1.0
# Characters of a failure's text.
_MOST_TEXT = 64 * 1024
# Characters of the beginning of a longer text. Why few: a traceback ends with its cause.
_KEPT_BEGINNING = 8 * 1024

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def json_bytes(value: Any) -> bytes:
    """Compact JSON. Raises ValueError for numbers that JSON has not."""
    return _encode(value).encode("ascii")


class ToHost:
    """The worker's half of the pipe."""

    def __init__(self, pipe: PipeWriter) -> None:
        self._pipe = pipe

    def ready(self, message: dict[str, Any]) -> None:
        """`message`: ReadyMessage of server/ipc/worker-messages.ts."""
        self._message(kinds.READY, 0, {"version": kinds.PROTOCOL_VERSION, **message})

    def start_failed(self, code: str, message: str) -> None:
        """Reports why this worker cannot serve; it then exits."""
        self._message(kinds.START_FAILED, 0, {"code": code, "message": bounded(message)})

    def reply(self, ident: int, answer: Answer, run_ms: float) -> None:
        """Answers a request. `run_ms`: RAISED where run() raised its answer."""
        flags, headers = _flags_and_headers(answer)
        size, body = len(headers), answer.body
        head = _REPLY.pack(
            _REPLY.size - _BESIDE_LENGTH + size + len(body),
            ident,
            kinds.REPLY,
            answer.status,
            flags,
            run_ms,
            size,
        )
        self._pipe.send(head, headers, body)

    def failure(self, ident: int, code: str, message: str) -> None:
        """Answers a request with a failure of the table."""
        self._message(kinds.FAILURE, ident, {"code": code, "message": bounded(message)})

    def stream(self, ident: int, answer: Answer, run_ms: float) -> None:
        """Begins a streamed answer."""
        flags, headers = _flags_and_headers(answer)
        head = _REPLY_HEAD.pack(answer.status, flags, run_ms, len(headers))
        self._send(kinds.STREAM, ident, head, headers)

    def chunk(self, ident: int, data: bytes) -> None:
        """Sends bytes of a stream: at least one."""
        self._send(kinds.CHUNK, ident, data)

    def end(self, ident: int) -> None:
        """A stream is complete."""
        self._send(kinds.END, ident)

    def broken(self, ident: int, code: str, message: str) -> None:
        """A stream ends with a failure of the table."""
        self._message(kinds.BROKEN, ident, {"code": code, "message": bounded(message)})

    def log(self, message: dict[str, Any]) -> bool:
        """`message`: LogMessage of server/ipc/worker-messages.ts. False: it is dropped."""
        return self._pipe.send_line(b"".join(frame(kinds.LOG, 0, json_bytes(message))))

    def cancelled(self, ident: int) -> None:
        """A cancel was read."""
        self._send(kinds.CANCELLED, ident)

    def returned(self, ident: int) -> None:
        """Gives a request back that has not begun, because another one takes long."""
        self._send(kinds.RETURNED, ident)

    def metrics(self, message: dict[str, Any]) -> None:
        """`message`: MetricsMessage of server/ipc/metric-series.ts, of at most 4 MiB."""
        self._message(kinds.METRICS, 0, message)

    def times(self, ident: int, message: dict[str, Any]) -> None:
        """`message`: RunTimes of server/ipc/worker-messages.ts. Comes before the answer."""
        self._message(kinds.TIMES, ident, message)

    def collect(self, collection: str, head: dict[str, Any], rows: bytes) -> None:
        """`head`: CollectHead of server/ipc/collected-rows.ts. `rows`: JSON array."""
        name, head_bytes = collection.encode("latin-1"), json_bytes(head)
        lengths = bytes([len(name)]), _LENGTH.pack(len(head_bytes))
        self._send(kinds.COLLECT, 0, lengths[0], name, lengths[1], head_bytes, rows)

    def not_collected(self, counts: list[dict[str, Any]]) -> None:
        """`counts`: NotCollected of server/ipc/worker-messages.ts."""
        self._message(kinds.NOT_COLLECTED, 0, counts)

    def redacted(self, ident: int, heads: list[Any], bodies: Sequence[bytes]) -> None:
        """`heads`: Redaction of server/ipc/redaction.ts. `bodies`: of those that are kept."""
        head = json_bytes(heads)
        self._send(kinds.REDACTED, ident, _LENGTH.pack(len(head)), head, *bodies)

    def loaded(self, model: dict[str, Any]) -> None:
        """`model`: ServedModel of server/ipc/worker-messages.ts."""
        self._message(kinds.LOADED, 0, model)

    def trying(self, model: str | None) -> None:
        """Made-up inputs of a model begin; None: they are done."""
        self._message(kinds.TRYING, 0, {} if model is None else {"model": model})

    def _message(self, kind: int, ident: int, message: Any) -> None:
        self._send(kind, ident, json_bytes(message))

    def _send(self, kind: int, ident: int, *parts: bytes) -> None:
        self._pipe.send(*frame(kind, ident, *parts))


def bounded(text: str) -> str:
    """A text that a message can carry: a longer one loses its middle."""
    if len(text) <= _MOST_TEXT:
        return text
    ending = text[len(text) - (_MOST_TEXT - _KEPT_BEGINNING) :]
    return f"{text[:_KEPT_BEGINNING]}\n[...]\n{ending}"


def _flags_and_headers(answer: Answer) -> tuple[int, bytes]:
    flags = _RUN_FAILED if answer.run_failed or answer.status >= 500 else 0
    if answer.headers is None:
        return flags | _JSON, b""
    return flags, "\n".join(f"{name}\n{value}" for name, value in answer.headers).encode()
