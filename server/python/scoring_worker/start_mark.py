"""What has begun, in a file that outlives this process: fd 4 of server/ipc/README.md."""

from __future__ import annotations

import contextlib
import os
import struct

MARK_FD = 4
_ONE = struct.Struct("<d")
_TWO = struct.Struct("<dd")
_REDACTIONS = 8


class StartMark:
    """Writes how many `score` frames have begun."""

    def __init__(self, fd: int = MARK_FD) -> None:
        self._fd = fd
        self._known = True

    def begun(self, number: int) -> None:
        """Marks a run before it begins. Where that fails, any run may have begun."""
        if not self._known:
            return
        try:
            os.pwrite(self._fd, _ONE.pack(number), 0)
        except OSError:
            self._known = False
            _cut(self._fd, 0)


class RedactionMark:
    """Writes which redaction's hook has the thread."""

    def __init__(self, fd: int = MARK_FD) -> None:
        self._fd = fd
        self._known = True

    def __call__(self, begun: int, holder: int) -> None:
        """Marks a hook before and after its call.

        `begun`: redactions so far. `holder`: id of the one whose hook has the thread; 0: none.
        """
        if not self._known:
            return
        try:
            os.pwrite(self._fd, _TWO.pack(begun, holder), _REDACTIONS)
        except OSError:
            self._known = False
            _cut(self._fd, _REDACTIONS)


def _cut(fd: int, length: int) -> None:
    # The script may have closed it: the host then reads what was written last.
    with contextlib.suppress(OSError):
        os.ftruncate(fd, length)
