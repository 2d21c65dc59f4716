"""The lines that a script has logged during one run, for protocols that answer them."""

from __future__ import annotations

# As server/worker/run-lines.ts.
_MOST_LINES = 100
_MOST_CHARACTERS = 64 * 1024
_CUT = "... (cut)"


class RunLines:
    """Bounded. A line more than fits is counted only."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._left = _MOST_CHARACTERS
        self._dropped = 0

    def add(self, line: str) -> None:
        """Keeps a line, or the beginning of it."""
        if len(self._lines) == _MOST_LINES or self._left <= 0:
            self._dropped += 1
            return
        self._lines.append(line[: self._left] + _CUT if len(line) > self._left else line)
        self._left -= len(line)

    @property
    def all(self) -> list[str]:
        """The lines, and how many are left out."""
        if self._dropped == 0:
            return self._lines
        return [*self._lines, f"... {self._dropped} more lines are in the log of the server"]
