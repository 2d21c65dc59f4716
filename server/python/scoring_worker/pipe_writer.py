"""The worker's writing half of the pipe. Every method may be called by any thread."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
from collections import deque

# Bytes. Longer frames go to the kernel in their parts; shorter ones are joined first.
_LARGE = 16 * 1024
# Bytes of lines of the log that may wait for the kernel: server/ipc/README.md#flow-control.
MOST_WAITING = 4 * 1024 * 1024
_NO_PIPE = (errno.EBADF, errno.ENOTSOCK)
_CLOSED_BY_SCRIPT = b"the script has closed the pipe to the server (fd 3): the worker ends\n"


class PipeWriter:
    """Writes whole frames. Lines of the log never wait for the kernel; every other frame does.

    A frame leaves after the lines that came before it. Whoever holds the lock writes the lines
    that others add meanwhile, so that a signal handler or a finalizer may log at any time.
    """

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        # Reentrant: a signal handler may log within it.
        self._count = threading.RLock()
        self._lines: deque[bytes] = deque()
        self._waiting = 0
        self._full = threading.Event()
        self._late: threading.Thread | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        """Nothing is written any more: the host is gone, or this is a child of the worker."""
        return self._closed

    def close(self) -> None:
        """Ends the writing. The pipe itself stays as it is."""
        self._closed = True

    def send(self, *parts: bytes) -> None:
        """Writes a frame, and returns when the kernel has it."""
        if self._closed:
            return
        try:
            with self._lock:
                if self._lines:
                    self._write_lines(wait=True)
                self._write(parts)
        except OSError as error:
            self._fail(error)
        if self._lines:
            self._flush_lines()

    def send_line(self, line: bytes) -> bool:
        """Writes a frame of the log, now or later. False: too many wait, and it is dropped."""
        if self._closed:
            return True
        with self._count:
            if self._waiting >= MOST_WAITING:
                return False
            self._waiting += len(line)
        self._lines.append(line)
        self._flush_lines()
        return True

    def drain(self) -> None:
        """Returns when the kernel has all lines."""
        while self._lines and not self._closed:
            try:
                with self._lock:
                    self._write_lines(wait=True)
            except OSError as error:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        """The host is gone: the reader of the pipe sees that, too. Or the script closed fd 3."""
        self._closed = True
        if error.errno in _NO_PIPE:
            # A read that waits goes on without the descriptor, and would never end.
            with contextlib.suppress(OSError):
                os.write(2, _CLOSED_BY_SCRIPT)
            os._exit(1)

    def _flush_lines(self) -> None:
        # Again after each release: a line may have come while the lock was held.
        while self._lines and not self._closed and self._lock.acquire(blocking=False):
            try:
                written = self._write_lines(wait=False)
            except OSError as error:
                self._fail(error)
                return
            finally:
                self._lock.release()
            if not written:
                self._write_late()
                return

    def _write_lines(self, wait: bool) -> bool:
        """Returns False where the kernel takes no more. The caller holds the lock."""
        flags = 0 if wait else socket.MSG_DONTWAIT
        while self._lines:
            line = self._lines[0]
            try:
                sent = self._pipe.send(line, flags)
            except BlockingIOError:
                return False
            with self._count:
                self._waiting -= sent
            if sent == len(line):
                self._lines.popleft()
            else:
                self._lines[0] = line[sent:]
        return True

    def _write_late(self) -> None:
        """Lets a thread wait for the kernel in place of the caller."""
        self._full.set()
        with self._count:
            if self._late is not None:
                return
            self._late = threading.Thread(
                target=self._write_when_possible, name="scoring-log", daemon=True
            )
        self._late.start()

    def _write_when_possible(self) -> None:
        while not self._closed:
            self._full.wait()
            self._full.clear()
            self.drain()

    def _write(self, parts: tuple[bytes, ...]) -> None:
        """Writes all bytes. The caller holds the lock."""
        if sum(map(len, parts)) <= _LARGE:
            data = b"".join(parts)
            sent = self._pipe.send(data)
            if sent < len(data):
                self._pipe.sendall(data[sent:])
            return
        left = [memoryview(part) for part in parts if part]
        while left:
            sent = self._pipe.sendmsg(left)
            while left and sent >= len(left[0]):
                sent -= len(left.pop(0))
            if left:
                left[0] = left[0][sent:]
