"""Work that waits for more of its kind."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable


class Later:
    """Calls `work` at most once in `delay_s` seconds, on a thread of its own.

    OSError of the work is left out: the host has closed its side of the pipe.
    """

    def __init__(self, work: Callable[[], None], delay_s: float) -> None:
        self._work = work
        self._delay_s = delay_s
        self._begun = False
        self._asked = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Calls from now on. Why not before: a process without threads may fork in init()."""
        self._begun = True
        if self._asked.is_set():
            self._start()

    def soon(self) -> None:
        """Asks for a call. Costs little where one is due already."""
        if not self._asked.is_set():
            self._asked.set()
            if self._begun and self._thread is None:
                self._start()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="scoring-later", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._asked.wait():
            time.sleep(self._delay_s)
            self._asked.clear()
            with contextlib.suppress(OSError):
                self._work()
