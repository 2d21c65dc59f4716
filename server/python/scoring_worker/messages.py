"""Payloads of the host's frames."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .failures import Failure
from .frames import FrameError, Payload
from .kinds import MOST_MESSAGE_BYTES, PROTOCOL_AZURE_FUNCTION, PROTOCOL_VERSION
from .run_lines import RunLines

_SCORE_HEAD = struct.Struct("<BI")
_CREDIT = struct.Struct("<I")
# Members of `start` that this worker reads, besides those that may be absent.
_READ = {
    "entryScript": str,
    "importPath": list,
    "concurrency": int,
    "jsonNan": str,
    "nonFinite": str,
    "answerLimitBytes": int,
    "logLevel": str,
    "tracing": bool,
}
# Lines of the head before its headers.
_FIELDS = 7

Start = dict[str, Any]
"""StartMessage of server/ipc/start-message.ts."""


class Instances(Protocol):
    """A body that wraps the data of the script."""

    # Number of instances; None: the request does not say.
    count: int | None

    def text(self) -> str:
        """JSON of the data. Raises Failure."""

    def members(self, first: str) -> Mapping[str, Any]:
        """Values of the parameters of run(), whose first one gets the data. Raises Failure."""


@dataclass(slots=True)
class Request:
    """A `score` frame: server/ipc/README.md#kinds."""

    ident: int
    protocol: int
    method: str
    url: str
    content_type: str
    id: str
    client_request_id: str
    trace_id: str
    traceparent: str
    # Names and values in turn.
    raw_headers: list[str] = field(repr=False)
    # Empty once the request is over.
    body: bytes = field(repr=False)
    # The answer has been sent. Code that the script has left running may go on.
    over: bool = False
    # The instances that the body wraps; None: it wraps none.
    instances: Instances | None = field(default=None, repr=False)
    # What the script has printed without a line end, by the level of the stream.
    unfinished: dict[str, str] | None = field(default=None, repr=False)
    # Lines of the script so far, where the answer has them.
    lines: RunLines | None = field(default=None, repr=False)
    # What the trigger of an Azure function says of itself.
    metadata: dict[str, Any] | None = field(default=None, repr=False)
    # How its envelope is answered: azure_function.py.
    invocation: Any = field(default=None, repr=False)

    @property
    def sampled(self) -> bool:
        """Whether this trace is recorded."""
        return self.traceparent[-1:] in ("1", "3", "5", "7", "9", "b", "d", "f")

    @property
    def span_id(self) -> str:
        """Span of the request on the host; empty where it belongs to no trace."""
        return self.traceparent[36:52]


def read_request(ident: int, payload: Payload) -> Request:
    """Reads a `score` frame. Raises FrameError."""
    if len(payload) < _SCORE_HEAD.size:
        raise FrameError(f"a request that is too short: {len(payload)} bytes")
    protocol, length = _SCORE_HEAD.unpack_from(payload)
    end = _SCORE_HEAD.size + length
    if end > len(payload):
        raise FrameError(f"a request that is too short: {len(payload)} bytes, expected {end}")
    if protocol > PROTOCOL_AZURE_FUNCTION:
        raise FrameError(
            f"a request of protocol {protocol}: expected 0 to {PROTOCOL_AZURE_FUNCTION}"
        )
    lines = str(payload[_SCORE_HEAD.size : end], "utf-8", "replace").split("\n")
    if len(lines) <= _FIELDS:
        raise FrameError(f"a request whose head has {len(lines)} lines: expected {_FIELDS + 1}")
    method, url, content_type, request_id, client_id, trace_id, traceparent = lines[:_FIELDS]
    return Request(
        ident,
        protocol,
        method,
        url,
        content_type,
        request_id,
        client_id,
        trace_id,
        traceparent,
        # One empty line: there are none.
        lines[_FIELDS:] if len(lines) > _FIELDS + 1 else [],
        bytes(payload[end:]),
    )


def read_credit(payload: Payload) -> int:
    """Bytes of a stream that the client's side has taken. Raises FrameError."""
    if len(payload) != _CREDIT.size:
        raise FrameError(f"a message 'credit' of {len(payload)} bytes: expected {_CREDIT.size}")
    return int(_CREDIT.unpack(payload)[0])


def read_start(payload: Payload) -> Start:
    """Reads a `start` frame. Raises Failure: version_mismatch; FrameError."""
    if len(payload) > MOST_MESSAGE_BYTES:
        raise FrameError(
            f"a message 'start' of {len(payload)} bytes: expected at most {MOST_MESSAGE_BYTES}"
        )
    try:
        message = json.loads(bytes(payload))
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise FrameError("a message 'start' that is not a JSON object")
    version = message.pop("version", None)
    if version != PROTOCOL_VERSION:
        got = "none" if version is None else json.dumps(version)[:20]
        raise Failure(
            "version_mismatch",
            "Host and worker are of different installations: the message 'start' has version "
            f"{got} of their protocol, expected {PROTOCOL_VERSION}. Restart the server; if that "
            "does not help, install it again.",
        )
    for name, kind in _READ.items():
        value = message.get(name)
        if type(value) is not kind:
            raise FrameError(
                f"a message 'start' of another form than expected: {name} is {value!r:.100}"
            )
    return message
