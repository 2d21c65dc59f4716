"""Frames to bytes, bytes to frames: server/ipc/README.md#frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_HEAD = struct.Struct("<IIB")
HEAD_BYTES = _HEAD.size
# Of a frame's length: id and kind.
_LEAST_LENGTH = 5
# A longer frame over several reads is not copied once more: its payload is a view.
_LARGE = 64 * 1024

Payload = bytes | memoryview
"""Payload of a frame. It must not be kept: a view holds the memory of a whole read."""


class FrameError(Exception):
    """Bytes that are no frame, or a frame of another form than its kind."""


def frame(kind: int, ident: int, *parts: bytes) -> list[bytes]:
    """The parts of a frame: its head, then the payload."""
    length = sum(map(len, parts))
    return [_HEAD.pack(length + _LEAST_LENGTH, ident, kind), *parts]


class FrameReader:
    """Cuts what a pipe brings into frames."""

    def __init__(self) -> None:
        # Begins with the head of a frame that is not complete.
        self._rest = bytearray()
        self._needed = HEAD_BYTES

    def feed(self, chunk: bytes) -> Iterator[tuple[int, int, Payload]]:
        """Yields (kind, id, payload) of each frame that is complete.

        Raises FrameError where a length is below 5: the rest cannot be read.
        """
        if not self._rest:
            return self._cut(chunk)
        self._rest += chunk
        if len(self._rest) < self._needed:
            return iter(())
        whole, self._rest = self._rest, bytearray()
        return self._cut(bytes(whole) if len(whole) < _LARGE else memoryview(whole))

    def _cut(self, data: Payload) -> Iterator[tuple[int, int, Payload]]:
        at, end = 0, len(data)
        while end - at >= HEAD_BYTES:
            length, ident, kind = _HEAD.unpack_from(data, at)
            if length < _LEAST_LENGTH:
                raise FrameError(f"a frame of {length} bytes: expected at least {_LEAST_LENGTH}")
            following = at + 4 + length
            if following > end:
                self._needed = 4 + length
                break
            yield kind, ident, data[at + HEAD_BYTES : following]
            at = following
        else:
            self._needed = HEAD_BYTES
        self._rest += data[at:]
