"""Reads the pipe for a main thread that runs the script: it reads itself while it is idle."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from .frames import FrameError
from .intake import Intake, Redaction
from .run import Run

READ_BYTES = 64 * 1024
# After one to two of these a run has taken long, and the helper reads.
_TICK_SECONDS = 0.01


def read(pipe: socket.socket, flags: int = 0) -> bytes:
    """What the pipe has, at least one byte; nothing means the end. Raises BlockingIOError."""
    try:
        return pipe.recv(READ_BYTES, flags)
    except ConnectionError:
        return b""


class PipeReader:
    """Reads on the main thread, and on a helper while a run takes long.

    Why: a request then costs no change of threads, and a cancel is still acknowledged. Whoever
    holds `_reading` reads. While a run takes long, the helper gives the requests behind it back
    to the host. It stops once the main thread waits. It sleeps while no run takes long. While a
    redaction waits, it does not wait for the pipe: the main thread has work once it is free.
    """

    def __init__(
        self, pipe: socket.socket, intake: Intake, broken: Callable[[FrameError], None]
    ) -> None:
        """`broken`: called by the thread that read what is no frame. It does not return."""
        self._pipe = pipe
        self._intake = intake
        self._broken = broken
        self._reading = threading.Lock()
        # The main thread waits for a frame, and the helper may have `_reading`.
        self._wanted = False
        self._running = False
        # Runs so far.
        self._number = 0
        self._asleep = True
        self._wake = threading.Semaphore(0)
        threading.Thread(target=self._help, name="scoring-reader", daemon=True).start()

    def next(self) -> Run | Redaction | None:
        """What is to begin now; None: the pipe has ended."""
        self._wanted = True
        with self._reading:
            self._wanted = False
            while True:
                work = self._intake.next()
                if work is not None or self._intake.ended:
                    return work
                self._read()

    def wait(self, until: Callable[[], bool]) -> None:
        """Reads once for a run that waits, unless `until` has come true meanwhile."""
        self._wanted = True
        with self._reading:
            self._wanted = False
            if not until():
                self._intake.give_back()
                self._read()
                self._intake.give_back()

    def run_begins(self) -> None:
        """The main thread runs the script from now on."""
        self._number += 1
        self._running = True
        if self._asleep:
            self._asleep = False
            self._wake.release()

    def run_ends(self) -> None:
        """The main thread is about to call `next`."""
        self._running = False

    def _read(self, flags: int = 0) -> None:
        try:
            self._intake.take(read(self._pipe, flags))
        except FrameError as error:
            self._broken(error)

    def _help(self) -> None:
        seen = 0
        while not self._intake.ended:
            time.sleep(_TICK_SECONDS)
            if self._running and self._number == seen and self._reading.acquire(blocking=False):
                self._read_on()
            elif not self._running:
                self._asleep = True
                # A run may have begun since.
                if not self._running:
                    self._wake.acquire()
                self._asleep = False
            seen = self._number

    def _read_on(self) -> None:
        try:
            while not (self._wanted or self._intake.ended):
                self._intake.give_back()
                self._read(socket.MSG_DONTWAIT if self._intake.has_work else 0)
        except BlockingIOError:
            return
        finally:
            self._reading.release()
