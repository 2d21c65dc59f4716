"""Frames to bytes, bytes to frames: server/ipc/README.md#frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_HEAD = struct.Struct("<IIB")
HEAD_BYTES = _HEAD.size


class FrameError(Exception):
    """Bytes that are no frame."""


def frame(kind: int, ident: int, *parts: bytes) -> list[bytes]:
    """The parts of a frame: its head, then the payload."""
    length = sum(map(len, parts))
    return [_HEAD.pack(length + 5, ident, kind), *parts]


class FrameReader:
    """Cuts what a pipe brings into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Yields (kind, id, payload) of each frame that is complete.

        Raises FrameError where a length is below 5: the rest cannot be read.
        """
        buffer = self._buffer
        buffer += chunk
        at = 0
        while len(buffer) - at >= HEAD_BYTES:
            length, ident, kind = _HEAD.unpack_from(buffer, at)
            if length < 5:
                raise FrameError(f"a frame of length {length}: expected at least 5")
            end = at + 4 + length
            if len(buffer) < end:
                break
            payload = bytes(buffer[at + HEAD_BYTES : end])
            at = end
            yield kind, ident, payload
        del buffer[:at]
