"""Exceptions of a script as texts for the log."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Any

# Longest text in characters, as server/guards/thrown-copy.ts has it.
LONGEST = 16 * 1024
# The innermost ones of each exception. A recursion is shown by its last frames.
_MOST_FRAMES = 200
_HERE = Path(__file__).parent
_PACKAGES = _HERE.parent / "packages"
_ASYNCIO = Path(os.__file__).parent / "asyncio"
# Beginnings of the files of this server, of Python's loader, and of what awaits for the script.
_OWN = (f"{_HERE}{os.sep}", f"{_PACKAGES}{os.sep}", "<frozen importlib", f"{_ASYNCIO}{os.sep}")


def traceback_of(raised: BaseException) -> str:
    """The traceback of an exception with its causes, without the frames of this worker above it.

    Bounded: the middle of a longer text is left out. Never raises.
    """
    try:
        shown = traceback.TracebackException.from_exception(
            raised, limit=-_MOST_FRAMES, compact=True
        )
        _leave_out_own(shown)
        return bounded("".join(shown.format()).rstrip())
    except Exception:
        # A script has changed what Python reads of an exception.
        return f"{type(raised).__name__}: its traceback cannot be shown"


def text_of(raised: BaseException) -> str:
    """The text of an exception, or a note that it has none. Bounded. Never raises."""
    try:
        return bounded(str(raised))
    except Exception:
        return f"a {type(raised).__name__} whose text cannot be read"


def bounded(text: str, most: int = LONGEST) -> str:
    """A text of at most `most` characters and a note. The end of a traceback names the error."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n... ({len(text)} characters)\n{text[-half:]}"


def _leave_out_own(shown: traceback.TracebackException) -> None:
    seen: set[int] = set()
    waiting: list[Any] = [shown]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        stack = each.stack
        while stack and stack[0].filename.startswith(_OWN):
            del stack[0]
        if not stack:
            # None: without the line that announces frames.
            each.stack = None
        waiting += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]
