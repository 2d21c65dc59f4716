"""Work that waits for more of its kind."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable


class Later:
    """Calls `work` at most once in `delay_s` seconds, on a thread of its own.

    OSError of the work is left out: the host has closed its side of the pipe.
    """

    def __init__(self, work: Callable[[], None], delay_s: float) -> None:
        self._work = work
        self._delay_s = delay_s
        self._asked = threading.Event()
        self._stopped = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def soon(self) -> None:
        """Asks for a call. Costs little where one is due already."""
        if not self._asked.is_set():
            self._asked.set()
            if self._thread is None:
                self._begin()

    def stop(self) -> None:
        """Makes no more calls. Does not wait for one that is under way."""
        self._stopped.set()
        self._asked.set()

    def _begin(self) -> None:
        with self._starting:
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._run, name="scoring-later", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._asked.wait() and not self._stopped.wait(self._delay_s):
            self._asked.clear()
            with contextlib.suppress(OSError):
                self._work()
