"""Payloads of the host's frames."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

_SCORE_HEAD = struct.Struct("<BI")


@dataclass(frozen=True)
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
    body: bytes = field(repr=False)


def read_request(ident: int, payload: bytes) -> Request:
    """Reads a `score` frame."""
    protocol, length = _SCORE_HEAD.unpack_from(payload)
    end = _SCORE_HEAD.size + length
    lines = payload[_SCORE_HEAD.size : end].decode("utf-8", "replace").split("\n")
    method, url, content_type, request_id, client_request_id, trace_id, traceparent = lines[:7]
    headers = lines[7:] if lines[7:] != [""] else []
    return Request(
        ident,
        protocol,
        method,
        url,
        content_type,
        request_id,
        client_request_id,
        trace_id,
        traceparent,
        headers,
        payload[end:],
    )


Start = dict[str, Any]
"""StartMessage of server/ipc/start-message.ts."""
