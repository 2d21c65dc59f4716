"""sys.stdout and sys.stderr of a script: every line that is written is a line of the log."""

from __future__ import annotations

import codecs
import io
import threading
from collections.abc import Iterable
from typing import Any

from .context import current_request
from .log import LONGEST_LINE, ScriptLog


class ScriptStream(io.TextIOBase):
    """A text stream whose lines end with LF, CR or both; empty lines are left out.

    Text without a line end waits for the rest: that of a request until it is over, that of other
    code for each thread.
    """

    def __init__(self, log: ScriptLog, level: str, fd: int, name: str) -> None:
        self._log = log
        self._level = level
        self._fd = fd
        self._by_thread = threading.local()
        self.name = name
        self.mode = "w"
        self.buffer = _Bytes(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of bytes that are written to `buffer`."""
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """Bytes that are no UTF-8 are replaced."""
        return "replace"

    @property
    def line_buffering(self) -> bool:
        """A line leaves with its end."""
        return True

    def write(self, text: str) -> int:
        """Takes text. Raises TypeError for anything else."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text == "\n":
            self._emit_unfinished()
        elif "\n" in text or "\r" in text:
            self._split(text)
        elif text:
            self._hold(self._taken() + text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]
        """Takes texts, without adding line ends."""
        for line in lines:
            self.write(line)

    def end_line(self) -> None:
        """Logs what this request, or this thread, has left without a line end."""
        self._emit_unfinished()

    def flush(self) -> None:
        """Does nothing: lines leave at once, and text without a line end waits for the rest."""

    def close(self) -> None:
        """Does nothing, because print() must go on working."""

    def reconfigure(self, **_: Any) -> None:
        """Does nothing: encoding and buffering are those of the log."""

    def fileno(self) -> int:
        """The real stdout or stderr, whose lines the host reads."""
        return self._fd

    def isatty(self) -> bool:
        """False."""
        return False

    def writable(self) -> bool:
        """True."""
        return True

    def _split(self, text: str) -> None:
        *lines, rest = text.replace("\r", "\n").split("\n")
        lines[0] = self._taken() + lines[0]
        for line in lines:
            if line:
                self._log.line(self._level, line)
        self._hold(rest)

    def _emit_unfinished(self) -> None:
        text = self._taken()
        if text:
            self._log.line(self._level, text)

    def _taken(self) -> str:
        request = current_request.get()
        if request is not None and not request.over:
            return request.unfinished.pop(self._level, "") if request.unfinished else ""
        text: str = getattr(self._by_thread, "text", "")
        self._by_thread.text = ""
        return text

    def _hold(self, text: str) -> None:
        if len(text) > LONGEST_LINE:
            return self._log.line(self._level, text)
        request = current_request.get()
        if request is None or request.over:
            self._by_thread.text = text
        elif text:
            if request.unfinished is None:
                request.unfinished = {}
            request.unfinished[self._level] = text
        return None


class _Bytes(io.RawIOBase):
    """`sys.stdout.buffer`: bytes of UTF-8 for the stream."""

    def __init__(self, stream: ScriptStream) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, data: Any) -> int:
        """Takes bytes."""
        taken = bytes(data)
        self._stream.write(self._decoder.decode(taken))
        return len(taken)

    def flush(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""

    def fileno(self) -> int:
        """The real stdout or stderr."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """True."""
        return True
